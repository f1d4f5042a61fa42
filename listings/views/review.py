"""/station/listings: the station looks at what its sellers want to offer."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from listings import drafting, reviewing
from listings.forms import ReasonForm, ReviewForm
from listings.models import Listing, Media, Variant
from listings.states import ListingState
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.stations.models import Station

bp = Blueprint("listing_review", __name__)
DECISIONS: Final = frozenset({"accept", "reject"})


@bp.get("/station/listings")
@requires("listing.review")
def list_waiting() -> ResponseReturnValue:
    return page("station/listings.html", rows=reviewing.waiting(db.session(), g.station))


@bp.get("/station/listings/<code>")
@requires("listing.review")
def show_listing(code: str) -> ResponseReturnValue:
    return review_page(code, ReviewForm())


def review_page(code: str, form: ReviewForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    listing = session.scalar(select(Listing).where(Listing.code == code, Listing.station_code == g.station))
    if listing is None or listing.state is ListingState.DRAFT:
        raise NotFound(code)
    packs = session.scalars(select(Variant).where(Variant.listing_id == listing.id).order_by(Variant.position)).all()
    media = session.scalars(select(Media).where(Media.listing_id == listing.id).order_by(Media.position)).all()
    around = drafting.neighbours_prices(session, listing.category_code)
    shown = {"listing": listing, "packs": packs, "media": media, "around": around, "form": form}
    return page("station/listing.html", status, **shown)


@bp.post("/station/listings/<code>/review")
@requires("listing.review")
def create_review(code: str) -> ResponseReturnValue:
    form = ReviewForm(request.form)
    if not form.validate():
        return review_page(code, form, 422)
    who: Any = {"code": code, "station": g.station, "reviewer_id": g.person.id}
    decision = request.form.get("decision")
    if decision not in DECISIONS:
        form.form_errors.append(_("Please choose one of these."))
        return review_page(code, form, 422)
    try:
        if decision == "accept":
            origin, goods, price = (bool(form[name].data) for name in ("origin_seen", "goods_seen", "price_sane"))
            in_transaction(reviewing.accept, **who, origin_seen=origin, goods_seen=goods, price_sane=price)
            flash(_("Published. Buyers find it within two seconds."), "done")
        elif not form.reason.data:
            form.reason.errors = [_("Say what needs changing. The seller will read it.")]
            return review_page(code, form, 422)
        else:
            in_transaction(reviewing.reject, **who, reason=str(form.reason.data))
            flash(_("Sent back to the seller."), "done")
    except reviewing.NotSeen as refusal:
        form.form_errors.append(refusal.message)
        return review_page(code, form, refusal.status)
    except (NotFound, reviewing.OwnListing):
        raise
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".list_waiting"), 303)


@bp.post("/operator/listings/<code>/suspension")
@requires("listing.suspend")
def create_suspension(code: str) -> ResponseReturnValue:
    return by_operator(code, reviewing.suspend)


@bp.post("/operator/listings/<code>/clearance")
@requires("listing.suspend")
def create_clearance(code: str) -> ResponseReturnValue:
    return by_operator(code, reviewing.clear)


@bp.get("/operator/listings/<code>")
@requires("listing.suspend")
def show_for_operator(code: str) -> ResponseReturnValue:
    return operator_page(code, ReasonForm())


def by_operator(code: str, command: Any) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return operator_page(code, form), 422
    try:
        in_transaction(command, code=code, actor=f"person:{g.person.id}", reason=str(form.reason.data))
        flash(_("Done."), "done")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_for_operator", code=code), 303)


def operator_page(code: str, form: ReasonForm) -> str:
    listing = db.session.scalar(select(Listing).where(Listing.code == code))
    if listing is None:
        raise NotFound(code)
    return render_template("seller/operator.html", listing=listing, form=form)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "listings", "waiting": 0, "today": clock.today()}
    return render_template(template, **common, **shown), status, {"Cache-Control": "no-store"}
