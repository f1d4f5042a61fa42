"""/seller/listings/prices: all that a seller has for sale in one list, two fields a pack, one button for all of them."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, ngettext
from wtforms import IntegerField

from listings import offering, own
from listings.forms import OfferForm, PriceAndStockForm
from listings.own import Kept
from listings.states import ListingState
from listings.stock import OutOfStock
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.formats import yuan

bp = Blueprint("seller_prices", __name__, url_prefix="/seller/listings/prices")


@dataclass
class PackRow:
    """A pack, its two fields, and what became of them: saved, left alone, or wrong (then the fields say why)."""

    pack: Any
    form: PriceAndStockForm
    is_saved: bool = False


@dataclass
class ListingRow:
    """A listing with its packs; ticked, it is for sale. `said` is why it could not be paused or offered again."""

    listing: Kept
    offer: OfferForm
    packs: list[PackRow]
    is_saved: bool = False
    said: str = ""

    @property
    def saved(self) -> list[str]:
        """The codes of what was saved."""
        return [self.listing.code] * self.is_saved + [row.pack.pack for row in self.packs if row.is_saved]


@bp.get("")
@requires("listing.keep")
def show_prices() -> ResponseReturnValue:
    saved = set(request.args.getlist("saved"))
    rows = [
        ListingRow(
            each,
            offer_as_it_is(each),
            [PackRow(pack, as_it_is(pack), pack.pack in saved) for pack in each.packs],
            each.code in saved,
        )
        for each in own.for_sale(db.session(), g.person.id)
    ]
    return render_template("seller/prices.html", rows=rows)


@bp.post("")
@requires("listing.keep")
def create_prices() -> ResponseReturnValue:
    """At once, without a review; each row by itself, so that a wrong one keeps no other back."""
    rows = [as_sent(each) for each in own.for_sale(db.session(), g.person.id)]
    for row in rows:
        for pack in row.packs:
            keep(row.listing.code, pack)
        keep_offer(row)
    saved = [code for row in rows for code in row.saved]
    if any(row.said or any(pack.form.errors for pack in row.packs) for row in rows):
        return render_template("seller/prices.html", rows=[row for row in rows if row.packs]), 422
    said = ngettext("One row is saved.", "%(num)d rows are saved.", len(saved)) if saved else _("Nothing was changed.")
    flash(said, "done" if saved else "note")
    return redirect(url_for(".show_prices", saved=saved), 303)


def as_sent(listing: Kept) -> ListingRow:
    """With those of its packs that the page knew of: it may have been opened before another was offered."""
    there = [pack for pack in listing.packs if f"{pack.pack}-price" in request.form]
    forms = [PackRow(pack, PriceAndStockForm(request.form, prefix=pack.pack)) for pack in there]
    return ListingRow(listing, OfferForm(request.form, prefix=listing.code), forms)


def keep_offer(row: ListingRow) -> None:
    """Pause it or offer it again where the tick is another than the page showed."""
    wanted, shown = bool(row.offer.is_offered.data), row.offer.was_offered.data
    if shown not in {"yes", "no"} or wanted == (shown == "yes"):
        return
    given = {"code": row.listing.code, "person_id": g.person.id, "is_offered": wanted}
    try:
        row.is_saved = in_transaction(offering.set_offered, **given)
    except Refusal as refusal:
        row.said = str(refusal.message)


def keep(code: str, row: PackRow) -> None:
    """Save one row whole, or say at it why not."""
    form = row.form
    if not form.validate():
        return
    given: Any = {"price_fen": form.price.fen, "on_hand": form.stock.data, "seen_on_hand": form.seen_stock.data}
    given |= {"seen_price_fen": form.seen_price.data}
    given |= {"code": code, "pack": row.pack.pack, "person_id": g.person.id}
    try:
        row.is_saved = in_transaction(offering.change_price_and_stock, **given)
    except OutOfStock:
        form.stock.errors = [_("Some of these are in orders already, so there cannot be fewer.")]
    except offering.StockMoved as moved:
        form.stock.errors = [
            _("Stock has moved meanwhile: there are %(number)s now. Please check again.", number=moved.on_hand)
        ]
        look_again(form.seen_stock, moved.on_hand)
    except offering.PriceMoved as moved:
        form.price.errors = [
            _("The price was changed meanwhile: it is %(sum)s now. Please check again.", sum=yuan(moved.fen))
        ]
        look_again(form.seen_price, moved.fen)
    else:
        look_again(form.seen_stock, form.stock.data or 0)
        look_again(form.seen_price, form.price.fen or 0)


def look_again(field: IntegerField, now: int) -> None:
    """The page that goes out now shows this; a field would rather repeat what was sent."""
    field.data, field.raw_data = now, [str(now)]


def as_it_is(pack: Any) -> PriceAndStockForm:
    seen = {"seen_stock": pack.on_hand, "seen_price": pack.price_fen}
    form = PriceAndStockForm(prefix=pack.pack, data={"stock": pack.on_hand} | seen)
    form.price.show(pack.price_fen)
    return form


def offer_as_it_is(listing: Kept) -> OfferForm:
    is_offered = listing.state is ListingState.PUBLISHED
    return OfferForm(prefix=listing.code, data={"is_offered": is_offered, "was_offered": "yes" if is_offered else "no"})
