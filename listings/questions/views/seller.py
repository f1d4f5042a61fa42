"""/seller/questions: what buyers ask about a seller's goods, and the seller's answers."""

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.customer_reviews.answering import ContactInside
from listings.customer_reviews.forms import AnswerForm
from listings.questions import answering, queries
from listings.questions.models import Question
from listings.questions.states import QuestionState
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step

NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("seller_questions", __name__, url_prefix="/seller/questions")


@bp.get("")
@requires("question.answer")
def list_questions() -> ResponseReturnValue:
    rows = queries.of_seller(db.session(), g.person.id)
    return render_template("questions/seller_list.html", rows=rows), 200, NO_STORE


@bp.get("/<question>")
@requires("question.answer")
def show_question(question: str) -> ResponseReturnValue:
    return question_page(question, AnswerForm())


def question_page(question: str, form: AnswerForm, status: int = 200) -> ResponseReturnValue:
    mine = (Question.seller_id == g.person.id, Question.state.in_((QuestionState.OPEN, QuestionState.ANSWERED)))
    asked = queries.get(db.session(), question, *mine)
    return render_template("questions/seller.html", asked=asked, form=form), status, NO_STORE


@bp.post("/<question>/answer")
@requires("question.answer")
def create_answer(question: str) -> ResponseReturnValue:
    form = AnswerForm(request.form)
    if not form.validate():
        return question_page(question, form, 422)
    given = {"question": question, "seller_id": g.person.id, "words": str(form.words.data)}
    done, back = _("Your answer is shown with the goods now, and whoever asked is told."), url_for(".list_questions")
    try:
        return take_step(answering.answer_as_seller, back, done=done, passes=(ContactInside,), **given)
    except ContactInside as refusal:
        form.words.errors = [refusal.message]
        return question_page(question, form, refusal.status)
