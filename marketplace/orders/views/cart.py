"""/cart: what is in it, by station; setting a quantity, taking something out."""

from typing import Any, Final

from flask import Blueprint, Flask, Response, flash, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import offers
from listings.offers import Offer
from marketplace.accounts.permissions import requires
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings
from marketplace.orders import access, carts, trouble
from marketplace.orders.carts import CartOwner
from marketplace.orders.estimates import arriving, destinations
from marketplace.orders.forms import ItemForm
from marketplace.orders.quoting import Quote, quote

COOKIE: Final = "cart"
TAKEN_OUT: Final = "taken_out"
KEPT_SECONDS: Final = 60 * 24 * 3600

bp = Blueprint("cart", __name__)


def install(app: Flask) -> None:
    app.register_blueprint(bp)
    app.jinja_env.globals["cart_count"] = cart_count


def owner() -> CartOwner:
    return CartOwner(g.person.id if g.get("person") else None, request.cookies.get(COOKIE))


def cart_count() -> int:
    """Packs in this visitor's cart; 0, without a statement, for a stranger who has none."""
    whose = owner()
    return carts.count(db.session(), whose) if whose.person_id is not None or whose.token else 0


def current_quote() -> Quote:
    contents = carts.contents(db.session(), owner())
    return quote(contents, offers.find(db.session(), [variant for variant, _quantity, _seen in contents]))


@bp.get("/cart")
@requires("cart.keep")
def show_cart() -> ResponseReturnValue:
    return cart_page()


def cart_page(refused: ItemForm | None = None, newcomer: Offer | None = None) -> Response:
    """`refused`: a quantity that cannot be; it stands at its line, or with the `newcomer`, which has none yet."""
    shown: dict[str, Any] = {"quote": current_quote(), "refused": refused, "explain": trouble.explain}
    in_cart = {line.offer.variant for line in shown["quote"].lines}
    shown["newcomer"] = newcomer if newcomer and newcomer.variant not in in_cart else None
    shown["unpaid"] = () if in_cart else access.unpaid(db.session())
    shown["to"] = to = destinations.current(db.session())
    shown["sent"] = arriving.of_cart(db.session(), shown["quote"], to.code) if to.is_chosen else ()
    shown["sending_fen"] = arriving.total_fen(shown["sent"])
    shown["taken_out"] = session.pop(TAKEN_OUT, None)  # offered once: a page that is loaded again says it no more
    answer = make_response(render_template("orders/cart.html", **shown))
    answer.headers["Cache-Control"] = "no-store"
    return destinations.remember(answer, to)


@bp.post("/cart/items")
@requires("cart.keep")
def create_item() -> ResponseReturnValue:
    """Set how many of a pack are in the cart; a stranger without a cart gets one."""
    form = ItemForm(request.form)
    if not form.validate():
        return refuse_item(form)
    whose = owner()
    token = None
    if whose.person_id is None and not whose.token:
        token = ids.secret_token()
        whose = CartOwner(None, token)
    try:
        put = in_transaction(carts.put, owner=whose, variant=str(form.variant.data), quantity=int(form.quantity.data or 1))
    except NotFound:
        return say_it_is_gone()
    if put != form.quantity.data:
        flash(_("The minimum is %(number)s packs, so that many are in the cart.", number=put), "note")
    answer = make_response(redirect(onward(form), 303))
    if token:
        is_secure = settings().is_production
        answer.set_cookie(COOKIE, token, max_age=KEPT_SECONDS, httponly=True, samesite="Lax", secure=is_secure)
    return answer


def refuse_item(form: ItemForm) -> ResponseReturnValue:
    """The cart again, with what was typed and what is wrong with it."""
    variant = str(form.variant.data or "")
    offer = offers.find(db.session(), [variant]).get(variant)
    if variant and (offer is None or not offer.is_published):
        return say_it_is_gone()
    form.quantity.id = f"quantity-{variant}"
    if form.quantity.errors:
        form.quantity.errors = [_("Enter a whole number from 1 to %(most)s.", most=carts.MOST_OF_ONE)]
    return cart_page(form, offer), 422


def say_it_is_gone() -> ResponseReturnValue:
    flash(_("This is no longer for sale."), "failed")
    return redirect(url_for(".show_cart"), 303)


def onward(form: ItemForm) -> str:
    if form.action.data == "buy":
        return url_for("checkout.show_checkout")
    if form.action.data == "add":
        flash(_("Added to the cart."), "done")
    return url_for(".show_cart")


@bp.post("/cart/items/<variant>/removal")
@requires("cart.keep")
def create_removal(variant: str) -> ResponseReturnValue:
    """Take a pack out; the strip that says so can put it back."""
    quantity = in_transaction(carts.remove, owner=owner(), variant=variant)
    if quantity:
        session[TAKEN_OUT] = (variant, quantity)
    return redirect(url_for(".show_cart"), 303)
