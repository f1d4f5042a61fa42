"""/groups: how far a group is, joining it, opening one. No account is needed; a place is an order like any other."""

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from markupsafe import Markup

from listings.stock import OutOfStock
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal, TooMany
from marketplace.core.settings import settings
from marketplace.orders import access
from marketplace.orders.carts import MOST_OF_ONE
from marketplace.orders.groups import joining, queries, telling
from marketplace.orders.groups.forms import PlaceForm
from marketplace.orders.groups.joining import GroupIsFull, GroupIsOver, NotOffered, Place, TooManyForOne
from marketplace.orders.groups.models import GroupBuy, GroupOffer
from marketplace.orders.groups.queries import Group, Offered
from marketplace.orders.groups.states import GroupState
from marketplace.orders.placing import OtherTotal
from marketplace.orders.quoting import Quote
from marketplace.orders.shipping import TooHeavy
from marketplace.orders.views.cart import owner
from marketplace.orders.views.checkout import (
    HOME_PROVINCE,
    choose_address,
    fill_in,
    known_addresses,
    lead_to_known,
    with_choices,
)
from marketplace.orders.views.payment import lead_to_cashier
from marketplace.payments.gateways import PaymentsClosed, current_book, gateways

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("groups", __name__)


@bp.get("/groups/<group>")
@requires("shop.browse")
def show_group(group: str) -> ResponseReturnValue:
    session = db.session()
    shown = queries.find(session, group)
    address = f"{settings().base_url.rstrip('/')}{url_for('.show_group', group=group)}"
    members = queries.members(session, group)
    offers = [] if shown.can_be_joined else queries.offers_of(session, shown.listing)
    code = drawn(address) if shown.can_be_joined else ""
    page = render_template("groups/show.html", group=shown, members=members, offers=offers, address=address, code=code)
    return page, 200, NO_STORE


def drawn(address: str) -> Markup:
    import segno  # for this page only; a web process does without

    return Markup(segno.make(address, error="m").svg_inline(omitsize=True, border=4))


@bp.get("/groups/<group>/members/new")
@requires("order.place")
def show_joining(group: str) -> ResponseReturnValue:
    row = get_group(group)
    shown = queries.find(db.session(), group)
    if not shown.can_be_joined:
        return redirect(url_for(".show_group", group=group))
    return place_page(row, shown, prefilled())


@bp.post("/groups/<group>/members")
@requires("order.place")
def create_member(group: str) -> ResponseReturnValue:
    row = get_group(group)
    shown = queries.find(db.session(), group)
    return create_place(row, shown, joining.join, group=group)


@bp.get("/group-offers/<offer>/groups/new")
@requires("order.place")
def show_opening(offer: str) -> ResponseReturnValue:
    row, shown = queries.find_offer(db.session(), offer)
    return place_page(row, shown, prefilled())


@bp.post("/group-offers/<offer>/groups")
@requires("order.place")
def create_group(offer: str) -> ResponseReturnValue:
    row, shown = queries.find_offer(db.session(), offer)
    return create_place(row, shown, joining.open_group, offer=offer)


def get_group(group: str) -> GroupBuy:
    """Raises NotFound."""
    return queries.get_row(db.session(), group)


def create_place(terms: GroupBuy | GroupOffer, shown: Group | Offered, command: Any, **which: str) -> ResponseReturnValue:
    form = with_choices(PlaceForm(request.form))
    if choose_address(form) or request.form.get("action") == "quote":  # the button that only reckons anew
        return place_page(terms, shown, form)
    form.needs_adult = quoted(terms, form).is_age_restricted
    if not form.validate():
        return place_page(terms, shown, form, 422)
    try:
        hit("order.from", where_from(), limit=300, seconds=HOUR)
        number = ordered(form, command, **which)
    except TooMany as refusal:
        form.form_errors.append(refusal.message)
        body, status, headers = place_page(terms, shown, form, refusal.status)
        return body, status, {**headers, "Retry-After": str(refusal.retry_after)}
    except (GroupIsOver, NotOffered) as refusal:
        flash(refusal.message, "failed")
        return redirect(where(shown), 303)
    except Refusal as refusal:
        return refused(terms, shown, form, refusal)
    access.remember(number, is_placed_here=True)
    return lead_to_cashier(number)


def refused(terms: GroupBuy | GroupOffer, shown: Group | Offered, form: PlaceForm, refusal: Refusal) -> ResponseReturnValue:
    """By the field that it is about, else above the form; what was sent before leads to what came of it."""
    if isinstance(refusal, idempotency.KeyReused):
        return lead_to_known(refusal)
    if isinstance(refusal, (GroupIsFull, TooManyForOne, OutOfStock)):
        form.packs.errors = [refusal.message]
    elif isinstance(refusal, (OtherTotal, TooHeavy, PaymentsClosed)):
        form.form_errors.append(refusal.message)
    else:
        raise refusal
    return place_page(terms, shown, form, refusal.status)


def where(shown: Group | Offered) -> str:
    """Back to what this is about."""
    if isinstance(shown, Group):
        return url_for(".show_group", group=shown.public_id)
    return f"/listings/{shown.listing}"


def ordered(form: PlaceForm, command: Any, **which: str) -> str:
    """The number of the order; the same for the same form sent again."""
    whose = owner()
    place = Place(
        packs=int(form.packs.data or 1),
        recipient=form.entered,
        is_pickup=bool(form.is_pickup.data),
        shown_total_fen=form.shown_total_fen,
        owner=whose,
        language=str(get_locale()),
    )
    kept: tuple[str, str, Any] = form.idempotency(f"{whose.scope}:{next(iter(which.values()))}")
    return in_transaction(idempotency.once, command, idempotency=kept, place=place, **which)


def prefilled() -> PlaceForm:
    """So many packs as the link says; with the address they used last for a person."""
    typed = request.args.get("packs", "1")
    packs = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < len(str(MOST_OF_ONE)) else 1
    form = with_choices(PlaceForm(data={"province": HOME_PROVINCE, "packs": max(1, packs)}))
    for last in known_addresses()[:1]:
        fill_in(form, last)
    return form


def quoted(terms: GroupBuy | GroupOffer, form: PlaceForm) -> Quote:
    packs = form.packs.data if isinstance(form.packs.data, int) else 1
    province = str(form.province.data or HOME_PROVINCE)
    asked: dict[str, Any] = {"packs": min(max(1, packs), terms.most_per_member), "is_pickup": bool(form.is_pickup.data)}
    found = joining.quote(db.session(), terms, province=province, **asked)
    tariff = found.parcels[0].tariff
    if tariff is not None and tariff.rates:
        return found
    return joining.quote(db.session(), terms, province=HOME_PROVINCE, **asked)


def place_page(
    terms: GroupBuy | GroupOffer, shown: Group | Offered, form: PlaceForm, status: int = 200
) -> tuple[str, int, dict[str, str]]:
    """With the sum as it is now, which is what the next press agrees to."""
    quote = quoted(terms, form)
    try:
        total, days = quote.total_fen, (quote.parcels[0].promised_by(clock.today()) - clock.today()).days
    except TooHeavy as refusal:
        if not form.packs.errors:
            form.packs.errors = [refusal.message]
        total, days = None, 0
    form.shown_total.data = "" if total is None else str(total)
    if isinstance(shown, Group):
        state, action = shown.state, url_for(".create_member", group=shown.public_id)
    else:
        state, action = GroupState.OPEN, url_for(".create_group", offer=shown.public_id)
    page = render_template(
        "groups/place.html",
        form=form,
        shown=shown,
        is_group=isinstance(shown, Group),
        quote=quote,
        parcel=quote.parcels[0],
        total=total,
        promise=telling.promise(state, days),
        is_complete=state is GroupState.REACHED,
        until=telling.deadline(terms.closes_at if isinstance(terms, GroupBuy) else joining.closes_at(terms)),
        action=action,
        unpaid=access.unpaid(db.session(), queries.places(terms)),
        back=where(shown),
        addresses=known_addresses(),
        cashier=gateways().chosen,
        book=current_book(),
    )
    return page, status, NO_STORE
