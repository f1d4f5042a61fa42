"""/station/cash-gifts: gifts taken over the counter, their papers, and what goes back."""

from typing import Any, Final

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.campaigns.cash import giving_back, queries, taking
from crowdfund.campaigns.cash.forms import CashForm, ReturnForm
from crowdfund.campaigns.giving import NotOpen
from crowdfund.campaigns.room import GoalReached, LessIsNeeded
from crowdfund.campaigns.views.sharing import drawn
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.payments.gateways import current_book
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("cash_gifts", __name__, url_prefix="/station/cash-gifts")


def queue(session: Session, station: str) -> OtherQueue:
    """Cash of called-off campaigns among the station's queues."""
    note = _l("Take them, give them back")
    return OtherQueue(
        url_for("cash_gifts.show_gifts"), "heart", _l("Gifts in cash"), note, queries.going_back(session, station)
    )


@bp.get("")
@requires("cash_gift.take")
def show_gifts() -> ResponseReturnValue:
    return list_page(CashForm())


@bp.post("")
@requires("cash_gift.take")
def create_gift() -> ResponseReturnValue:
    """Taken once, however often the form is sent."""
    form = CashForm(request.form).with_campaigns(list(queries.open_campaigns(db.session(), g.station)))
    if not form.validate():
        return list_page(form, 422)
    told: dict[str, Any] = {"campaign": str(form.campaign.data), "amount": form.money, "station": g.station}
    told |= {"giver": form.giver(str(get_locale())), "clerk_id": g.person.id}
    key = form.idempotency(f"cash:{g.station}:{g.person.id}")
    try:
        gift = in_transaction(idempotency.once, taking.take, idempotency=key, **told)
    except LessIsNeeded as refusal:
        form.amount.errors = [str(refusal.message)]
        return list_page(form, refusal.status)
    except (NotOpen, GoalReached, taking.NotTakingCash, idempotency.KeyReused, NotFound) as refusal:
        form.form_errors.append(str(refusal.message))
        return list_page(form, refusal.status)
    return redirect(url_for(".show_gift", gift=gift), 303)


@bp.get("/<gift>")
@requires("cash_gift.take")
def show_gift(gift: str) -> ResponseReturnValue:
    return gift_page(gift, ReturnForm())


@bp.post("/<gift>/return")
@requires("cash_gift.take")
def create_return(gift: str) -> ResponseReturnValue:
    form = ReturnForm(request.form)
    back = url_for(".show_gift", gift=gift)
    queries.get(db.session(), g.station, gift)
    if not form.validate():
        return gift_page(gift, form, 422)
    told = {"gift": gift, "station": g.station, "person_id": g.person.id, "why": str(form.why.data or "")}
    try:
        return take_step(
            giving_back.give_back, back, done=_("Hand the money over now."), passes=(giving_back.NoReason,), **told
        )
    except giving_back.NoReason as refusal:
        form.why.errors = [str(refusal.message)]
        return gift_page(gift, form, refusal.status)


def gift_page(gift: str, form: ReturnForm, status: int = 200) -> ResponseReturnValue:
    row = queries.get(db.session(), g.station, gift)
    address = f"{settings().base_url.rstrip('/')}{row.url}"
    return page("station/cash_gift.html", status, gift=row, form=form, address=address, code=drawn(address))


def list_page(form: CashForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    form.with_campaigns(list(queries.open_campaigns(session, g.station)))
    return page("station/cash_gifts.html", status, form=form, gifts=queries.of_station(session, g.station))


def page(template: str, status: int, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    common = {"station": station, "desk_current": "cash", "waiting": 0, "today": clock.today(), "book": current_book()}
    return render_template(template, **common, **shown), status, NO_STORE
