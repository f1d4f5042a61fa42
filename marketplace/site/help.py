"""How buying, returning and selling work, in plain words on one page."""

from typing import Final

from flask import Blueprint, render_template
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core import page_cache
from marketplace.core.settings import Settings

bp = Blueprint("help", __name__)
HELP_PHONE: Final = "0351-555-0058"
"""Stands on every page of 长辈版, outside production: it is as invented as the stations' own numbers."""


@bp.record
def show_phone(state: BlueprintSetupState) -> None:
    settings: Settings = state.app.extensions["settings"]
    state.app.jinja_env.globals["elder_help_phone"] = "" if settings.is_production else HELP_PHONE


@bp.get("/help")
@requires("shop.browse")
def show() -> ResponseReturnValue:
    page_cache.tags("help")
    return render_template("site/help.html")
