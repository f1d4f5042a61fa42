"""A monthly gift's own page: what was given, when the next one is, and one tap to stop."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns.forms import PlanAmountForm
from crowdfund.campaigns.plans import keeping, queries
from crowdfund.campaigns.plans.queries import Shown
from crowdfund.campaigns.states import SponsorshipState
from crowdfund.campaigns.students import queries as students, words as student_words
from crowdfund.campaigns.students.forms import OtherPlaceForm
from crowdfund.campaigns.views.public import shared
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

bp = Blueprint("plans", __name__, url_prefix="/gifts/plans")


@bp.get("/<token>")
@requires("plan.keep")
def show_plan(token: str) -> ResponseReturnValue:
    plan = queries.find(db.session(), token)
    return page(plan, amount_form(plan))


def amount_form(plan: Shown) -> PlanAmountForm:
    return PlanAmountForm(amount=f"{plan.fen / 100:.2f}")


def page(
    plan: Shown, form: PlanAmountForm, status: int = 200, *, other: OtherPlaceForm | None = None
) -> ResponseReturnValue:
    """`other`: the choice of another student, as it was refused."""
    session = db.session()
    told = {"plan": plan, "form": form, "months": queries.months(session, plan), **shared(plan.kind)}
    sponsored = students.of_plan(session, plan.id) if plan.kind == "student_aid" else None
    told |= {"sponsored": sponsored, "other": other or other_place(plan, None), "stages": student_words.STAGES}
    told |= {"term_words": student_words.TERMS, "term": student_words.term}
    return render_template("campaigns/plan.html", **told), status, PRIVATE


def other_place(plan: Shown, sent: Any) -> OtherPlaceForm | None:
    """Where this plan may move to; None where it sponsors nobody or no other place is free."""
    sponsored = students.of_plan(db.session(), plan.id) if plan.kind == "student_aid" else None
    if sponsored is None or sponsored.state is not SponsorshipState.ACTIVE:
        return None
    places = students.offered(db.session(), plan.campaign)
    return OtherPlaceForm(sent, places=places) if places else None


@bp.post("/<token>/stop")
@requires("plan.keep")
def create_stop(token: str) -> ResponseReturnValue:
    """One tap, nothing is asked."""
    return change(token, keeping.stop, _("Stopped. Nothing is charged any more."))


@bp.post("/<token>/pause")
@requires("plan.keep")
def create_pause(token: str) -> ResponseReturnValue:
    return change(token, keeping.pause, _("Paused. Nothing is charged until you continue."))


@bp.post("/<token>/continuation")
@requires("plan.keep")
def create_continuation(token: str) -> ResponseReturnValue:
    return change(token, keeping.go_on, _("Your monthly gift goes on."))


@bp.post("/<token>/card")
@requires("plan.keep")
def create_card(token: str) -> ResponseReturnValue:
    """Another card: the one that is kept is forgotten, the next gift comes by a link."""
    return change(token, keeping.change_card, _("Done. With the next gift you get a link; the card used there is kept."))


@bp.post("/<token>/amount")
@requires("plan.keep")
def create_amount(token: str) -> ResponseReturnValue:
    plan, form = queries.find(db.session(), token), PlanAmountForm(request.form)
    if not form.validate() or form.amount.fen is None:
        return page(plan, form, 422)
    if "change" in request.form:
        return page(plan, form)
    if form.is_unusual(plan.fen):
        form.sure_of.data = str(form.amount.fen)
        told = {"card": None, "form": form, "fen": form.amount.fen, "is_monthly": True, "title": plan.title}
        return render_template("campaigns/sure.html", **told, **shared(plan.kind), action=f"{plan.url}/amount"), 200, PRIVATE
    return change(token, keeping.change_amount, _("Changed, from the next gift on."), amount=Money(form.amount.fen))


def change(token: str, command: Callable[..., None], words: str, **changes: Any) -> ResponseReturnValue:
    plan = queries.find(db.session(), token)
    try:
        in_transaction(command, plan=plan.id, **changes)
    except (keeping.NotRunning, keeping.IsPromised) as refusal:
        flash(refusal.message, "failed")
    else:
        flash(words, "done")
    return redirect(plan.url, 303)
