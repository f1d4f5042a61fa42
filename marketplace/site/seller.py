"""/seller: what a seller is owed, what they have to bring, what they offer."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from listings import drafting
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.ledger import books
from marketplace.orders import queries
from marketplace.orders.states import ParcelState as S
from marketplace.stations.models import Seller, Station

TO_BRING = (S.AWAITING_ACCEPTANCE, S.ACCEPTED, S.COLLECTING)

bp = Blueprint("seller", __name__)


@bp.get("/seller")
@requires("listing.keep")
def show_seller() -> ResponseReturnValue:
    session = db.session()
    seller = session.get(Seller, g.person.id)
    book = "live" if settings().is_production else "test"
    body = render_template(
        "seller/home.html",
        seller=seller,
        station=session.get(Station, seller.station_code) if seller else None,
        listings=drafting.of_seller(session, g.person.id),
        to_bring=queries.for_seller(session, g.person.public_id, states=TO_BRING),
        held_fen=-books.balance(session, "seller_held", g.person.public_id, book=book),
        payable_fen=-books.balance(session, "seller_payable", g.person.public_id, book=book),
    )
    return body, 200, {"Cache-Control": "no-store"}
