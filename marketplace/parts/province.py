"""The province's start page, and the rail of all its pages."""

from flask import Flask

from marketplace.core import late
from marketplace.core.late import LateView


def install_console(app: Flask) -> None:
    """After everything that it reads."""
    late.register(app, "marketplace.site.console", "views")
    app.jinja_env.globals["province_rail"] = LateView("marketplace.site.console.rail", "rail")
