"""/listings/<code>/questions: what others asked and what was answered; a signed-in buyer asks, and sees what waits."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.customer_reviews.queries import get_reviewed
from listings.questions import asking, queries
from listings.questions.forms import QuestionForm
from listings.states import FOR_SALE, ListingState
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.forms import tidy
from marketplace.core.languages import chosen
from marketplace.core.steps import TOO_LATE, take_step

AN_HOUR: Final = 10  # questions of one person

bp = Blueprint("questions", __name__)


@bp.get("/listings/<code>/questions")
@requires("shop.browse")
def list_questions(code: str) -> ResponseReturnValue:
    session, listing = db.session(), get_reviewed(db.session(), code)
    page_cache.tags(f"listing:{code}")
    found = queries.answered(session, listing.id, tidy(request.args.get("before", "")))
    own = queries.own(session, listing.id, g.person.id) if g.person else []
    return render_template("questions/list.html", listing=listing, found=found, own=own)


@bp.get("/listings/<code>/questions/new")
@requires("question.ask")
def show_new(code: str) -> ResponseReturnValue:
    return question_page(code, QuestionForm())


def question_page(
    code: str, form: QuestionForm, status: int = 200, headers: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """What was typed is shown again also where the seller has paused meanwhile."""
    states = {ListingState.PUBLISHED} if status == 200 else FOR_SALE
    body = render_template("questions/new.html", listing=get_reviewed(db.session(), code, states), form=form)
    return body, status, {"Cache-Control": "no-store", **(headers or {})}


@bp.post("/listings/<code>/questions")
@requires("question.ask")
def create_question(code: str) -> ResponseReturnValue:
    form = QuestionForm(request.form)
    if not form.validate():
        return question_page(code, form, 422)
    whose = f"person:{g.person.id}"
    given: dict[str, Any] = {"asker_id": g.person.id, "asker_name": g.person.name, "language": chosen()}
    given |= {"code": code, "words": str(form.words.data)}
    try:
        hit("question.ask", whose, limit=AN_HOUR, seconds=HOUR)
        key = form.idempotency(f"question:{whose}:{code}")
        in_transaction(idempotency.once, asking.ask, idempotency=key, **given)
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return question_page(code, form, refusal.status, refusal.headers)
    return redirect(url_for(".list_questions", code=code, _anchor="own"), 303)


@bp.post("/listings/<code>/questions/<question>/withdrawal")
@requires("question.ask")
def create_withdrawal(code: str, question: str) -> ResponseReturnValue:
    given = {"question": question, "asker_id": g.person.id}
    back = url_for(".list_questions", code=code)
    try:
        return take_step(asking.withdraw, back, done=_("Your question is gone."), **given)
    except NotFound:
        if not queries.was_asked_by(db.session(), question, g.person.id):
            raise
        flash(TOO_LATE, "note")  # pressed twice, or on a page that was left open
        return redirect(back, 303)
