"""A student's place for those who sponsor: seen, taken with a first monthly gift, changed for another in one step."""

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _

from crowdfund.campaigns import given, giving, queries
from crowdfund.campaigns.giving import NotOpen
from crowdfund.campaigns.plans import keeping, periods, queries as plan_queries
from crowdfund.campaigns.room import GoalReached, LessIsNeeded
from crowdfund.campaigns.states import PlaceState
from crowdfund.campaigns.students import choosing, queries as students, words
from crowdfund.campaigns.students.choosing import TakenAlready
from crowdfund.campaigns.students.forms import SponsorForm
from crowdfund.campaigns.views import plans
from crowdfund.campaigns.views.gifts import FROM_ONE_PLACE, is_recurring, lead_to_cashier
from crowdfund.campaigns.views.public import shared
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address, hit
from marketplace.core import clock, idempotency, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("students", __name__)


@bp.get("/campaigns/<campaign>/places/<place>")
@requires("gift.give")
def show_place(campaign: str, place: str) -> ResponseReturnValue:
    return page(campaign, place, SponsorForm(name=g.person.name if g.person else ""))


@bp.post("/campaigns/<campaign>/places/<place>")
@requires("gift.give")
def create_sponsorship(campaign: str, place: str) -> ResponseReturnValue:
    """The place is held for a day, until its first gift is paid."""
    form = SponsorForm(request.form)
    if not form.validate():
        return page(campaign, place, form, 422)
    hit("gift.from", address(), limit=FROM_ONE_PLACE, seconds=HOUR)
    person = g.person.id if g.person else None
    try:
        gift = in_transaction(
            idempotency.once,
            choosing.choose,
            idempotency=form.idempotency(f"place:{place}:{person or 'guest'}"),
            campaign=campaign,
            place=place,
            giver=form.giver(person, str(get_locale())),
        )
    except keeping.NoAddress as refusal:
        form.contact.errors = [str(refusal.message)]
        return page(campaign, place, form, refusal.status)
    except idempotency.KeyReused:
        form.idempotency_key.data = ids.public_id()
        form.form_errors.append(_("You already sent this form with different content. Press again to give once more."))
        return page(campaign, place, form, 409)
    except (TakenAlready, NotOpen, GoalReached, LessIsNeeded, keeping.EndsTooSoon) as refusal:
        form.form_errors.append(str(refusal.message))
        return page(campaign, place, form, refusal.status)
    return lead_to_cashier(given.find(db.session(), campaign, giving.link_token(gift)))


def page(campaign: str, place: str, form: SponsorForm, status: int = 200) -> ResponseReturnValue:
    card, _facts, organisation = queries.find(db.session(), campaign)
    shown = students.find(db.session(), campaign, place)
    is_free = card.is_open and shown.state is PlaceState.OFFERED
    told = {
        "card": card,
        "organisation": organisation,
        "place": shown,
        "form": form,
        "is_free": is_free,
        "stages": words.STAGES,
    }
    told |= {"next_on": periods.after(clock.today(), clock.today()), "is_recurring": is_recurring(), **shared(card.kind)}
    return render_template("campaigns/place.html", **told), status, NO_STORE


@bp.post("/gifts/plans/<token>/place")
@requires("plan.keep")
def create_move(token: str) -> ResponseReturnValue:
    """To another student of the same campaign; the former place is free at once."""
    plan = plan_queries.find(db.session(), token)
    form = plans.other_place(plan, request.form)
    if form is None or not form.validate():
        return plans.page(plan, plans.amount_form(plan), 422, other=form)
    try:
        in_transaction(choosing.move, plan=plan.id, place=str(form.place.data))
    except (TakenAlready, choosing.OtherCampaign) as refusal:
        form.place.errors = [str(refusal.message)]
        return plans.page(plan, plans.amount_form(plan), refusal.status, other=form)
    except Refusal as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Changed. From the next gift on you give for this student."), "done")
    return redirect(plan.url, 303)
