"""/station/devices: the station receives a device and hands it over, two people and the guardian's code."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.pledges import desks, devices, handover, mishaps, telling
from crowdfund.pledges.forms import HandoverForm, ReportForm
from crowdfund.pledges.refusals import OwnWitness, WitnessUnknown, WrongCode, WrongStation
from crowdfund.pledges.states import DeviceState
from marketplace.accounts import second_factor
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.core.forms import SelectChoice
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.stations.models import Station
from marketplace.stations.queues import OtherQueue

bp = Blueprint("station_devices", __name__, url_prefix="/station/devices")


def queue(session: Session, station: str) -> OtherQueue:
    """The devices among the station's queues."""
    waiting = desks.waiting_at(session, station)
    note = _l("Receive them, hand them over")
    return OtherQueue(url_for("station_devices.show_devices"), "phone", _l("Phone-watches for children"), note, waiting)


@bp.get("")
@requires("device.hand_over")
def show_devices() -> ResponseReturnValue:
    """What comes and what waits; a scanned IMEI leads to its device."""
    typed = request.args.get("code", "")
    found = desks.find_device(db.session(), typed) if typed else None
    if found and desks.of_station(db.session(), g.station, found):
        return redirect(url_for(".show_device", device=found))
    said = ""
    if typed:
        said = str(WrongStation.message) if found else _("No device has this number. Look at it once more.")
    rows = desks.of_station(db.session(), g.station)
    return page("station/devices.html", rows=rows, typed=typed, said=said, status=404 if typed else 200)


@bp.get("/<device>")
@requires("device.hand_over")
def show_device(device: str) -> ResponseReturnValue:
    return device_page(device)


def device_page(
    public_id: str, form: HandoverForm | None = None, status: int = 200, report: ReportForm | None = None
) -> ResponseReturnValue:
    session = db.session()
    found = desks.of_station(session, g.station, public_id)
    if not found:
        raise NotFound(public_id)
    others = handover.witnesses(session, station=g.station, clerk_id=g.person.id)
    form = form or HandoverForm()
    form.witness.choices = [SelectChoice(person.public_id, person.name) for person in others]
    codes = [(p.name, second_factor.usable_code(session, p.id)) for p in others] if settings().is_demo else []
    report = report or ReportForm()
    report.offer_for(found[0].state)
    shown: dict[str, Any] = {"form": form, "codes": codes, "report": report}
    return page("station/device.html", device=found[0], status=status, **shown)


@bp.post("/<device>/receipt")
@requires("device.hand_over")
def create_receipt(device: str) -> ResponseReturnValue:
    return take(devices.arrive, device, _("Received. The children's officer tells the guardian."))


@bp.post("/<device>/reports")
@requires("device.hand_over")
def create_report(device: str) -> ResponseReturnValue:
    """Lost or faulty: the child gets another one."""
    form = ReportForm(request.form)
    if not form.validate():
        return device_page(device, status=422, report=form)
    there, reason = DeviceState(str(form.there.data)), str(form.reason.data)
    done = _("Reported. The programme office sends another one.")
    return take(mishaps.report, device, done, there=there, reason=reason)


def take(command: Callable[..., object], device: str, done: str, **arguments: Any) -> ResponseReturnValue:
    who = {"station": g.station, "actor": f"person:{g.person.public_id}"}
    back = url_for(".show_device", device=device)
    return take_step(command, back, done=done, passes=(WrongStation,), device=device, **who, **arguments)


@bp.post("/<device>/handover")
@requires("device.hand_over")
def create_handover(device: str) -> ResponseReturnValue:
    form = HandoverForm(request.form)
    if not form.validate():
        return device_page(device, form, 422)
    witness = str(form.witness.data)
    hit("handover", device, limit=10, seconds=HOUR, is_watched=True)
    hit("second-factor", witness, limit=10, seconds=HOUR // 4, is_watched=True)
    typed = {"code": str(form.code.data), "recipient": str(form.recipient.data)}
    who: dict[str, Any] = {"clerk_id": g.person.id, "actor": f"person:{g.person.public_id}", "station": g.station} | typed
    digits = str(form.witness_digits.data)
    wrong: Refusal | None = None
    try:
        in_transaction(handover.hand_over, device=device, witness=witness, witness_digits=digits, **who)
    except WrongCode as refusal:
        wrong, form.code.errors = refusal, [refusal.message]
    except OwnWitness as refusal:
        wrong, form.witness.errors = refusal, [refusal.message]
    except WitnessUnknown as refusal:
        wrong, form.witness_digits.errors = refusal, [refusal.message]
    except (StaleState, IllegalTransition):
        flash(_("This step was already taken or is no longer possible. Here is the current state."), "note")
    except (NotFound, WrongStation):
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Handed over. Now the first call."), "done")
    if wrong is not None:
        return device_page(device, form, wrong.status)
    return redirect(url_for(".show_device", device=device), 303)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    station = db.session.get_one(Station, g.station)
    known: dict[str, Any] = {"desk_current": "devices", "waiting": 0, "today": clock.today(), "telling": telling}
    body = render_template(template, station=station, **known | shown)
    return body, status, {"Cache-Control": "no-store"}
