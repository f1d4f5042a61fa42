"""/station/presales: the station looks at what its sellers want to sell ahead."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import and_
from sqlalchemy.orm import Session

from crowdfund.presales import queries, reviewing, telling
from crowdfund.presales.drafting import ClosesInThePast
from crowdfund.presales.forms import ReviewForm
from crowdfund.presales.models import Presale
from crowdfund.presales.queries import Shown
from crowdfund.presales.states import PresaleState as P
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.forms import says_yes_and_why_not
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("station_presales", __name__, url_prefix="/station/presales")


@bp.get("")
@requires("presale.review")
def list_presales() -> ResponseReturnValue:
    return page("presales/station/index.html", cards=queries.at_station(db.session(), g.station))


@bp.get("/<presale>")
@requires("presale.review")
def show_presale(presale: str) -> ResponseReturnValue:
    return review_page(at_own_station(presale), ReviewForm())


@bp.post("/<presale>/review")
@requires("presale.review")
def create_review(presale: str) -> ResponseReturnValue:
    shown, form = at_own_station(presale), ReviewForm(request.form)
    if not form.validate():
        return review_page(shown, form, 422)
    if request.form.get("decision") == "accept" and says_yes_and_why_not(form):
        return review_page(shown, form, 422)
    who: dict[str, Any] = {"presale": presale, "station": g.station, "reviewer": g.person.id}
    seen: dict[str, Any] = {"field_seen": bool(form.field_seen.data), "figures_sane": bool(form.figures_sane.data)}
    try:
        if request.form.get("decision") == "accept":
            in_transaction(reviewing.accept, **who, **seen)
            flash(_("Open. Everybody can buy ahead now."), "done")
        elif request.form.get("decision") == "reject":
            in_transaction(reviewing.reject, **who, why=str(form.reason.data or ""))
            flash(_("Not opened. The seller reads why."), "done")
        else:
            form.form_errors.append(_("Please choose one of these."))
            return review_page(shown, form, 422)
    except reviewing.NoReason as refusal:
        form.reason.errors = [str(refusal.message)]
        return review_page(shown, form, refusal.status)
    except (reviewing.NotSeen, ClosesInThePast) as refusal:
        form.form_errors.append(str(refusal.message))
        return review_page(shown, form, refusal.status)
    except StaleState:
        flash(_("This has already been reviewed."), "note")
    return redirect(url_for(".list_presales"), 303)


def at_own_station(presale: str) -> Shown:
    """Raises NotFound for another station's, and for a draft."""
    return queries.find(db.session(), presale, and_(Presale.station_code == g.station, Presale.state != P.DRAFT))


def review_page(shown: Shown, form: ReviewForm, status: int = 200) -> ResponseReturnValue:
    return page("presales/station/show.html", status, shown=shown, card=shown.card, row=shown.row, form=form)


def page(template: str, status: int = 200, **shown: object) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    frame = {"station": station, "desk_current": "presales", "waiting": 0, "today": clock.today()}
    return render_template(template, **frame, states=telling.STATES, **shown), status, NO_STORE


def queue(session: Session, station: str) -> OtherQueue:
    """For the desk's first page."""
    waiting = queries.count_submitted(session, station)
    return OtherQueue("/station/presales", "leaf", _l("Presales"), _l("Look at the field first"), waiting)
