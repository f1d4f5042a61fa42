"""/station/listings: the station looks at what its sellers want to offer."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from listings import certificates, consenting, differences, own, reviewing
from listings.forms import EditReviewForm, ReviewForm
from listings.models import Consent, Listing, Media, Revision, Variant
from listings.states import ListingState
from listings.views.consents import paper_of
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.forms import says_yes_and_why_not
from marketplace.stations.models import Station

bp = Blueprint("listing_review", __name__)
DECISIONS: Final = frozenset({"accept", "reject"})
LONGEST_ID: Final = 20  # digits; Python itself refuses to read very many


@bp.get("/station/listings")
@requires("listing.review")
def list_waiting() -> ResponseReturnValue:
    session = db.session()
    rows, edits = reviewing.waiting(session, g.station), reviewing.waiting_edits(session, g.station)
    return page("station/listings.html", rows=rows, edits=edits)


@bp.get("/station/listings/<code>")
@requires("listing.review")
def show_listing(code: str) -> ResponseReturnValue:
    return review_page(code, ReviewForm())


def review_page(code: str, form: ReviewForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    listing = session.scalar(select(Listing).where(Listing.code == code, Listing.station_code == g.station))
    if listing is None or listing.state is ListingState.DRAFT:
        raise NotFound(code)
    if form.version.data is None:
        form.version.data = listing.version
    packs = session.scalars(select(Variant).where(Variant.listing_id == listing.id).order_by(Variant.position)).all()
    media = session.scalars(select(Media).where(Media.listing_id == listing.id).order_by(Media.position)).all()
    around = own.neighbours_prices(session, listing.category_code)
    shown = {
        "kind": own.kind_of(session, listing),
        "listing": listing,
        "packs": packs,
        "media": media,
        "around": around,
        "form": form,
    }
    shown |= {"papers": certificates.of_listing(session, listing.id), "kinds": certificates.KINDS}
    shown |= {"consent": consenting.of_listing(session, listing.id), "ways": consenting.WAYS}
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
    if decision == "accept" and says_yes_and_why_not(form):
        return review_page(code, form, 422)
    try:
        if decision == "accept":
            origin, goods, price = (bool(form[name].data) for name in ("origin_seen", "goods_seen", "price_sane"))
            seen: Any = {"origin_seen": origin, "goods_seen": goods, "price_sane": price, "papers": papers_seen()}
            seen["version"] = form.version.data
            in_transaction(reviewing.accept, **who, **seen)
            flash(_("Published. Buyers find it within two seconds."), "done")
        elif not form.reason.data:
            form.reason.errors = [_("Say what needs changing. The seller will read it.")]
            return review_page(code, form, 422)
        else:
            in_transaction(reviewing.reject, **who, reason=str(form.reason.data))
            flash(_("Sent back to the seller."), "done")
    except (reviewing.NotSeen, reviewing.OwnEntry) as refusal:
        form.form_errors.append(refusal.message)
        return review_page(code, form, refusal.status)
    except (NotFound, reviewing.OwnListing):
        raise
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".list_waiting"), 303)


def papers_seen() -> set[int]:
    """The certificates, by id, that somebody says to have seen."""
    ticked = request.form.getlist("papers")
    return {int(each) for each in ticked if each.isascii() and each.isdigit() and len(each) < LONGEST_ID}


@bp.post("/station/listings/<code>/papers")
@requires("listing.review")
def create_papers(code: str) -> ResponseReturnValue:
    """Papers of what is for sale already, seen at the station now."""
    given: Any = {"code": code, "station": g.station, "reviewer_id": g.person.id, "papers": papers_seen()}
    number = in_transaction(reviewing.see_papers, **given)
    flash(_("Verified. Buyers see it at the product."), "done") if number else flash(_("Nothing was changed."), "note")
    return redirect(url_for(".show_listing", code=code), 303)


@bp.get("/station/edits/<edit>")
@requires("listing.review")
def show_edit(edit: str) -> ResponseReturnValue:
    return edit_page(edit)


def edit_page(edit: str, form: EditReviewForm | None = None, status: int = 200) -> ResponseReturnValue:
    """`form`: what was refused, with what was typed."""
    session = db.session()
    found = select(Revision, Listing).join(Listing, Listing.id == Revision.listing_id).where(Revision.public_id == edit)
    pair = session.execute(found.where(Listing.station_code == g.station)).first()
    if pair is None:
        raise NotFound(edit)
    row, listing = pair
    if form is None:
        form = EditReviewForm(data={"version": row.version})
    changed = differences.of(row.before, row.after)
    return page("station/edit.html", status, edit=row, listing=listing, differences=changed, form=form)


@bp.post("/station/edits/<edit>/review")
@requires("listing.review")
def create_edit_review(edit: str) -> ResponseReturnValue:
    form = EditReviewForm(request.form)
    decision = request.form.get("decision")
    is_valid = form.validate()
    if decision not in DECISIONS:
        form.form_errors.append(_("Please choose one of these."))
    if decision == "reject" and not form.reason.data:
        form.reason.errors = [_("Say what needs changing. The seller will read it.")]
    is_slip = decision == "accept" and says_yes_and_why_not(form)
    if not is_valid or is_slip or form.errors:
        return edit_page(edit, form, 422)
    who: Any = {"edit": edit, "station": g.station, "reviewer_id": g.person.id, "version": form.version.data}
    try:
        if decision == "accept":
            code = in_transaction(reviewing.accept_edit, **who)
            flash(_("Accepted. Buyers see the new version now."), "done")
            return redirect(url_for(".show_listing", code=code), 303)
        in_transaction(reviewing.reject_edit, **who, reason=str(form.reason.data))
        flash(_("Sent back to the seller."), "done")
    except reviewing.OwnEntry as refusal:
        form.form_errors.append(refusal.message)
        return edit_page(edit, form, refusal.status)
    except StaleState:
        flash(_("This edit was changed or decided meanwhile. Here it is as it stands now."), "note")
        return redirect(url_for(".show_edit", edit=edit), 303)
    return redirect(url_for(".list_waiting"), 303)


@bp.get("/station/listings/<code>/consent/paper")
@requires("listing.review")
def show_consent_paper(code: str) -> ResponseReturnValue:
    found = select(Consent).join(Listing, Listing.id == Consent.listing_id)
    consent = db.session.scalar(found.where(Listing.code == code, Listing.station_code == g.station))
    if consent is None:
        raise NotFound(code)
    return paper_of(consent)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "listings", "waiting": 0, "today": clock.today()}
    return render_template(template, **common, **shown), status, {"Cache-Control": "no-store"}
