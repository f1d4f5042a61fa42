"""/orders/<number>/cases: whoever may see an order says what was wrong with it, and follows what is done about it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from listings import pictures
from listings.views.sending import allow_pictures, reencoded
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import language, weight
from marketplace.core.forms import tidy
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.orders import access
from marketplace.orders.cases import appealing, opening, queries, returning, spoiling, telling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.forms import AppealForm, RequestForm, request_form
from marketplace.orders.cases.queries import Askable
from marketplace.orders.cases.rules import MOST_PICTURES, Kind, Wish
from marketplace.orders.cases.states import CaseState, Party
from marketplace.orders.cases.views import pages
from marketplace.orders.models import Order, Parcel

bp = Blueprint("cases", __name__, url_prefix="/orders/<number>/cases")


@bp.url_value_preprocessor
def make_room(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """For pictures, before anything reads the form."""
    allow_pictures(frozenset({"create_case"}))(endpoint, values)


@bp.errorhandler(RequestEntityTooLarge)
@requires("case.ask")
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Nothing of it was read, so the page to begin with says so."""
    number = (request.view_args or {}).get("number", "")
    flash(pictures.TooMuchAtOnce.message, "failed")
    return lines_page(access.get_visible(db.session(), number), 413)


@bp.get("/new")
@requires("case.ask")
def show_new(number: str) -> ResponseReturnValue:
    """Which of the goods, then what happened to them; where only one can be meant, that one."""
    order = access.get_visible(db.session(), number)
    found = queries.askable(db.session(), order)
    chosen = tidy(request.args.get("line", ""))
    line = next((each for each in found if each.public_id == chosen), found[0] if len(found) == 1 and not chosen else None)
    return request_page(order, line, request_form(line, None)) if line else lines_page(order)


def lines_page(order: Order, status: int = 200) -> ResponseReturnValue:
    lines, instead = queries.askable(db.session(), order), queries.sent_instead(db.session(), Parcel.order_id == order.id)
    body = render_template("cases/lines.html", order=order, lines=lines, instead=instead, telling=telling)
    return body, status, pages.NO_STORE


def request_page(
    order: Order, line: Askable | None, form: RequestForm, status: int = 200, wrong_pictures: tuple[str, ...] = ()
) -> ResponseReturnValue:
    """What was typed, beside what is wrong; where nothing can be asked about the line any more, the lines that are left."""
    if line is None:
        flash(opening.TooLate.message, "failed")
        return lines_page(order, 409)
    shown: dict[str, Any] = {"order": order, "line": line, "form": form, "wrong_pictures": wrong_pictures}
    shown["instead"] = queries.sent_instead(db.session(), Parcel.order_id == order.id)
    limit = settings().after_sales_limit_fen
    body = render_template("cases/request.html", **shown, limit_fen=limit, most_pictures=MOST_PICTURES)
    return body, status, pages.NO_STORE


@bp.post("")
@requires("case.ask")
def create_case(number: str) -> ResponseReturnValue:
    """Sent again it leads to the same case, whatever may be asked of the line by then: the command knows the form."""
    order = access.get_visible(db.session(), number)
    chosen = tidy(request.form.get("line", ""))
    line = next((each for each in queries.askable(db.session(), order) if each.public_id == chosen), None)
    form = request_form(line, request.form)
    hit("case.open", number, limit=30, seconds=HOUR)
    hit("case.open.from", where_from(), limit=120, seconds=HOUR)
    made, wrong = reencoded("pictures", most=MOST_PICTURES, folder=settings().private_media_folder)
    if not form.validate() or wrong:
        return request_page(order, line, form, 422, wrong)
    try:
        case = send(number, chosen, form, made)
    except (opening.PictureNeeded, opening.TooManyPictures) as refusal:
        return request_page(order, line, form, refusal.status, (str(refusal.message),))
    except opening.TooManyUnits as refusal:
        form.quantity.errors = [_("At most %(number)s.", number=refusal.left)]
        return request_page(order, line, form, refusal.status)
    except spoiling.TooHeavy as refusal:
        form.spoiled.errors = [_("At most %(weight)s.", weight=weight(refusal.grams, language()))]
        return request_page(order, line, form, refusal.status)
    except spoiling.TooManyPieces as refusal:
        form.spoiled_pieces.errors = [
            _("At most %(pieces)s.", pieces=telling.pieces(refusal.pieces, line.unit_zh if line else ""))
        ]
        return request_page(order, line, form, refusal.status)
    except (spoiling.NotByWeight, spoiling.NotByPiece, spoiling.TooLight) as refusal:
        (form.spoiled or form.spoiled_pieces).errors = [str(refusal.message)]
        return request_page(order, line, form, refusal.status)
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return request_page(order, line, form, refusal.status)
    return redirect(url_for(".show_case", number=number, case=case), 303)


def send(number: str, line: str, form: RequestForm, made: list[dict[str, Any]]) -> str:
    said: dict[str, Any] = {"kind": Kind(str(form.kind.data)), "wish": Wish(str(form.wish.data))}
    return in_transaction(
        idempotency.once,
        opening.open_case,
        idempotency=form.idempotency(f"case:{number}:{line}"),
        number=number,
        line=line,
        quantity=int(form.quantity.data or 0),
        words=str(form.words.data),
        pictures=made,
        actor=access.actor(),
        **form.in_part,
        **said,
    )


@bp.get("/<case>")
@requires("case.ask")
def show_case(number: str, case: str) -> ResponseReturnValue:
    return case_page(number, case, AppealForm())


def case_page(number: str, case: str, form: AppealForm, status: int = 200) -> ResponseReturnValue:
    access.get_visible(db.session(), number)
    shown = pages.told(case, Reach(order=number), Party.BUYER)
    row = shown["shown"].row
    key = access.link_key(row.exchange_number) if row.exchange_number else ""
    own = {"may_call_off": row.state is CaseState.APPROVED, "exchange_key": key}
    body = render_template("cases/buyer.html", form=form, number=number, **own, **shown)
    return body, status, pages.NO_STORE


@bp.post("/<case>/cancellation")
@requires("case.ask")
def create_cancellation(number: str, case: str) -> ResponseReturnValue:
    """The buyer keeps the goods after all."""
    access.get_visible(db.session(), number)
    given: dict[str, Any] = {"case": case, "reach": Reach(order=number), "actor": access.actor(), "why": ""}
    return take_step(returning.call_off, url_for(".show_case", number=number, case=case), **given)


@bp.post("/<case>/appeal")
@requires("case.ask")
def create_appeal(number: str, case: str) -> ResponseReturnValue:
    access.get_visible(db.session(), number)
    form = AppealForm(request.form)
    if not form.validate():
        return case_page(number, case, form, 422)
    given: dict[str, Any] = {"case": case, "reach": Reach(order=number), "party": Party.BUYER, "actor": access.actor()}
    back = url_for(".show_case", number=number, case=case)
    return take_step(appealing.ask, back, done=pages.asked(), words=str(form.words.data), **given)


@bp.get("/<case>/pictures/<picture>-<width>.webp")
@requires("case.ask")
def show_picture(number: str, case: str, picture: str, width: str) -> ResponseReturnValue:
    access.get_visible(db.session(), number)
    return pages.picture_answer(case, picture, width, Reach(order=number))
