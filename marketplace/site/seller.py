"""/seller: what a seller is owed, what they have to bring, what runs low, what they offer."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from listings import own
from listings.questions import queries as question_queries
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.formats import in_language
from marketplace.ledger import books
from marketplace.orders import bringing
from marketplace.orders.batches import expected
from marketplace.payments.gateways import current_book
from marketplace.stations.models import Seller

bp = Blueprint("seller", __name__)


@bp.get("/seller")
@requires("listing.keep")
def show_seller() -> ResponseReturnValue:
    session, book = db.session(), current_book()
    lines = bringing.lines(session, g.person.public_id)
    body = render_template(
        "seller/home.html",
        seller=session.get(Seller, g.person.id),
        listings=own.of_seller(session, g.person.id),
        low=own.running_low(session, g.person.id),
        to_bring=len(lines),
        questions=question_queries.count_unanswered(session, seller_id=g.person.id),
        days=bringing.by_day(lines),
        held_fen=-books.balance(session, "seller_held", g.person.public_id, book=book),
        payable_fen=-books.balance(session, "seller_payable", g.person.public_id, book=book),
        payment=expected.newest(session, g.person.public_id, book=book),
        settles_on=expected.next_settled(session, g.person.public_id, book=book),
    )
    return body, 200, {"Cache-Control": "no-store"}


@bp.get("/seller/orders")
@requires("order.prepare")
def show_orders() -> ResponseReturnValue:
    """To be printed and taken along: own lines only, neither buyers nor prices."""
    session = db.session()
    lines = bringing.lines(session, g.person.public_id)
    seller = session.get(Seller, g.person.id)
    body = render_template(
        "seller/orders.html",
        stations=bringing.by_station(lines),
        is_more=len(lines) == bringing.LONGEST,
        seller_name=in_language(seller.name_zh, seller.name_en) if seller else g.person.name,
        today=clock.today(),
    )
    return body, 200, {"Cache-Control": "no-store"}
