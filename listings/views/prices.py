"""/seller/listings/prices: all that a seller has for sale in one list, two fields a row, one button for all rows."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, ngettext

from listings import drafting
from listings.forms import PriceAndStockForm
from listings.states import ListingState
from listings.stock import OutOfStock
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction

bp = Blueprint("seller_prices", __name__, url_prefix="/seller/listings/prices")


@dataclass
class PriceRow:
    """A listing, its two fields, and what became of them: saved, left alone, or wrong (then the fields say why)."""

    listing: Any
    form: PriceAndStockForm
    is_saved: bool = False


@bp.get("")
@requires("listing.keep")
def show_prices() -> ResponseReturnValue:
    saved = set(request.args.getlist("saved"))
    rows = [PriceRow(each, as_it_is(each), each.code in saved) for each in for_sale()]
    return render_template("seller/prices.html", rows=rows)


@bp.post("")
@requires("listing.keep")
def create_prices() -> ResponseReturnValue:
    """At once, without a review; each row by itself, so that a wrong one keeps no other back."""
    rows = [PriceRow(each, PriceAndStockForm(request.form, prefix=each.code)) for each in for_sale() if was_sent(each)]
    for row in rows:
        keep(row)
    saved = [row.listing.code for row in rows if row.is_saved]
    if any(row.form.errors for row in rows):
        return render_template("seller/prices.html", rows=rows), 422
    said = ngettext("One row is saved.", "%(num)d rows are saved.", len(saved)) if saved else _("Nothing was changed.")
    flash(said, "done" if saved else "note")
    return redirect(url_for(".show_prices", saved=saved), 303)


def keep(row: PriceRow) -> None:
    """Save one row whole, or say at it why not."""
    form = row.form
    if not form.validate():
        return
    given: Any = {"price_fen": form.price.fen, "on_hand": form.stock.data, "seen_on_hand": form.seen_stock.data}
    try:
        row.is_saved = in_transaction(drafting.change_price_and_stock, code=row.listing.code, person_id=g.person.id, **given)
    except OutOfStock:
        form.stock.errors = [_("Some of these are in orders already, so there cannot be fewer.")]
    except drafting.StockMoved as moved:
        form.stock.errors = [
            _("Stock has moved meanwhile: there are %(number)s now. Please check again.", number=moved.on_hand)
        ]
        look_again(form, moved.on_hand)
    else:
        look_again(form, form.stock.data or 0)


def look_again(form: PriceAndStockForm, on_hand: int) -> None:
    """The page that goes out now shows this stock; a field would rather repeat what was sent."""
    form.seen_stock.data, form.seen_stock.raw_data = on_hand, [str(on_hand)]


def for_sale() -> list[Any]:
    kept = (ListingState.PUBLISHED, ListingState.PAUSED)
    return [row for row in drafting.of_seller(db.session(), g.person.id) if row.state in kept]


def as_it_is(listing: Any) -> PriceAndStockForm:
    form = PriceAndStockForm(prefix=listing.code, data={"stock": listing.on_hand, "seen_stock": listing.on_hand})
    form.price.show(listing.price_fen)
    return form


def was_sent(listing: Any) -> bool:
    """A page that was opened before this listing was offered knows nothing of it."""
    return f"{listing.code}-price" in request.form
