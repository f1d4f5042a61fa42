"""/presales: what is sold before the harvest, and how far it is. Pages of the shop: a sale."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from crowdfund.presales import drafting, queries, telling
from marketplace.accounts.permissions import requires
from marketplace.core import page_cache
from marketplace.core.db import db

bp = Blueprint("presales", __name__, url_prefix="/presales")


@bp.get("")
@requires("presale.browse")
def list_presales() -> ResponseReturnValue:
    live, over = queries.board(db.session())
    page_cache.tags("presales", "stations", *{f"listing:{each.listing}" for each in (*live, *over)})
    return render_template("presales/index.html", live=live, over=over, states=telling.STATES)


@bp.get("/<presale>")
@requires("presale.browse")
def show_presale(presale: str) -> ResponseReturnValue:
    shown = queries.find(db.session(), presale)
    page_cache.tags(drafting.tag_of(presale), "stations", f"listing:{shown.listing}")
    return render_template("presales/show.html", shown=shown, card=shown.card, row=shown.row, states=telling.STATES)
