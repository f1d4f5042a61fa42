"""Views whose module is read when somebody first asks for one of them: a process that nobody asks never carries it."""

import ast
import re
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask

METHODS: Final = ("get", "post")
HOOKS: Final = ("before_request", "url_value_preprocessor")
READING: Final = threading.RLock()  # one after the other, so that no thread ever meets a module that is half read
MENTIONED: Final = re.compile(rb"(?<![\w.])bp\b")


class LateView:
    """Stands where a view stands, and is it as soon as it is called or asked what it is."""

    required_methods = ()  # Flask asks for these two when a route is made; that is too early
    provide_automatic_options = None

    def __init__(self, module: str, name: str) -> None:
        self.module, self.__name__ = module, name
        self._known: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.read()(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        """What a view is marked with: its action, that its forms are not checked."""
        return getattr(self.read(), attribute)

    def read(self) -> Any:
        """The view. ImportError when its module cannot be run; whoever asks next tries again."""
        if self._known is None:
            with READING:
                try:
                    self._known = getattr(import_module(self.module), self.__name__)
                except AttributeError as error:  # or it would pass for a mark that the view does not have
                    raise ImportError(f"{self.module} cannot be read: {error}") from error
        return self._known


def connect(blueprint: Blueprint, module: str, routes: dict[str, str]) -> None:
    """`routes` lead from the name of a view in that module to `METHOD /rule`."""
    for name, route in routes.items():
        method, rule = route.split()
        blueprint.add_url_rule(rule, name, LateView(module, name), methods=[method])


def register(app: Flask, package: str, *modules: str) -> None:
    """The blueprints of these modules of views, none of which is run before somebody asks for a page of it."""
    for module in modules:
        app.register_blueprint(blueprint(f"{package}.{module}"))


def blueprint(module: str) -> Blueprint:
    """The blueprint `bp` of a module that is read and not run, with all that its decorators hang there.

    Raises ValueError when the module does more with it than to make it and to decorate its functions."""
    source = source_of(module)
    body = ast.parse(source).body
    decorated = list(decorators_of(body))
    if len(MENTIONED.findall(source)) != 1 + len(decorated):
        raise ValueError(f"{module} does more with its blueprint than to make it and to decorate views: it cannot be late")
    made = next((made for node in body if (made := blueprint_made(node, module))), None)
    if made is None:
        raise ValueError(f'{module} cannot be late without bp = Blueprint("name", __name__, …)')
    views = {view: LateView(module, view.name) for _decorator, view in decorated}  # one for all addresses that a view has
    for decorator, view in decorated:
        hang(made, decorator, views[view], body)
    return made


def source_of(module: str) -> bytes:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {module}")
    return Path(spec.origin).read_bytes()


def blueprint_made(node: ast.stmt, module: str) -> Blueprint | None:
    """`bp = Blueprint("name", __name__, url_prefix="/…")`; None for any other statement."""
    match node:
        case ast.Assign([ast.Name("bp")], ast.Call(ast.Name("Blueprint"), [ast.Constant(name), _], options)):
            return Blueprint(str(name), module, **{str(one.arg): ast.literal_eval(one.value) for one in options})
    return None


def decorators_of(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, ast.FunctionDef]]:
    """Those of `bp`, each with its view; the nearest to a view first, as they are called."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            for decorator in reversed(node.decorator_list):
                match decorator:
                    case ast.Attribute(ast.Name("bp")) | ast.Call(ast.Attribute(ast.Name("bp"))):
                        yield decorator, node


def hang(made: Blueprint, decorator: ast.expr, view: LateView, body: list[ast.stmt]) -> None:
    match decorator:
        case ast.Call(ast.Attribute(_, method), [ast.Constant(rule)], []) if method in METHODS:
            made.add_url_rule(str(rule), view.__name__, view, methods=[method.upper()])
        case ast.Call(ast.Attribute(_, "errorhandler"), [ast.Name(error)], []):
            made.register_error_handler(imported(error, body), view)
        case ast.Attribute(_, hook) if hook in HOOKS:
            getattr(made, hook)(view)
        case _:
            raise ValueError(f"@{ast.unparse(decorator)} of {view.module}.{view.__name__} cannot be late")


def imported(name: str, body: list[ast.stmt]) -> Any:
    """What the module of these statements imports by this name."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and name in [one.name for one in node.names]:
            return getattr(import_module(str(node.module)), name)
    raise ValueError(f"{name} is not imported by its own name")
