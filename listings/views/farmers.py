"""/station/sellers: a clerk lists for a farmer of the station who has agreed, in the three steps of the farmer's own."""

from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from listings import consenting, editing, pictures
from listings.consenting import WAYS
from listings.forms import ConsentForm
from listings.views import packs as pack_pages, steps
from listings.views.beginning import with_categories
from listings.views.consents import paper_of
from listings.views.frame import get_own, page, whose
from listings.views.sending import add_pictures, allow_pictures, made_of, sent
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy
from marketplace.core.settings import settings
from marketplace.stations.models import Seller, Station

ACTION = "listing.keep_for_farmer"
bp = Blueprint("farmer_listings", __name__, url_prefix="/station/drafts")
sellers_bp = Blueprint("station_sellers", __name__, url_prefix="/station/sellers")
bp.url_value_preprocessor(allow_pictures(steps.TAKE_PICTURES | pack_pages.TAKE_PICTURES))
sellers_bp.url_value_preprocessor(allow_pictures(frozenset({"create_listing"})))
steps.add_to(bp, ACTION)
pack_pages.add_to(bp, ACTION)


@sellers_bp.errorhandler(RequestEntityTooLarge)
@requires(ACTION)
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    seller = str((request.view_args or {})["seller"])
    return beginning_page(seller, with_categories(ConsentForm()), 413, (pictures.TooMuchAtOnce.message,))


@sellers_bp.get("")
@requires(ACTION)
def list_sellers() -> ResponseReturnValue:
    typed = str(tidy(request.args.get("q", "")))[:40]
    session = db.session()
    listed = consenting.listed_for_farmers(session, g.station)
    farmers = consenting.farmers(session, g.station, typed)
    return page("station/sellers.html", farmers=farmers, typed=typed, listed=listed, ways=WAYS)


@sellers_bp.get("/<seller>/listings/new")
@requires(ACTION)
def show_beginning(seller: str) -> ResponseReturnValue:
    return beginning_page(seller, with_categories(ConsentForm()))


@sellers_bp.post("/<seller>/listings")
@requires(ACTION)
def create_listing(seller: str) -> ResponseReturnValue:
    """Their word and its paper first; then the same as for a seller."""
    farmer = consenting.get_farmer(db.session(), seller, g.station)
    form = with_categories(ConsentForm(request.form))
    if not form.validate():
        return beginning_page(seller, form, 422)
    papers = sent("paper")
    try:
        digest = made_of(papers[0], settings().private_media_folder)["digest"] if papers else None
        given = {"way": form.way.data, "words": words_of(farmer), "picture_digest": digest}
        begun = {"seller": seller, "station": g.station, "clerk_id": g.person.id, "category": form.category.data, **given}
        once = form.idempotency(f"person:{g.person.id}:farmer:{seller}")
        code = in_transaction(idempotency.once, consenting.begin_for, idempotency=once, **begun)
    except (pictures.UnusablePicture, consenting.NoPaper) as refusal:
        return beginning_page(seller, form, refusal.status, (refusal.message,))
    said = add_pictures(editing.add_picture, whose(get_own(code)), str(form.idempotency_key.data))
    there = "show_pictures" if said or not sent("pictures") else "show_details"
    return redirect(url_for(f"farmer_listings.{there}", code=code), 303)


def beginning_page(seller: str, form: ConsentForm, status: int = 200, wrong: tuple[Any, ...] = ()) -> ResponseReturnValue:
    """`wrong`: with the picture of the paper."""
    farmer = consenting.get_farmer(db.session(), seller, g.station)
    shown: dict[str, Any] = {"farmer": farmer, "seller": seller, "words": words_of(farmer), "form": form, "wrong": wrong}
    return page("station/seller_begin.html", status, **shown)


def words_of(farmer: Seller) -> str:
    """What is read to the farmer, and kept as it was read."""
    station = db.session.get_one(Station, g.station)
    return str(
        _(
            "I, %(farmer)s, agree that %(station)s lists this product for me. The price and the quantity are what I say. "
            "I can look at it, and take back my word at any time.",
            farmer=farmer.name_zh,
            station=station.name_zh,
        )
    )


@bp.get("/<code>/consent/paper")
@requires(ACTION)
def show_consent_paper(code: str) -> ResponseReturnValue:
    found = consenting.of_listing(db.session(), get_own(code).id)
    if found is None:
        raise NotFound(code)
    return paper_of(found[0])
