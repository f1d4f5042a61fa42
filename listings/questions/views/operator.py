"""/operator/questions: the province reads what was asked and answered lately, and takes away what may not stand."""

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from listings.customer_reviews import words
from listings.customer_reviews.forms import ReasonForm
from listings.questions import answering, queries
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step

NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("operator_questions", __name__, url_prefix="/operator/questions")


@bp.get("")
@requires("question.remove")
def list_questions() -> ResponseReturnValue:
    rows = queries.of_everybody(db.session())
    return render_template("questions/operator_list.html", rows=rows), 200, NO_STORE


@bp.get("/<question>")
@requires("question.remove")
def show_question(question: str) -> ResponseReturnValue:
    return question_page(question, ReasonForm())


def question_page(question: str, form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    asked = queries.get(db.session(), question)
    return render_template("questions/operator.html", asked=asked, form=form, words=words), status, NO_STORE


@bp.post("/<question>/removal")
@requires("question.remove")
def create_removal(question: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return question_page(question, form, 422)
    given = {"question": question, "station": None, "reason": form.chosen, "person_id": g.person.id}
    return take_step(answering.hide, url_for(".list_questions"), **given)
