"""/operator/reviews: reviews that a station has hidden and whose authors ask the province."""

from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from listings.customer_reviews import appealing, queries, words
from listings.customer_reviews.finding import EVERYWHERE
from listings.customer_reviews.forms import JudgementForm
from listings.customer_reviews.views import pictures
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step

NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("operator_reviews", __name__, url_prefix="/operator/reviews")


@bp.get("")
@requires("customer_review.judge")
def list_reviews() -> ResponseReturnValue:
    rows = queries.asked(db.session())
    return render_template("customer_reviews/operator_list.html", rows=rows, words=words), 200, NO_STORE


@bp.get("/<review>")
@requires("customer_review.judge")
def show_review(review: str) -> ResponseReturnValue:
    return review_page(review, JudgementForm())


def review_page(review: str, form: JudgementForm, status: int = 200) -> ResponseReturnValue:
    shown = queries.show(db.session(), review, EVERYWHERE)
    return render_template("customer_reviews/operator.html", shown=shown, form=form, words=words), status, NO_STORE


@bp.post("/<review>/judgement")
@requires("customer_review.judge")
def create_judgement(review: str) -> ResponseReturnValue:
    form = JudgementForm(request.form)
    if not form.validate():
        return review_page(review, form, 422)
    command = appealing.restore if form.decision.data == "restore" else appealing.uphold
    given: dict[str, Any] = {"review": review, "why": str(form.why.data), "person_id": g.person.id}
    return take_step(command, url_for(".list_reviews"), **given)


@bp.get("/<review>/pictures/<picture>-<width>.webp")
@requires("customer_review.judge")
def show_picture(review: str, picture: str, width: str) -> ResponseReturnValue:
    return pictures.answer(queries.own_picture(db.session(), review, picture, EVERYWHERE), width, is_public=False)
