"""/seller/listings: three steps from a picture to the station, each a page that works without script."""

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from listings import drafting, pictures, reviewing
from listings.drafting import EDITABLE, Details
from listings.forms import BeginForm, DetailsForm, grams_of
from listings.models import Category, Listing, Media, PriceTier, Variant
from listings.stock import OutOfStock
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import language
from marketplace.core.forms import KeyedForm, SelectChoice

bp = Blueprint("seller_listings", __name__, url_prefix="/seller/listings")
TAKE_PICTURES: Final = frozenset({"seller_listings.create_listing", "seller_listings.create_pictures"})


@bp.url_value_preprocessor
def allow_pictures(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything reads the form: where pictures come, more may come at once (werkzeug keeps them on disk)."""
    if endpoint in TAKE_PICTURES:
        request.max_content_length = pictures.MOST_AT_ONCE


@bp.errorhandler(RequestEntityTooLarge)
@requires("listing.keep")
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """The page it was sent from, which says so; nothing of it was read."""
    said = [str(pictures.TooMuchAtOnce.message)]
    code = (request.view_args or {}).get("code")
    if code is None:
        return render_template("seller/begin.html", form=with_categories(BeginForm()), said=said), 413
    return pictures_page(get_own(code), said), 413


@bp.get("/new")
@requires("listing.keep")
def show_beginning() -> ResponseReturnValue:
    return render_template("seller/begin.html", form=with_categories(BeginForm()))


@bp.post("")
@requires("listing.keep")
def create_listing() -> ResponseReturnValue:
    """Step 1: what it is, and its first pictures. A picture that is refused does not lose the rest."""
    form = with_categories(BeginForm(request.form))
    if not form.validate():
        return render_template("seller/begin.html", form=form), 422
    idempotency_ = form.idempotency(f"person:{g.person.id}:listing")
    begun = {"person_id": g.person.id, "category": str(form.category.data)}
    code = in_transaction(idempotency.once, drafting.begin, idempotency=idempotency_, **begun)
    said = add_pictures(code, str(form.idempotency_key.data))
    if said:
        return pictures_page(get_own(code), said), 422
    has_pictures = any(sent.filename for sent in request.files.getlist("pictures"))  # a browser sends an empty one for none
    return redirect(url_for(".show_details" if has_pictures else ".show_pictures", code=code), 303)


@bp.get("/<code>/pictures")
@requires("listing.keep")
def show_pictures(code: str) -> ResponseReturnValue:
    return pictures_page(get_own(code))


@bp.post("/<code>/pictures")
@requires("listing.keep")
def create_pictures(code: str) -> ResponseReturnValue:
    get_own(code)
    said = add_pictures(code, str(KeyedForm(request.form).idempotency_key.data))
    if said:
        return pictures_page(get_own(code), said), 422
    return redirect(url_for(".show_pictures", code=code), 303)


@bp.post("/<code>/pictures/<media>/removal")
@requires("listing.keep")
def create_picture_removal(code: str, media: str) -> ResponseReturnValue:
    in_transaction(detach, code=code, person_id=g.person.id, media=media)
    return redirect(url_for(".show_pictures", code=code), 303)


def add_pictures(code: str, key: str) -> list[str]:
    """Keep those that can be kept; what was wrong with the others. Sent again under the same key, they are there once."""
    hit("pictures", g.person.public_id, limit=120, seconds=HOUR)
    said = []
    for place, sent in enumerate(request.files.getlist("pictures")):
        if not sent.filename:
            continue
        try:
            made = pictures.reencode(sent.stream.read(pictures.LARGEST + 1))
            once = (f"person:{g.person.id}:{code}", f"{key}:{place}", made["digest"])
            in_transaction(idempotency.once, attach, idempotency=once, code=code, person_id=g.person.id, made=made)
        except (pictures.UnusablePicture, pictures.TooManyPictures) as refusal:
            said.append(f"{sent.filename[:60]}: {refusal.message}")
        finally:
            sent.close()
    return said


def attach(session: Any, *, code: str, person_id: int, made: dict[str, Any]) -> str:
    listing = drafting.get_editable(session, code, person_id)
    pictures.attach(session, listing=listing, uploader_id=person_id, made=made)
    return code


def detach(session: Any, *, code: str, person_id: int, media: str) -> None:
    pictures.detach(session, listing=drafting.get_editable(session, code, person_id), media=media)


def pictures_page(listing: Listing, said: list[str] | None = None) -> str:
    shown = db.session.scalars(select(Media).where(Media.listing_id == listing.id).order_by(Media.position)).all()
    most = pictures.MOST_OF_A_LISTING
    form = KeyedForm()
    return render_template("seller/pictures.html", listing=listing, media=shown, said=said or [], most=most, form=form)


@bp.get("/<code>/details")
@requires("listing.keep")
def show_details(code: str) -> ResponseReturnValue:
    listing = get_own(code)
    return details_page(listing, filled(listing))


@bp.post("/<code>/details")
@requires("listing.keep")
def create_details(code: str) -> ResponseReturnValue:
    """Step 2: what is in it, what it costs."""
    listing = get_own(code)
    form = DetailsForm(request.form)
    if not form.validate():
        return details_page(listing, form), 422
    try:
        in_transaction(drafting.describe, code=code, person_id=g.person.id, details=details_of(form))
    except OutOfStock:
        form.stock.errors = [_("Some of these are in orders already, so there cannot be fewer.")]
        return details_page(listing, form), 422
    return redirect(url_for(".show_preview", code=code), 303)


def details_of(form: DetailsForm) -> Details:
    return Details(
        title=str(form.title.data),
        unit=str(form.unit.data),
        price_fen=form.price.fen or 0,
        stock=int(form.stock.data or 0),
        village=str(form.village.data),
        story=str(form.story.data),
        net_weight_grams=form.weight.data or grams_of(str(form.unit.data)) or 0,
        harvest_months=tuple(form.months.data or ()),
        tier_from=form.tier_from.data,
        tier_price_fen=form.tier_price.fen,
        shelf_life_days=form.shelf_life.data,
        storage=str(form.storage.data or ""),
    )


def filled(listing: Listing) -> DetailsForm:
    """The form as the draft stands."""
    data = {"title": listing.title_zh, "village": listing.origin_village_zh, "story": listing.story_zh}
    form = DetailsForm(data=data | {"months": listing.harvest_months, "storage": listing.storage_zh})
    form.shelf_life.data = listing.shelf_life_days
    variant = first_pack(listing)
    if variant:
        form.unit.data, form.stock.data = variant.unit_zh, variant.on_hand
        form.price.show(variant.price_fen)
        if grams_of(variant.unit_zh) is None:
            form.weight.data = variant.net_weight_grams
        tier = db.session.scalar(select(PriceTier).where(PriceTier.variant_id == variant.id))
        if tier:
            form.tier_from.data = tier.from_quantity
            form.tier_price.show(tier.price_fen)
    return form


def details_page(listing: Listing, form: DetailsForm) -> str:
    around = drafting.neighbours_prices(db.session(), listing.category_code)
    reason = reviewing.last_reason(db.session(), listing.id)
    return render_template("seller/details.html", listing=listing, form=form, around=around, reason=reason)


@bp.get("/<code>/preview")
@requires("listing.keep")
def show_preview(code: str) -> ResponseReturnValue:
    """Step 3: the card as buyers will see it."""
    listing = get_own(code)
    variant = first_pack(listing)
    if variant is None:
        return redirect(url_for(".show_details", code=code))
    media = db.session.scalars(select(Media).where(Media.listing_id == listing.id).order_by(Media.position)).all()
    may_submit = listing.state in EDITABLE
    return render_template("seller/preview.html", listing=listing, variant=variant, media=media, may_submit=may_submit)


@bp.post("/<code>/submission")
@requires("listing.keep")
def create_submission(code: str) -> ResponseReturnValue:
    """May be sent twice, as bad networks do: by then the station may even have let it in."""
    try:
        in_transaction(drafting.submit, code=code, person_id=g.person.id)
    except drafting.NotEditable as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Your station has it now. You will hear from them."), "done")
    return redirect("/seller", 303)


@bp.post("/<code>/<any(pause, resumption, removal):step>")
@requires("listing.keep")
def create_step(code: str, step: str) -> ResponseReturnValue:
    command = {"pause": drafting.pause, "resumption": drafting.resume, "removal": drafting.archive}[step]
    try:
        in_transaction(command, code=code, person_id=g.person.id)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect("/seller", 303)


def get_own(code: str) -> Listing:
    """For a page: one's own listing. Raises NotFound."""
    found = db.session.scalar(select(Listing).where(Listing.code == code, Listing.seller_id == g.person.id))
    if found is None:
        raise NotFound(code)
    return found


def first_pack(listing: Listing) -> Variant | None:
    packs = select(Variant).where(Variant.listing_id == listing.id).order_by(Variant.position)
    return db.session.scalars(packs).first()


def with_categories(form: BeginForm) -> BeginForm:
    """Second-level categories under the name of their parent."""
    names = (Category.name_zh, Category.name_en, Category.position)
    rows = db.session.execute(select(Category.code, Category.parent_code, *names).order_by(Category.position)).all()
    words = {row.code: row.name_en if language() == "en" else row.name_zh for row in rows}
    below = sorted((row for row in rows if row.parent_code), key=lambda row: place_of(rows, row.parent_code))
    form.category.choices = [SelectChoice(row.code, words[row.code], optgroup=words[row.parent_code]) for row in below]
    return form


def place_of(rows: Sequence[Any], code: str) -> int:
    return next(place for place, row in enumerate(rows) if row.code == code)
