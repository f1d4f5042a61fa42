"""/seller/listings: a seller begins, pauses and offers again; reads what the station listed for them, and may object."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from listings import consenting, drafting, editing, offering, pictures
from listings.consenting import WAYS
from listings.forms import BeginForm, ObjectionForm
from listings.models import Consent, Listing
from listings.views import packs as pack_pages, steps
from listings.views.beginning import with_categories
from listings.views.consents import paper_of
from listings.views.frame import get_own, page, whose
from listings.views.sending import add_pictures, allow_pictures, sent
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal

bp = Blueprint("seller_listings", __name__, url_prefix="/seller/listings")
bp.url_value_preprocessor(allow_pictures(frozenset({"create_listing"}) | steps.TAKE_PICTURES | pack_pages.TAKE_PICTURES))
steps.add_to(bp, "listing.keep")
pack_pages.add_to(bp, "listing.keep")


@bp.errorhandler(RequestEntityTooLarge)
@requires("listing.keep")
def show_too_much(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """The page it was sent from, which says so; nothing of it was read."""
    if request.view_args:
        return steps.show_too_much(error)
    said = [str(pictures.TooMuchAtOnce.message)]
    return page("seller/begin.html", 413, form=with_categories(BeginForm()), said=said)


@bp.get("/new")
@requires("listing.keep")
def show_beginning() -> ResponseReturnValue:
    return page("seller/begin.html", form=with_categories(BeginForm()))


@bp.post("")
@requires("listing.keep")
def create_listing() -> ResponseReturnValue:
    """Step 1: what it is, and its first pictures. A picture that is refused does not lose the rest."""
    form = with_categories(BeginForm(request.form))
    if not form.validate():
        return page("seller/begin.html", 422, form=form)
    idempotency_ = form.idempotency(f"person:{g.person.id}:listing")
    begun = {"person_id": g.person.id, "category": str(form.category.data)}
    code = in_transaction(idempotency.once, drafting.begin, idempotency=idempotency_, **begun)
    listing = get_own(code)
    said = add_pictures(editing.add_picture, whose(listing), str(form.idempotency_key.data))
    if said:
        return steps.pictures_page(get_own(code), said, 422)
    return redirect(url_for(".show_details" if sent("pictures") else ".show_pictures", code=code), 303)


@bp.post("/<code>/<any(pause, resumption):step>")
@requires("listing.keep")
def create_step(code: str, step: str) -> ResponseReturnValue:
    command = {"pause": offering.pause, "resumption": offering.resume}[step]
    try:
        in_transaction(command, code=code, person_id=g.person.id)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect("/seller", 303)


@bp.get("/<code>/consent")
@requires("listing.keep")
def show_consent(code: str) -> ResponseReturnValue:
    """What the station wrote down of one's word, and the way to take it back."""
    return consent_page(get_own(code), ObjectionForm())


def consent_page(listing: Listing, form: ObjectionForm, status: int = 200) -> ResponseReturnValue:
    consent, clerk = consent_of(listing)
    shown: dict[str, Any] = {"consent": consent, "clerk": clerk, "way": WAYS[consent.way], "form": form}
    return page("seller/consent.html", status, listing=listing, **shown)


@bp.get("/<code>/consent/paper")
@requires("listing.keep")
def show_consent_paper(code: str) -> ResponseReturnValue:
    return paper_of(consent_of(get_own(code))[0])


@bp.post("/<code>/consent/objection")
@requires("listing.keep")
def create_objection(code: str) -> ResponseReturnValue:
    form = ObjectionForm(request.form)
    if not form.validate():
        return consent_page(get_own(code), form, 422)
    in_transaction(consenting.withdraw, code=code, person_id=g.person.id, reason=str(form.reason.data or ""))
    flash(_("Taken back. It is not for sale now, and the station can no longer write to it."), "done")
    return redirect(url_for(".show_consent", code=code), 303)


def consent_of(listing: Listing) -> tuple[Consent, str]:
    """Raises NotFound for what was listed by its seller."""
    found = consenting.of_listing(db.session(), listing.id)
    if found is None:
        raise NotFound(listing.code)
    return found
