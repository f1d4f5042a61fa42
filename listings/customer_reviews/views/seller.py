"""/seller/reviews: what buyers say of a seller's goods; the seller answers, or asks the station to look."""

from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.customer_reviews import answering, queries, words
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.forms import AnswerForm, ReasonForm
from listings.customer_reviews.states import ReviewState
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step

NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("seller_reviews", __name__, url_prefix="/seller/reviews")


@bp.get("")
@requires("customer_review.answer")
def list_reviews() -> ResponseReturnValue:
    found = queries.of_seller(db.session(), g.person.id, tidy(request.args.get("before", "")))
    return render_template("customer_reviews/seller_list.html", found=found, words=words), 200, NO_STORE


@bp.get("/<review>")
@requires("customer_review.answer")
def show_review(review: str) -> ResponseReturnValue:
    return review_page(review, AnswerForm(), ReasonForm(prefix="report-"))


def review_page(review: str, form: AnswerForm, report: ReasonForm, status: int = 200) -> ResponseReturnValue:
    """A seller sees of their reviews what everybody sees."""
    shown = queries.show(db.session(), review, Reach(seller=g.person.id))
    if shown.row.state is not ReviewState.SHOWN:
        raise NotFound(review)
    if form.words.data is None:
        form.words.data = shown.row.answer
    parts: dict[str, Any] = {"shown": shown, "form": form, "report": report, "words": words}
    return render_template("customer_reviews/seller.html", **parts), status, NO_STORE


@bp.post("/<review>/answer")
@requires("customer_review.answer")
def create_answer(review: str) -> ResponseReturnValue:
    form = AnswerForm(request.form)
    report = ReasonForm(prefix="report-")
    if not form.validate():
        return review_page(review, form, report, 422)
    given = {"review": review, "seller_id": g.person.id, "words": str(form.words.data), "actor": f"person:{g.person.id}"}
    done = _("Your answer is shown below the review now.")
    back, passes = url_for(".show_review", review=review), (answering.ContactInside,)
    try:
        return take_step(answering.answer, back, done=done, passes=passes, **given)
    except answering.ContactInside as refusal:
        form.words.errors = [refusal.message]
        return review_page(review, form, report, refusal.status)


@bp.post("/<review>/report")
@requires("customer_review.answer")
def create_report(review: str) -> ResponseReturnValue:
    report = ReasonForm(request.form, prefix="report-")
    if not report.validate():
        return review_page(review, AnswerForm(), report, 422)
    given: dict[str, Any] = {"review": review, "seller_id": g.person.id, "reason": report.chosen}
    done = _("Your station looks at it. Until then the review stays.")
    back = url_for(".show_review", review=review)
    return take_step(answering.report, back, done=done, actor=f"person:{g.person.id}", **given)
