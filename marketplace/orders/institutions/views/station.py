"""/station/checks: what institutions did not accept; the station agrees, or says why not."""

from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.views.sending import picture_answer
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.orders.institutions import check_queries, checking, forms, words
from marketplace.orders.institutions.check_queries import Reach
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

ANSWERS = {"agreement": forms.AnswerForm, "rejection": forms.ReasonForm}

bp = Blueprint("station_checks", __name__, url_prefix="/station/checks")


@bp.get("")
@requires("goods_check.answer")
def list_checks() -> ResponseReturnValue:
    return page("station_list.html", checks=check_queries.claims(db.session(), Reach(station=g.station)))


@bp.get("/<check>")
@requires("goods_check.answer")
def show_check(check: str) -> ResponseReturnValue:
    return check_page(check, {})


def check_page(check: str, given: dict[str, Form], status: int = 200) -> ResponseReturnValue:
    shown = {name: given.get(name) or form(prefix=f"{name}-") for name, form in ANSWERS.items()}
    found = check_queries.claim(db.session(), Reach(station=g.station, check=check))
    shown_beside = {"until": found.checked_at + checking.ANSWER_WITHIN, "stake_fen": checking.at_stake(db.session(), check)}
    return page("station_check.html", status, check=found, forms_of=shown, **shown_beside)


@bp.post("/<check>/<answer>")
@requires("goods_check.answer")
def create_answer(check: str, answer: str) -> ResponseReturnValue:
    kind = ANSWERS.get(answer)
    if kind is None:
        raise NotFound(answer)
    form = kind(request.form, prefix=f"{answer}-")
    if not form.validate():
        return check_page(check, {answer: form}, 422)
    given: dict[str, Any] = {"check": check, "station": g.station, "person_id": g.person.id}
    given |= {"agrees": answer == "agreement", "why": str(form.data["why"] or "")}
    return take_step(checking.answer_at_desk, url_for(".show_check", check=check), **given)


@bp.get("/<check>/pictures/<picture>-<width>.webp")
@requires("goods_check.answer")
def show_picture(check: str, picture: str, width: str) -> Response:
    found = check_queries.picture(db.session(), picture, Reach(station=g.station, check=check))
    return picture_answer(settings().private_media_folder, found.digest, width)


def queue(session: Session, station: str) -> OtherQueue:
    """For the desk's first page."""
    waiting = check_queries.count_waiting(session, station)
    return OtherQueue("/station/checks", "check", _l("Canteens"), _l("Not accepted; answer in 3 days"), waiting)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    common = {"station": db.session.get_one(Station, g.station), "desk_current": "checks", "waiting": 0}
    body = render_template(
        f"institutions/{template}", words=words, reasons=forms.REASONS, today=clock.today(), **common, **shown
    )
    return body, status, {"Cache-Control": "no-store"}
