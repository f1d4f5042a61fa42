"""/station/cases: what buyers report about a station's parcels; the station decides, and witnesses what comes back."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form, tidy
from marketplace.core.records import record
from marketplace.core.steps import take_step
from marketplace.orders.cases import appealing, deciding, exchanging, queries, returning, telling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.forms import AnswerForm, AppealForm, ReasonForm, WitnessForm
from marketplace.orders.cases.models import AfterSalesCase
from marketplace.orders.cases.rules import COMES_BACK, Condition, Kind, Wish
from marketplace.orders.cases.states import CaseState as C, Party
from marketplace.orders.cases.views import pages
from marketplace.stations import desk
from marketplace.stations.queues import OtherQueue

CURRENT: Final = "cases"  # of the desk's links

bp = Blueprint("station_cases", __name__, url_prefix="/station/cases")


@record
class Step:
    """A noun of an address, the command behind it, what is entered for it."""

    command: Callable[..., object]
    form: type[Form]


STEPS: Final = {
    "approval": Step(deciding.approve, AnswerForm),
    "refund": Step(deciding.refund, AnswerForm),
    "rejection": Step(deciding.reject, ReasonForm),
    "return": Step(returning.witness, WitnessForm),
    "cancellation": Step(returning.call_off, ReasonForm),
    "exchange": Step(exchanging.exchange, AnswerForm),
}


@bp.get("")
@requires("case.decide")
def list_cases() -> ResponseReturnValue:
    found = queries.page(db.session(), Reach(station=g.station), tidy(request.args.get("before", "")))
    return desk.page("cases/station_list.html", CURRENT, found=found, telling=telling)


@bp.get("/<case>")
@requires("case.decide")
def show_case(case: str) -> ResponseReturnValue:
    return case_page(case, {})


def case_page(case: str, forms: dict[str, Form], status: int = 200) -> ResponseReturnValue:
    """`forms`: those that were refused, with what was typed."""
    shown = pages.told(case, Reach(station=g.station), Party.STATION)
    row = shown["shown"].row
    given = {name: forms.get(name) or step.form(prefix=f"{name}-") for name, step in STEPS.items()}
    if "return" not in forms:
        given["return"]["quantity"].data = row.quantity
        given["return"]["condition"].data = Condition.AS_SOLD.value
    offered = [] if shown["shown"].is_with_the_province else steps_of(row)
    shown |= {"replacement": queries.replacement(db.session(), row), "form_of_appeal": forms.get("appeal") or AppealForm()}
    return desk.page("cases/station.html", CURRENT, status, forms_of=given, offered=offered, **shown)


def steps_of(row: AfterSalesCase) -> list[str]:
    """What the station may do now; the commands look again."""
    match row.state:
        case C.REQUESTED:
            back = ["approval"] if row.kind in COMES_BACK and not row.is_in_part else []
            return [*back, *(["refund"] if row.kind is not Kind.UNWANTED else []), "rejection"]
        case C.APPROVED:
            return ["return", "cancellation"]
        case C.GOODS_RETURNED:
            return [*(["exchange"] if row.wish is Wish.EXCHANGE else []), "refund"]
    return []


@bp.post("/<case>/appeal")
@requires("case.decide")
def create_appeal(case: str) -> ResponseReturnValue:
    form = AppealForm(request.form)
    if not form.validate():
        return case_page(case, {"appeal": form}, 422)
    given: dict[str, Any] = {"case": case, "reach": Reach(station=g.station), "party": Party.STATION, "actor": actor()}
    back = url_for(".show_case", case=case)
    return take_step(appealing.ask, back, done=pages.asked(), words=str(form.words.data), **given)


@bp.post("/<case>/<step>")
@requires("case.decide")
def create_step(case: str, step: str) -> ResponseReturnValue:
    known = STEPS.get(step)
    if known is None:
        raise NotFound(step)
    form = known.form(request.form, prefix=f"{step}-")
    if not form.validate():
        return case_page(case, {step: form}, 422)
    given: dict[str, Any] = {"case": case, "reach": Reach(station=g.station), "actor": actor(), **entered(form)}
    try:
        return take_step(known.command, url_for(".show_case", case=case), passes=(returning.OtherQuantity,), **given)
    except returning.OtherQuantity as refusal:
        form["quantity"].errors = [refusal.message]
        return case_page(case, {step: form}, refusal.status)


def entered(form: Form) -> dict[str, Any]:
    data = {**form.data, "why": form.data["why"] or ""}
    return data | ({"condition": Condition(data["condition"])} if "condition" in data else {})


@bp.get("/<case>/pictures/<picture>-<width>.webp")
@requires("case.decide")
def show_picture(case: str, picture: str, width: str) -> ResponseReturnValue:
    return pages.picture_answer(case, picture, width, Reach(station=g.station))


def queue(session: Session, station: str) -> OtherQueue:
    """For the desk's first page."""
    waiting = queries.count_waiting(session, station)
    return OtherQueue("/station/cases", "swap", _l("After-sales"), _l("Answer within 48 hours"), waiting)


def actor() -> str:
    return f"person:{g.person.id}"
