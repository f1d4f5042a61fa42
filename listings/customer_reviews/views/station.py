"""/station/reviews: what waits for the look of the goods' station: words that hold a contact, pictures, reports."""

from typing import Any, Final

from flask import Blueprint, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.customer_reviews import moderating, queries, words
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.forms import ReasonForm
from listings.customer_reviews.views import pictures
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step
from marketplace.stations import desk
from marketplace.stations.queues import OtherQueue

CURRENT: Final = "reviews"  # of the desk's links

bp = Blueprint("station_reviews", __name__, url_prefix="/station/reviews")


@bp.get("")
@requires("customer_review.moderate")
def list_reviews() -> ResponseReturnValue:
    return desk.page(
        "customer_reviews/station_list.html", CURRENT, rows=queries.waiting(db.session(), g.station), words=words
    )


@bp.get("/<review>")
@requires("customer_review.moderate")
def show_review(review: str) -> ResponseReturnValue:
    return review_page(review, ReasonForm())


def review_page(review: str, form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    shown = queries.show(db.session(), review, reach())
    return desk.page("customer_reviews/station.html", CURRENT, status, shown=shown, form=form, words=words)


@bp.post("/<review>/showing")
@requires("customer_review.moderate")
def create_showing(review: str) -> ResponseReturnValue:
    return step(moderating.let_in, review)


@bp.post("/<review>/leaving")
@requires("customer_review.moderate")
def create_leaving(review: str) -> ResponseReturnValue:
    """What the seller reported stays."""
    return step(moderating.leave, review)


@bp.post("/<review>/hiding")
@requires("customer_review.moderate")
def create_hiding(review: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return review_page(review, form, 422)
    return step(moderating.hide, review, reason=form.chosen)


@bp.post("/<review>/pictures/<picture>/showing")
@requires("customer_review.moderate")
def create_picture_showing(review: str, picture: str) -> ResponseReturnValue:
    return step(moderating.decide_picture, review, picture=picture, reason=None)


@bp.post("/<review>/pictures/<picture>/hiding")
@requires("customer_review.moderate")
def create_picture_hiding(review: str, picture: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return review_page(review, form, 422)
    return step(moderating.decide_picture, review, picture=picture, reason=form.chosen)


@bp.get("/<review>/pictures/<picture>-<width>.webp")
@requires("customer_review.moderate")
def show_picture(review: str, picture: str, width: str) -> ResponseReturnValue:
    return pictures.answer(queries.own_picture(db.session(), review, picture, reach()), width, is_public=False)


def step(command: Any, review: str, **given: Any) -> ResponseReturnValue:
    back = url_for(".show_review", review=review)
    return take_step(command, back, review=review, reach=reach(), person_id=g.person.id, **given)


def reach() -> Reach:
    return Reach(station=g.station)


def queue(session: Session, station: str) -> OtherQueue:
    """For the desk's first page."""
    waiting = queries.count_waiting(session, station)
    return OtherQueue("/station/reviews", "eye", _l("Buyers' reviews"), _l("Pictures and reports to look at"), waiting)
