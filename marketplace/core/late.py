"""Views whose module is read when somebody first asks for one of them: a process that nobody asks never carries it."""

from functools import cached_property
from importlib import import_module
from typing import Any

from flask import Blueprint


class LateView:
    """Stands where a view stands, and is it as soon as it is called or asked what it is."""

    required_methods = ()  # Flask asks for these two when a route is made; that is too early
    provide_automatic_options = None

    def __init__(self, module: str, name: str) -> None:
        self._module, self.__name__ = module, name

    @cached_property
    def _view(self) -> Any:
        return getattr(import_module(self._module), self.__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._view(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        """What a view is marked with: its action, that its forms are not checked."""
        return getattr(self._view, attribute)


def connect(blueprint: Blueprint, module: str, routes: dict[str, str]) -> None:
    """`routes` lead from the name of a view in that module to `METHOD /rule`."""
    for name, route in routes.items():
        method, rule = route.split()
        blueprint.add_url_rule(rule, name, LateView(module, name), methods=[method])
