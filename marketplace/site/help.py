"""How buying, returning and selling work, in plain words on one page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core import page_cache

bp = Blueprint("help", __name__)


@bp.get("/help")
@requires("shop.browse")
def show() -> ResponseReturnValue:
    page_cache.tags("help")
    return render_template("site/help.html")
