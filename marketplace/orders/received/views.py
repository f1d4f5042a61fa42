"""/orders/<number>/reviews: whoever may see an order says how what they received is, changes it, or takes it away."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from listings import pictures
from listings.customer_reviews import appealing, queries, words, writing
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.forms import AppealForm, ReviewForm
from listings.customer_reviews.queries import DeskReview
from listings.customer_reviews.views import pictures as review_pictures
from listings.customer_reviews.writing import EDITABLE_FOR, MOST_PICTURES, Said
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.forms import tidy
from marketplace.core.steps import TOO_LATE, take_step
from marketplace.orders import access
from marketplace.orders.models import Order
from marketplace.orders.received import lines, reviewing
from marketplace.orders.received.lines import BoughtLine

TAKE_PICTURES: Final = frozenset({"reviews.create_review", "reviews.create_change"})
NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("reviews", __name__, url_prefix="/orders/<number>/reviews")


@bp.url_value_preprocessor
def allow_pictures(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything reads the form: where pictures come, more may come at once (werkzeug keeps them on disk)."""
    if endpoint in TAKE_PICTURES:
        request.max_content_length = pictures.MOST_AT_ONCE


@bp.errorhandler(RequestEntityTooLarge)
@requires("customer_review.write")
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Nothing of it was read, so the page it came from says so."""
    given = request.view_args or {}
    order, line = get_line(str(given["number"]), str(given["line"]))
    wrong = (str(pictures.TooMuchAtOnce.message),)
    return review_page(order, line, form_of(review_of(line)), 413, wrong)


@bp.get("/<line>")
@requires("customer_review.write")
def show_review(number: str, line: str) -> ResponseReturnValue:
    order, bought = get_line(number, line)
    return review_page(order, bought, form_of(review_of(bought)))


@bp.post("/<line>")
@requires("customer_review.write")
def create_review(number: str, line: str) -> ResponseReturnValue:
    """Sent again it is written once."""
    order, bought = get_line(number, line)
    form = ReviewForm(request.form)

    def write(said: Said) -> None:
        first = {"number": number, "line": line, "said": said, "actor": access.actor()}
        in_transaction(idempotency.once, reviewing.write, idempotency=form.idempotency(f"review:{number}:{line}"), **first)

    return keep(order, bought, form, write)


@bp.post("/<line>/changes")
@requires("customer_review.write")
def create_change(number: str, line: str) -> ResponseReturnValue:
    order, bought = get_line(number, line)
    form, known = ReviewForm(request.form), known_to(bought)

    def change(said: Said) -> None:
        without = [tidy(each) for each in form.without.data or ()]
        in_transaction(writing.edit, **known, said=said, without=without, actor=access.actor())

    return keep(order, bought, form, change)


def keep(order: Order, line: BoughtLine, form: ReviewForm, do: Callable[[Said], None]) -> ResponseReturnValue:
    """What was typed, kept by `do`; or the page again, beside what is wrong."""
    number = order.number
    try:
        hit("review.write", number, limit=60, seconds=HOUR)
        hit("review.write.from", where_from(), limit=120, seconds=HOUR)
        made, wrong = review_pictures.reencoded("pictures")
        if not form.validate() or wrong:
            return review_page(order, line, form, 422, wrong)
        do(Said(int(str(form.stars.data)), str(form.words.data), made))
    except writing.TooManyPictures as refusal:
        return review_page(order, line, form, refusal.status, (str(refusal.message),))
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return review_page(order, line, form, refusal.status)
    flash(_("Thank you. Here is how your review stands."), "done")
    return redirect(url_for(".show_review", number=number, line=line.public_id), 303)


@bp.post("/<line>/withdrawal")
@requires("customer_review.write")
def create_withdrawal(number: str, line: str) -> ResponseReturnValue:
    _order, bought = get_line(number, line)
    back = url_for("orders.show_order", number=number)
    done, known = _("Your review is gone, with its pictures."), known_to(bought)
    try:
        return take_step(writing.withdraw, back, done=done, **known, actor=access.actor())
    except NotFound:  # pressed twice, or on a page that was left open
        flash(TOO_LATE, "note")
        return redirect(back, 303)


@bp.post("/<line>/appeal")
@requires("customer_review.write")
def create_appeal(number: str, line: str) -> ResponseReturnValue:
    order, bought = get_line(number, line)
    appeal = AppealForm(request.form, prefix="appeal-")
    if not appeal.validate():
        return review_page(order, bought, form_of(review_of(bought)), 422, appeal=appeal)
    given: dict[str, Any] = {"words": str(appeal.words.data), "actor": access.actor()}
    done = _("The province has been asked. It reads what everybody wrote and decides.")
    back = url_for(".show_review", number=number, line=line)
    return take_step(appealing.ask, back, done=done, **known_to(bought), **given)


@bp.get("/<line>/pictures/<picture>-<width>.webp")
@requires("customer_review.write")
def show_picture(number: str, line: str, picture: str, width: str) -> ResponseReturnValue:
    _order, bought = get_line(number, line)
    found = queries.own_picture(db.session(), **known_to(bought), picture=picture)
    return review_pictures.answer(found, width, is_public=False)


def get_line(number: str, line: str) -> tuple[Order, BoughtLine]:
    """Of an order that this visitor may see, a line that they received, or reviewed before it went back. Raises NotFound."""
    order = access.get_visible(db.session(), number)
    found = next((each for each in lines.of_order(db.session(), number) if each.public_id == line), None)
    if found is None or not (found.is_received or queries.of_line(db.session(), line)):
        raise NotFound(line)
    return order, found


def review_of(line: BoughtLine) -> DeskReview | None:
    """None where nobody has written it yet. Raises NotFound where it was taken away."""
    known = queries.of_line(db.session(), line.public_id)
    return queries.show(db.session(), known, reach(line)) if known else None


def form_of(shown: DeskReview | None) -> ReviewForm:
    return ReviewForm(data={"stars": str(shown.row.stars), "words": shown.row.words}) if shown else ReviewForm()


def known_to(line: BoughtLine) -> dict[str, Any]:
    known = queries.of_line(db.session(), line.public_id)
    if known is None:
        raise NotFound(line.public_id)
    return {"review": known, "reach": reach(line)}


def reach(line: BoughtLine) -> Reach:
    return Reach(order_line=line.public_id)


def review_page(
    order: Order,
    line: BoughtLine,
    form: ReviewForm,
    status: int = 200,
    wrong_pictures: tuple[str, ...] = (),
    appeal: AppealForm | None = None,
) -> ResponseReturnValue:
    shown = review_of(line)
    may_edit = shown is None or (clock.now() <= shown.row.written_at + EDITABLE_FOR and not shown.row.is_with_the_province)
    parts: dict[str, Any] = {"order": order, "line": line, "shown": shown, "form": form, "wrong_pictures": wrong_pictures}
    parts |= {"may_edit": may_edit, "may_ask": shown is not None and appealing.may_ask(shown.row)}
    parts |= {"appeal": appeal or AppealForm(prefix="appeal-"), "most_pictures": MOST_PICTURES, "words": words}
    return render_template("customer_reviews/write.html", **parts), status, NO_STORE
