"""A place in a presale: taken, paid, followed, answered, given back. No account is needed."""

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _

from crowdfund.presales import backing, queries, returning, surveying, telling
from crowdfund.presales.backing import OtherPrice
from crowdfund.presales.forms import BackingForm, SurveyForm
from crowdfund.presales.places import FieldIsSold, NotOpen, TierIsFull
from crowdfund.presales.queries import Place
from marketplace.accounts import addresses
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import idempotency, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.formats import in_language
from marketplace.core.forms import SelectChoice
from marketplace.core.settings import settings
from marketplace.orders.views.checkout import HOME_PROVINCE, with_choices
from marketplace.payments import attempts
from marketplace.payments.gateways import GatewayError, PaymentsClosed, current_book
from marketplace.payments.states import OPEN, AttemptState, RefundState

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
FROM_ONE_PLACE: Final = 300  # an hour
UNSENT: Final = {AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.UNKNOWN}
ASKED_ABOUT: Final = OPEN - {AttemptState.REQUIRES_ACTION, AttemptState.CREATED}  # of the gateway: nothing to be pressed
LOOKS, SECONDS = 12, 2

bp = Blueprint("backings", __name__)


@bp.get("/presales/<presale>/backings/new")
@requires("presale.back")
def show_form(presale: str) -> ResponseReturnValue:
    person = db.session.get(Person, g.person.id) if g.person else None
    known = (person.phone or person.email or "") if person else ""
    return form_page(presale, BackingForm(data={"tier": request.args.get("tier", ""), "contact": known}))


@bp.post("/presales/<presale>/backings")
@requires("presale.back")
def create_backing(presale: str) -> ResponseReturnValue:
    form = BackingForm(request.form)
    if request.form.get("action") == "choose":  # another tier, another sum
        form.contact.validators = ()
        return form_page(presale, form)
    if not form.validate():
        return form_page(presale, form, 422)
    if not form.has_seen_sum:  # no tier was chosen yet, or another one: now they see what it costs
        return form_page(presale, form)
    try:
        hit("presale.from", where_from(), limit=FROM_ONE_PLACE, seconds=HOUR)
        made = begin(presale, form)
    except TierIsFull as refusal:
        form.tier.errors = [str(refusal.message)]
        return form_page(presale, form, refusal.status)
    except idempotency.KeyReused:
        form.idempotency_key.data = ids.public_id()
        form.form_errors.append(_("You already sent this form with different content. Press again for another place."))
        return form_page(presale, form, 409)
    except (FieldIsSold, NotOpen, OtherPrice, PaymentsClosed) as refusal:
        form.form_errors.append(str(refusal.message))
        return form_page(presale, form, refusal.status)
    return lead_to_cashier(queries.place(db.session(), presale, backing.link_token(made)))


def begin(presale: str, form: BackingForm) -> str:
    """The backing's id; the same for the same form sent again."""
    person = g.person.id if g.person else None
    return in_transaction(
        idempotency.once,
        backing.begin,
        idempotency=form.idempotency(f"backing:{presale}:{person or 'guest'}"),
        presale=presale,
        tier=str(form.tier.data),
        shown_fen=form.shown,
        backer=form.backer(person, str(get_locale())),
    )


def form_page(presale: str, form: BackingForm, status: int = 200) -> ResponseReturnValue:
    """With the price as it is now, which is what the next press agrees to."""
    shown = queries.find(db.session(), presale)
    if not shown.card.is_open or shown.is_stopped:
        return redirect(url_for("presales.show_presale", presale=presale), 303)
    open_tiers = [tier for tier in shown.tiers if tier.most_now > 0]
    form.tier.choices = [SelectChoice(tier.id, tier.title) for tier in open_tiers]
    chosen = next((tier for tier in open_tiers if tier.id == form.tier.data), None)
    form.shown_fen.data, form.shown_tier.data = (str(chosen.fen), chosen.id) if chosen else ("", "")
    told = {"shown": shown, "card": shown.card, "form": form, "tiers": open_tiers, "chosen": chosen}
    return render_template("presales/back.html", **told, book=current_book()), status, PRIVATE


def lead_to_cashier(place: Place) -> ResponseReturnValue:
    """On with the open attempt, or with a new one; errors lead to the place's page."""
    current = attempts.current(db.session(), purpose=backing.PURPOSE, reference=place.id)
    if current and current.state is AttemptState.REQUIRES_ACTION:
        return redirect(current.redirect_url, 303)
    if current and current.state not in UNSENT:
        return redirect(place.url, 303)
    try:
        attempt = current.public_id if current else in_transaction(backing.pay_again, backing=place.id)
        back = f"{settings().base_url.rstrip('/')}{place.url}?returned=1"
        return redirect(attempts.submit(attempt, return_url=back, description=place.title), 303)
    except attempts.AlreadyPaying as taken:
        return redirect(taken.redirect_url or place.url, 303)
    except (GatewayError, NotOpen) as refusal:
        flash(refusal.message, "failed")
    return redirect(place.url, 303)


@bp.get("/presales/<presale>/backings/<token>")
@requires("presale.follow")
def show_backing(presale: str, token: str) -> ResponseReturnValue:
    return place_page(queries.place(db.session(), presale, token), None)


def place_page(place: Place, form: SurveyForm | None, status: int = 200) -> ResponseReturnValue:
    """While money is on its way the page looks again by itself."""
    session = db.session()
    headers, looked = dict(PRIVATE), looks()
    payment = queries.payment_of(session, place) if place.may_be_paid else None
    is_at_cashier = payment is AttemptState.REQUIRES_ACTION
    has_returned = is_at_cashier and 0 < looked <= LOOKS  # paid perhaps: the gateway's word may be on its way
    is_paying = payment in ASKED_ABOUT or has_returned
    if is_paying and 0 < looked <= LOOKS:
        headers["Refresh"] = f"{SECONDS}; url={place.url}?returned={looked + 1}"
    refunds = queries.refunds_of(session, place)
    back_fen = sum(refund.fen for refund in refunds if refund.state is not RefundState.FAILED)
    told = {
        "place": place,
        "row": place.row,
        "goes_back": back_fen >= place.row.fen,  # out of an order as well
        "is_paying": is_paying,
        "is_at_cashier": is_at_cashier,
        "has_failed": place.may_be_paid and attempts.last_failed(session, purpose=backing.PURPOSE, reference=place.id),
        "refunds": refunds,
        "form": survey(place, form) if place.is_asked else None,
        "states": telling.STATES,
    }
    return render_template("presales/place.html", **told), status, headers


def survey(place: Place, form: SurveyForm | None) -> SurveyForm:
    """Filled with what they said before, or with the address they used last."""
    if form is None:
        row, known = place.row, addresses.of_person(db.session(), g.person.id) if g.person else ()
        said = {"recipient": row.recipient, "phone": row.phone, "city": row.city, "street": row.street}
        said |= {"province": row.province_code, "variant": row.variant_code, "note": row.note}
        if row.answered_at is None and known:
            said |= {name: getattr(known[0], name) for name in ("recipient", "phone", "province", "city", "street")}
        form = SurveyForm(data={name: value for name, value in said.items() if value} or {"province": HOME_PROVINCE})
    packs = surveying.choices(db.session(), place.row.tier_id)
    form.variant.choices = [SelectChoice(pack.code, in_language(pack.unit_zh, pack.unit_en)) for pack in packs]
    form.variant.data = form.variant.data or packs[0].code
    return with_choices(form)


@bp.post("/presales/<presale>/backings/<token>/payment")
@requires("presale.follow")
def create_payment(presale: str, token: str) -> ResponseReturnValue:
    return lead_to_cashier(queries.place(db.session(), presale, token))


@bp.post("/presales/<presale>/backings/<token>/address")
@requires("presale.follow")
def create_address(presale: str, token: str) -> ResponseReturnValue:
    place = queries.place(db.session(), presale, token)
    form = survey(place, SurveyForm(request.form))
    if not place.is_asked:
        flash(surveying.NothingAsked.message, "note")
        return redirect(place.url, 303)
    if not form.validate():
        return place_page(place, form, 422)
    try:
        in_transaction(surveying.answer, backing_id=place.id, recipient=form.whom, variant=str(form.variant.data))
        flash(_("Noted. You can change it until the station begins."), "done")
    except surveying.NothingAsked as refusal:
        flash(refusal.message, "note")
    return redirect(place.url, 303)


@bp.post("/presales/<presale>/backings/<token>/end")
@requires("presale.follow")
def create_end(presale: str, token: str) -> ResponseReturnValue:
    """The place is given up; said twice, it is as if it had been said once."""
    place = queries.place(db.session(), presale, token)
    actor = f"person:{g.person.id}" if g.person else "guest"
    try:
        in_transaction(returning.leave, backing_id=place.id, actor=actor)
        flash(_("Given up. Your money goes back to where it came from."), "done")
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(place.url, 303)


@bp.get("/account/presales")
@requires("presale.list")
def list_backings() -> ResponseReturnValue:
    mine = queries.places_of_person(db.session(), g.person.id)
    return render_template("presales/mine.html", places=mine, states=telling.STATES), 200, PRIVATE


def looks() -> int:
    """How often the page has looked already whether the money has come; 0 for one that was opened later."""
    asked = request.args.get("returned", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 0
