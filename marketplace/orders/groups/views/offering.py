"""What is offered to groups, by two doors: a seller's own, and the station's desk for a farmer who agreed."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select

from listings.models import Listing, Variant
from listings.views import frame
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, UnfitField
from marketplace.core.formats import language, yuan
from marketplace.core.forms import SelectChoice, tidy
from marketplace.orders.groups import offering, queries
from marketplace.orders.groups.forms import OfferForm
from marketplace.orders.groups.models import GroupOffer
from marketplace.orders.groups.offering import Keeper

DOORS: Final = (
    ("seller_groups", "/seller/group-offers", "listing.keep"),
    ("farmer_groups", "/station/group-offers", "listing.keep_for_farmer"),
)


def whose() -> ColumnElement[bool]:
    """The listings that whoever asks may write to."""
    return queries.by_word_of_farmers(g.station) if frame.is_at_desk() else Listing.seller_id == g.person.id


def show_offers() -> ResponseReturnValue:
    offers, groups = queries.kept_by(db.session(), whose())
    return frame.page("groups/offers.html", offers=offers, groups=groups, desk_current="groups")


def show_new() -> ResponseReturnValue:
    form = with_packs(OfferForm(data={"variant": request.args.get("variant", "")}))
    return form_page(form)


def create_offer() -> ResponseReturnValue:
    form = with_packs(OfferForm(request.form))
    if not form.validate():
        return form_page(form, 422)
    variant = str(form.variant.data)
    try:
        in_transaction(
            idempotency.once,
            offering.offer,
            idempotency=form.idempotency(f"group_offer:{g.person.id}"),
            variant=variant,
            terms=form.terms,
            keeper=keeper(db.session.scalar(select(Listing.code).join(Variant).where(Variant.code == variant)) or ""),
        )
    except UnfitField as refusal:
        form[refusal.field].errors = [refusal.message]
        return form_page(form, refusal.status)
    except (offering.AlreadyOffered, idempotency.KeyReused) as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for(".show_offers"), 303)
    flash(_("Offered. Buyers see it on the page of the goods."), "done")
    return redirect(url_for(".show_offers"), 303)


def create_end(offer: str) -> ResponseReturnValue:
    """Said twice, it is as if it had been said once."""
    code = db.session.scalar(select(GroupOffer.listing_code).where(GroupOffer.public_id == offer))
    if code is None:
        raise NotFound(offer)
    in_transaction(offering.end, offer=offer, keeper=keeper(code))
    flash(_("Ended. Groups that are open go on as they were promised."), "done")
    return redirect(url_for(".show_offers"), 303)


def keeper(listing: str) -> Keeper:
    """Who writes to this listing. Raises NotFound for another's."""
    found = frame.whose(frame.get_own(listing))
    return Keeper(found["person_id"], found.get("by"))


def with_packs(form: OfferForm) -> OfferForm:
    """The packs that are for sale and not offered to groups yet; the one that was sent may be, by the same form."""
    found = queries.packs_of(db.session(), whose(), or_code=tidy(request.form.get("variant", "")))
    form.variant.choices = [SelectChoice(row.code, words(row)) for row in found]
    return form


def words(row: Any) -> str:
    is_english = language() == "en"
    title = row.title_en if is_english and row.title_en else row.title_zh
    unit = row.unit_en if is_english and row.unit_en else row.unit_zh
    return f"{title} · {unit} · {yuan(row.price_fen)}"


def form_page(form: OfferForm, status: int = 200) -> ResponseReturnValue:
    return frame.page("groups/offer.html", status, form=form, desk_current="groups")


def door(name: str, prefix: str, action: str) -> Blueprint:
    blueprint = Blueprint(name, __name__, url_prefix=prefix)
    for rule, view, method in (
        ("", show_offers, "GET"),
        ("/new", show_new, "GET"),
        ("", create_offer, "POST"),
        ("/<offer>/end", create_end, "POST"),
    ):
        blueprint.add_url_rule(rule, view.__name__, requires(action)(view), methods=[method])
    return blueprint


BLUEPRINTS: Final = tuple(door(*each) for each in DOORS)
