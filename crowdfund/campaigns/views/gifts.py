"""Giving in three screens: the sum stands on the campaign's page, then who gives, then the cashier; and what came of it."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _, ngettext
from sqlalchemy.orm import Session

from crowdfund.campaigns import disputed, given, giving, queries, receipts
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.claims import claiming
from crowdfund.campaigns.forms import AmountForm, GiftForm
from crowdfund.campaigns.given import Given
from crowdfund.campaigns.giving import NotOpen
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.matching import queries as matching_queries
from crowdfund.campaigns.plans import keeping, periods, queries as plan_queries
from crowdfund.campaigns.room import GoalReached, LessIsNeeded
from crowdfund.campaigns.states import CampaignState, ContributionState
from crowdfund.campaigns.teams import queries as team_queries
from crowdfund.campaigns.teams.joining import TeamIsClosed
from crowdfund.campaigns.views import devices
from crowdfund.campaigns.views.public import is_monthly_possible, shared
from crowdfund.campaigns.whereabouts import queries as whereabouts
from marketplace.accounts.people import normalised
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit, is_beyond
from marketplace.core import clock, idempotency, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.payments import attempts
from marketplace.payments.disputes import standing
from marketplace.payments.gateways import GatewayError, chosen_gateway, gateways
from marketplace.payments.states import AttemptState

NO_STORE: Final = {"Cache-Control": "no-store"}
FROM_ONE_PLACE: Final = 3000  # an hour: a school hall gives from one address
CARDS_A_DAY: Final = 10  # to one address: no gift of a fen is a way to trouble somebody
LOOKS: Final = 12
SECONDS: Final = 2
UNSENT: Final = {AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.UNKNOWN}

bp = Blueprint("gifts", __name__)


@bp.get("/campaigns/<campaign>/gifts/new")
@requires("gift.give")
def show_form(campaign: str) -> ResponseReturnValue:
    """The second screen; a sum that cannot be given is said by its field. Nothing is wrong yet with having chosen none."""
    asked = AmountForm(request.args)
    is_valid = request.args.keys().isdisjoint({"amount", "choice"}) or asked.validate()
    form = GiftForm(name=g.person.name if g.person else "")
    form.amount.data = asked.amount.data
    form.team.data = request.args.get("team", "")[:64]
    for field, ticked in ((form.how_often, "monthly"), (form.anonymity, "anonymous")):  # on the campaign's page
        field.data = ticked if request.args.get(field.name) == ticked else field.data
    form.amount.errors = list(asked.amount.errors)
    return devices.named(page(campaign, form, 200 if is_valid else 422, fen=asked.amount.fen), campaign)


@bp.post("/campaigns/<campaign>/gifts")
@requires("gift.give")
def create_gift(campaign: str) -> ResponseReturnValue:
    form = GiftForm(request.form)
    if not form.validate():
        return page(campaign, form, 422, fen=form.amount.fen)
    if "change" in request.form:
        return page(campaign, form, 200, fen=None)
    if form.is_unusual:
        return ask_first(campaign, form)
    hit("gift.from", where_from(), limit=FROM_ONE_PLACE, seconds=HOUR)
    to_whom = normalised(str(form.card_contact.data or ""))
    if to_whom and is_beyond("gift.card", to_whom, limit=CARDS_A_DAY, seconds=24 * HOUR):
        form.card_contact.errors = [
            _("Enough cards went to this address today. Leave it empty, and pass the card on yourself.")
        ]
        return page(campaign, form, 429, fen=form.amount.fen)
    try:
        gift = begin(campaign, form)
    except keeping.NoAddress as refusal:
        form.contact.errors = [str(refusal.message)]
        return page(campaign, form, refusal.status, fen=form.amount.fen)
    except LessIsNeeded as refusal:
        form.amount.errors = [str(refusal.message)]
        return page(campaign, form, refusal.status, fen=None)
    except gate.GivenOnce as refusal:
        form.how_often.errors = [str(refusal.message)]
        return page(campaign, form, refusal.status, fen=form.amount.fen)
    except gate.NoCards as refusal:
        form.honoured.errors = [str(refusal.message)]
        return page(campaign, form, refusal.status, fen=form.amount.fen)
    except TeamIsClosed as refusal:
        form.team.data = ""
        form.form_errors.append(str(refusal.message))
        return page(campaign, form, refusal.status, fen=form.amount.fen)
    except (NotOpen, gate.NotInvited, GoalReached, keeping.EndsTooSoon) as refusal:
        form.form_errors.append(str(refusal.message))
        return page(campaign, form, refusal.status, fen=form.amount.fen)
    except idempotency.KeyReused:
        form.idempotency_key.data = ids.public_id()
        form.form_errors.append(_("You already sent this form with different content. Press again to give once more."))
        return page(campaign, form, 409, fen=form.amount.fen)
    return lead_to_cashier(given.find(db.session(), campaign, giving.link_token(gift)))


def ask_first(campaign: str, form: GiftForm) -> ResponseReturnValue:
    """A pause and a plain question before an unusually large gift; all that was typed is carried through it."""
    card, _facts, _organisation = queries.find(db.session(), campaign)
    if not card.is_open:
        return page(campaign, form, 409, fen=form.amount.fen)
    shown = {"card": card, "form": form, "fen": form.amount.fen, "is_monthly": form.is_monthly, **shared(card.kind)}
    shown |= {"title": card.title, "action": f"{card.url}/gifts"}
    form.sure_of.data = f"{form.how_often.data}:{form.amount.fen}"
    return render_template("campaigns/sure.html", **shown), 200, NO_STORE


def begin(campaign: str, form: GiftForm) -> str:
    """The gift's id; the same for the same form sent again."""
    person = g.person.id if g.person else None
    return in_transaction(
        idempotency.once,
        keeping.begin if form.is_monthly else giving.begin,
        idempotency=form.idempotency(f"gift:{campaign}:{person or 'guest'}"),
        campaign=campaign,
        amount=form.money,
        giver=replace(form.giver(person, str(get_locale())), origin=devices.origin()),
    )


def page(campaign: str, form: GiftForm, status: int, *, fen: int | None) -> ResponseReturnValue:
    """`fen` is the sum, once it is one: then it stands above the form, and only its page changes it."""
    card, _facts, organisation = queries.find(db.session(), campaign)
    if not card.is_open:
        return render_template("campaigns/closed.html", card=card, **shared(card.kind)), 409, NO_STORE
    shown = {"card": card, "organisation": organisation, "form": form, "fen": fen, **shared(card.kind)}
    shown["team"] = team_queries.find(db.session(), campaign, form.team.data) if form.team.data else None
    shown |= {"next_on": periods.after(clock.today(), clock.today()), "is_recurring": is_recurring()}
    shown["is_monthly_possible"] = is_monthly_possible(card)
    return render_template("campaigns/give.html", **shown), status, NO_STORE


def lead_to_cashier(gift: Given) -> ResponseReturnValue:
    """Go on with the open attempt or open a new one, and send the giver to the cashier; errors lead to the gift's page."""
    current = attempts.current(db.session(), purpose=gift.purpose, reference=gift.id)
    if current and current.state is AttemptState.REQUIRES_ACTION:
        return redirect(current.redirect_url, 303)
    if current and current.state not in UNSENT:
        return redirect(gift.url, 303)
    try:
        attempt = current.public_id if current else in_transaction(pay_again, gift=gift)
        back = f"{settings().base_url.rstrip('/')}{gift.url}?returned=1"
        asked = {"return_url": back, "description": gift.title}
        return redirect(attempts.submit(attempt, **asked, for_later=bool(gift.plan)), 303)
    except attempts.AlreadyPaying as taken:
        return redirect(taken.redirect_url or gift.url, 303)
    except (GatewayError, NotOpen, gate.NotInvited, GoalReached, LessIsNeeded) as refusal:
        flash(refusal.message, "failed")
    return redirect(gift.url, 303)


def is_recurring() -> bool:
    """Whether a card can be charged every month by itself."""
    return bool(gateways().chosen) and chosen_gateway().caps.recurring


def pay_again(session: Session, *, gift: Given) -> str:
    return giving.pay_again(session, gift=gift.id, purpose=gift.purpose)


@bp.get("/campaigns/<campaign>/gifts/<token>")
@requires("gift.follow")
def show_gift(campaign: str, token: str) -> ResponseReturnValue:
    """What came of it; while money or the ledger's seal are on their way, the page looks again by itself."""
    session = db.session()
    gift = given.find(session, campaign, token)
    attempt = given.attempt_of(session, gift)
    line = given.line_of(session, gift) if gift.state is ContributionState.RECEIVED else None
    is_waiting = gift.state is ContributionState.PENDING and given.is_open(attempt)
    looked = looks()
    receipt = receipts.of(session, contribution=gift.id)
    stayed = receipts.fen_that_stayed(session, gift.id) if line else 0
    is_gone = line is not None and receipt is None and stayed <= 0
    headers = dict(NO_STORE)
    if 0 < looked <= LOOKS and (is_waiting or (line is not None and not line.code)):
        headers["Refresh"] = f"{SECONDS}; url={gift.url}?returned={looked + 1}"
    shown = {
        "gift": gift,
        "line": line,
        "is_waiting": is_waiting and 0 < looked <= LOOKS,
        "is_at_cashier": attempt is AttemptState.REQUIRES_ACTION and gift.may_be_paid,
        "is_unknown": is_waiting and attempt in UNSENT,
        "has_failed": gift.state is ContributionState.PENDING and attempt is AttemptState.FAILED,
        "receipt": receipt,
        "is_gone": is_gone,
        "is_called_off": gift.campaign_state is CampaignState.CANCELLED,
        "is_taken": 0 < stayed < gift.fen and standing.is_lost(session, purpose=gift.purpose, reference=gift.id),
        "is_disputed": line is not None and disputed.is_open(session, contribution=gift.id),
        "stayed_fen": stayed,
        "is_recurring": is_recurring(),
        "may_waive": receipt is not None and receipts.has_own(session, contribution=gift.id),
        "is_waived": receipts.is_waived(session, contribution=gift.id),
        "plan": plan_queries.of_gift(session, gift.plan),
        "is_cash_back": drawers.is_given_back(session, gift.id),
        "card_url": dedicating.url_of(campaign, gift.id) if dedicating.of_gift(session, gift.id) else "",
        "added": matching_queries.of_gift(session, gift.id),
        "is_match_open": matching_queries.waits(session, gift.id),
        "whereabouts": whereabouts.of_gift(session, gift.id) if line else None,
        "refunds": given.refunds_of(session, gift),
        **shared(gift.campaign_kind),
    }
    return render_template("campaigns/gift.html", **shown), 200, headers


def looks() -> int:
    """How often the page has looked already whether the money has come; 0 for one that was opened later."""
    asked = request.args.get("returned", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 0


@bp.post("/campaigns/<campaign>/gifts/<token>/payment")
@requires("gift.follow")
def create_payment(campaign: str, token: str) -> ResponseReturnValue:
    """Try again: the gift stays the same."""
    return lead_to_cashier(given.find(db.session(), campaign, token))


@bp.post("/campaigns/<campaign>/gifts/<token>/waiver")
@requires("gift.follow")
def create_waiver(campaign: str, token: str) -> ResponseReturnValue:
    """The giver wants no receipt for it; that is kept on record, as the law wants."""
    gift = given.find(db.session(), campaign, token)
    try:
        in_transaction(receipts.waive, contribution=gift.id)
    except receipts.NothingToWaive as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Done. The receipt is given up, and that is on record."), "done")
    return redirect(gift.url, 303)


@bp.get("/account/gifts")
@requires("gift.list")
def list_gifts() -> ResponseReturnValue:
    session = db.session()
    mine: dict[str, Any] = {
        "waiting": claiming.waiting(session, g.person.id),
        "teams": team_queries.of_person(session, g.person.id),
    }
    mine |= {"gifts": given.of_person(session, g.person.id), "plans": plan_queries.of_person(session, g.person.id)}
    return render_template("campaigns/mine.html", **mine, current="", kinds={}), 200, NO_STORE


@bp.post("/account/gifts/claims")
@requires("gift.list")
def create_claim() -> ResponseReturnValue:
    """What was given as a guest with an address that this account has proved."""
    number = in_transaction(claiming.claim, person_id=g.person.id)
    done = ngettext("%(num)s gift is in your account now.", "%(num)s gifts are in your account now.", number)
    flash(done if number else _("There is nothing to add."), "done" if number else "note")
    return redirect(url_for(".list_gifts"), 303)
