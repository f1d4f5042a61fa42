"""Flask, without what this house never uses."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from marketplace.core.rules import LateRule


class Application(Flask):
    """No view and no hook of ours is a coroutine; Flask would look at some twenty of them for every request."""

    url_rule_class = LateRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func
