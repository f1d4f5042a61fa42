"""/station/questions: what nobody has answered yet. The station looks at what holds a contact, and answers for sellers."""

from typing import Any, Final

from flask import Blueprint, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.customer_reviews import words
from listings.customer_reviews.answering import ContactInside
from listings.customer_reviews.forms import AnswerForm, ReasonForm
from listings.questions import answering, queries
from listings.questions.models import Question
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step
from marketplace.stations import desk
from marketplace.stations.queues import OtherQueue

CURRENT: Final = "questions"  # of the desk's links

bp = Blueprint("station_questions", __name__, url_prefix="/station/questions")


@bp.get("")
@requires("question.moderate")
def list_questions() -> ResponseReturnValue:
    return desk.page("questions/station_list.html", CURRENT, rows=queries.of_station(db.session(), g.station))


@bp.get("/<question>")
@requires("question.moderate")
def show_question(question: str) -> ResponseReturnValue:
    return question_page(question, AnswerForm(), ReasonForm())


def question_page(question: str, form: AnswerForm, reason: ReasonForm, status: int = 200) -> ResponseReturnValue:
    asked = queries.get(db.session(), question, Question.station_code == g.station)
    return desk.page("questions/station.html", CURRENT, status, asked=asked, form=form, reason=reason, words=words)


@bp.post("/<question>/answer")
@requires("question.moderate")
def create_answer(question: str) -> ResponseReturnValue:
    form = AnswerForm(request.form)
    if not form.validate():
        return question_page(question, form, ReasonForm(), 422)
    done = _("The answer is shown with the goods now, and whoever asked is told.")
    given = {"words": str(form.words.data), "done": done, "passes": (ContactInside,)}
    try:
        return step(answering.answer_for_seller, question, **given)
    except ContactInside as refusal:
        form.words.errors = [refusal.message]
        return question_page(question, form, ReasonForm(), refusal.status)


@bp.post("/<question>/showing")
@requires("question.moderate")
def create_showing(question: str) -> ResponseReturnValue:
    return step(answering.let_in, question)


@bp.post("/<question>/hiding")
@requires("question.moderate")
def create_hiding(question: str) -> ResponseReturnValue:
    reason = ReasonForm(request.form)
    if not reason.validate():
        return question_page(question, AnswerForm(), reason, 422)
    return step(answering.hide, question, reason=reason.chosen)


def step(command: Any, question: str, **given: Any) -> ResponseReturnValue:
    whose = {"question": question, "station": g.station, "person_id": g.person.id}
    return take_step(command, url_for(".list_questions"), **whose, **given)


def queue(session: Session, station: str) -> OtherQueue:
    """For the desk's first page."""
    waiting = queries.count_of_station(session, station)
    return OtherQueue("/station/questions", "info", _l("Questions"), _l("Buyers wait for an answer"), waiting)
