"""From a picture to the station in three steps, each a page that works without script: 1 pictures, 2 details, 3 preview.

The same pages for a draft, which is written at once, and for what is for sale, where they make an edit that waits."""

from typing import Any, Final

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from listings import certificates, differences, drafting, editing, offering, own, packs, pictures, reviewing, revising
from listings.drafting import EDITABLE, Details
from listings.forms import ContentForm, DetailsForm, DraftForm, grams_of
from listings.models import Listing, Media
from listings.states import REVISED, ListingState
from listings.stock import OutOfStock
from listings.views.beginning import with_categories
from listings.views.frame import get_own, home, page, whose
from listings.views.sending import add_pictures
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.forms import KeyedForm

TAKE_PICTURES: Final = frozenset({"create_pictures"})
COLUMNS: Final = {
    "title": "title_zh",
    "title_en": "title_en",
    "story": "story_zh",
    "story_en": "story_en",
    "village": "origin_village_zh",
    "months": "harvest_months",
    "shelf_life": "shelf_life_days",
    "storage": "storage_zh",
}
"""The fields of the form of what it is, and what each becomes."""


def add_to(bp: Blueprint, action: str) -> None:
    """Open these pages under a blueprint, to whoever may do `action`."""
    rules = {
        "/<code>/pictures": (show_pictures, create_pictures),
        "/<code>/pictures/<media>/removal": (create_picture_removal,),
        "/<code>/details": (show_details, create_details),
        "/<code>/preview": (show_preview,),
        "/<code>/edit/removal": (create_edit_removal,),
        "/<code>/submission": (create_submission,),
        "/<code>/removal": (create_removal,),
    }
    open_pages(bp, action, rules)
    bp.register_error_handler(RequestEntityTooLarge, requires(action)(show_too_much))


def open_pages(bp: Blueprint, action: str, rules: dict[str, Any]) -> None:
    """A function whose name begins with `show` answers GET, `create` POST; its name is its endpoint."""
    for rule, functions in rules.items():
        for function in functions:
            method = "GET" if function.__name__.startswith("show") else "POST"
            bp.add_url_rule(rule, function.__name__, requires(action)(function), methods=[method])


def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """The page it was sent from, which says so; nothing of it was read."""
    code = str((request.view_args or {})["code"])
    return pictures_page(get_own(code), [str(pictures.TooMuchAtOnce.message)], 413)


def show_pictures(code: str) -> ResponseReturnValue:
    return pictures_page(get_own(code))


def create_pictures(code: str) -> ResponseReturnValue:
    listing = get_own(code)
    said = add_pictures(editing.add_picture, whose(listing), str(KeyedForm(request.form).idempotency_key.data))
    if said:
        return pictures_page(get_own(code), said, 422)
    return redirect(url_for(".show_pictures", code=code), 303)


def create_picture_removal(code: str, media: str) -> ResponseReturnValue:
    in_transaction(editing.remove_picture, **whose(get_own(code)), media=media)
    return redirect(url_for(".show_pictures", code=code), 303)


def pictures_page(listing: Listing, said: list[str] | None = None, status: int = 200) -> ResponseReturnValue:
    shown = revising.proposed(db.session(), listing)["pictures"]
    most, form = pictures.MOST_OF_A_LISTING, KeyedForm()
    there = {"media": shown, "said": said or [], "most": most, "form": form, "edit": edit_of(listing)}
    return page("seller/pictures.html", status, listing=listing, **there)


def edit_of(listing: Listing) -> dict[str, Any] | None:
    """For what is for sale: that this makes an edit, and the one that waits already."""
    if listing.state not in REVISED:
        return None
    return {"waiting": revising.waiting(db.session(), listing.id), "is_suspended": listing.state is ListingState.SUSPENDED}


def show_details(code: str) -> ResponseReturnValue:
    listing = get_own(code)
    return details_page(listing, filled(listing))


def create_details(code: str) -> ResponseReturnValue:
    """Step 2: what is in it; of a draft also what its first pack costs."""
    listing = get_own(code)
    if listing.state in REVISED:
        return create_edit(listing)
    known = {"category": listing.category_code}  # a page from before this was asked sends none
    form = with_categories(DraftForm(request.form, data=known))
    is_whole = form.validate()
    if not is_whole and "later" in request.form:
        return keep_for_later(listing, form)
    if not is_whole:
        return details_page(listing, form, 422)
    try:
        in_transaction(drafting.describe, **whose(listing), details=details_of(form), category=form.category.data)
    except OutOfStock:
        form.stock.errors = [_("Some of these are in orders already, so there cannot be fewer.")]
        return details_page(listing, form, 422)
    return redirect(home() if "later" in request.form else url_for(".show_preview", code=code), 303)


def keep_for_later(listing: Listing, form: DraftForm) -> ResponseReturnValue:
    """What is right of an unfinished form stays in the draft; packs are kept whole or not at all."""
    kept = {column: form[field].data for field, column in COLUMNS.items() if form[field].data and not form[field].errors}
    category = None if form.category.errors else form.category.data
    in_transaction(drafting.redescribe, **whose(listing), content=kept, category=category)
    missing = _(", ").join(str(field.label.text).rstrip("。") for field in form if field.errors)
    flash(_("Kept for now. Still to fill in: %(fields)s", fields=missing), "note")
    return redirect(home(), 303)


def create_edit(listing: Listing) -> ResponseReturnValue:
    form, code = ContentForm(request.form), listing.code
    if not form.validate():
        return details_page(listing, form, 422)
    if in_transaction(drafting.redescribe, **whose(listing), content=content_of(form)):
        flash(kept_words(listing), "done")
    else:
        flash(_("Nothing differs from what is for sale, so there is nothing for the station to look at."), "note")
    return redirect(url_for(".show_preview", code=code), 303)


def kept_words(listing: Listing) -> str:
    """What is said of an edit that was kept."""
    if listing.state is ListingState.SUSPENDED:
        return str(_("Kept. The province sees it when you ask for a second look."))
    return str(_("Your station has this edit now. Buyers see the old version until it is accepted."))


def content_of(form: ContentForm) -> dict[str, Any]:
    entered = {column: form[field].data for field, column in COLUMNS.items()}
    not_sent = {column: "" for column, value in entered.items() if value is None and column != "shelf_life_days"}
    return entered | not_sent | {"harvest_months": sorted(set(form.months.data or ()))}


def details_of(form: DetailsForm) -> Details:
    pack = form.pack
    return Details(
        title=str(form.title.data),
        title_en=str(form.title_en.data or ""),
        story=str(form.story.data),
        story_en=str(form.story_en.data or ""),
        village=str(form.village.data),
        harvest_months=tuple(form.months.data or ()),
        shelf_life_days=form.shelf_life.data,
        storage=str(form.storage.data or ""),
        unit=pack.unit,
        net_weight_grams=pack.net_weight_grams,
        price_fen=pack.price_fen,
        stock=pack.stock,
        minimum_quantity=pack.minimum_quantity,
        tiers=pack.tiers,
    )


def filled(listing: Listing) -> ContentForm:
    """The form as the draft stands; of what is for sale, with what waits."""
    content = revising.proposed(db.session(), listing)
    data = {field: content[column] for field, column in COLUMNS.items()}
    if listing.state in REVISED:
        return ContentForm(data=data)
    form = with_categories(DraftForm(data=data | {"category": listing.category_code}))
    if variant := packs.first(db.session(), listing.id):
        form.unit.data, form.stock.data = variant.unit_zh, variant.on_hand
        if grams_of(variant.unit_zh) is None:
            form.weight.data = variant.net_weight_grams
        tiers = [(tier.from_quantity, tier.price_fen) for tier in packs.tiers_of(db.session(), variant.id)]
        form.show_terms(variant.price_fen, variant.minimum_quantity, tiers)
    return form


def details_page(listing: Listing, form: ContentForm, status: int = 200) -> ResponseReturnValue:
    session, edit = db.session(), edit_of(listing)
    around = own.neighbours_prices(session, listing.category_code)
    reason = last_reason(listing)
    shown: dict[str, Any] = {"form": form, "around": around, "reason": reason, "edit": edit}
    shown |= {"packs": packs.of_listing(session, listing.id), "papers": certificates.of_listing(session, listing.id)}
    return page("seller/details.html", status, listing=listing, **shown)


def last_reason(listing: Listing) -> str:
    """Why the station sent it back, or its last edit."""
    if listing.state not in REVISED:
        return reviewing.last_reason(db.session(), listing.id)
    latest = revising.latest(db.session(), listing.id)
    return latest.reason if latest else ""


def show_preview(code: str) -> ResponseReturnValue:
    """Step 3: the card as buyers will see it; of what is for sale, what will differ."""
    listing, session = get_own(code), db.session()
    there = packs.of_listing(session, listing.id)
    if not there:
        return redirect(url_for(".show_details", code=code))
    content = revising.proposed(session, listing)
    edit = revising.waiting(session, listing.id) if listing.state in REVISED else None
    shown: dict[str, Any] = {"content": content, "packs": there, "may_submit": listing.state in EDITABLE}
    shown |= {"edit": edit, "differences": differences.of(edit.before, edit.after) if edit else []}
    shown |= {"reason": last_reason(listing), "kind": own.kind_of(session, listing)}
    return page("seller/preview.html", listing=listing, media=first_picture(content["pictures"]), **shown)


def create_edit_removal(code: str) -> ResponseReturnValue:
    in_transaction(revising.withdraw, **whose(get_own(code)))
    flash(_("Taken back. What is for sale stays as it is."), "done")
    return redirect(home(), 303)


def first_picture(shown: list[str]) -> Media | None:
    return db.session.scalar(select(Media).where(Media.public_id == shown[0])) if shown else None


def create_submission(code: str) -> ResponseReturnValue:
    """May be sent twice, as bad networks do: by then the station may even have let it in."""
    try:
        in_transaction(drafting.submit, **whose(get_own(code)))
    except drafting.NotEditable as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Your station has it now. You will hear from them."), "done")
    return redirect(home(), 303)


def create_removal(code: str) -> ResponseReturnValue:
    try:
        in_transaction(offering.archive, **whose(get_own(code)))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(home(), 303)
