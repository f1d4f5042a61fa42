"""/programme: the office reserves devices, sends them, decides what was held up, and minds what went wrong with one."""

from typing import Any, Final

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.pledges import activation, confirming, desks, devices, disputes, mishaps, queries, telling
from crowdfund.pledges.forms import ProofForm, ReasonForm, ReportForm, apart
from crowdfund.pledges.states import DeviceState
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.steps import take_step

bp = Blueprint("programme", __name__, url_prefix="/programme")
STEPS: Final = {
    "receipt": devices.receive,
    "check": devices.check,
    "dispatch": devices.send,
    "replacement": mishaps.send_back,
}


@bp.get("")
@requires("device.keep")
def show_office() -> ResponseReturnValue:
    return office_page({})


def office_page(refused: dict[str, ReasonForm], status: int = 200) -> ResponseReturnValue:
    """`refused`: by the pledge or voucher, a decision that is not complete; what was typed stays with it."""
    session = db.session()
    office = desks.office(session)
    open_ones = [pledge.public_id for pledge, _why in office.to_decide]
    open_ones += [each.voucher.public_id for each in office.disputed]
    deciding = {each: apart(refused.get(each) or ReasonForm(), each) for each in open_ones}
    shown: dict[str, Any] = {"office": office, "deciding": deciding, "programmes": queries.programmes(session)}
    return page("programme/office.html", status, **shown)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    return render_template(template, telling=telling, **shown), status, {"Cache-Control": "no-store"}


@bp.get("/devices")
@requires("device.keep")
def show_devices() -> ResponseReturnValue:
    """A scanned IMEI leads to its device."""
    typed = request.args.get("code", "")
    found = desks.find_device(db.session(), typed) if typed else None
    if found:
        return redirect(url_for(".show_device", device=found))
    said = _("No device has this number. Look at it once more.") if typed else ""
    return page("programme/devices.html", 404 if typed else 200, typed=typed, said=said)


@bp.get("/devices/<device>")
@requires("device.keep")
def show_device(device: str) -> ResponseReturnValue:
    return device_page(device)


def device_page(device: str, status: int = 200, **forms: Any) -> ResponseReturnValue:
    life = desks.device_life(db.session(), device)
    known: dict[str, Any] = {"report": ReportForm(), "taking": ReasonForm(), "proof": ProofForm()} | forms
    known["report"].offer_for(life.device.state)
    apart(known["taking"], "taking")
    return page("programme/device.html", status, life=life, **known)


@bp.post("/devices/<device>/reports")
@requires("device.keep")
def create_report(device: str) -> ResponseReturnValue:
    form = ReportForm(request.form)
    if not form.validate():
        return device_page(device, 422, report=form)
    there = DeviceState(str(form.there.data))
    return done(mishaps.report, url_for(".show_device", device=device), device=device, there=there, reason=form.reason.data)


@bp.post("/devices/<device>/return")
@requires("device.keep")
def create_return(device: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return device_page(device, 422, taking=form)
    return done(mishaps.take_back, url_for(".show_device", device=device), device=device, reason=form.reason.data)


@bp.post("/devices/<device>/wiping")
@requires("device.keep")
def create_wiping(device: str) -> ResponseReturnValue:
    form = ProofForm(request.form)
    if not form.validate():
        return device_page(device, 422, proof=form)
    return done(mishaps.wiped, url_for(".show_device", device=device), device=device, proof=form.proof.data)


@bp.post("/pledges/<pledge>/assignment")
@requires("device.keep")
def create_assignment(pledge: str) -> ResponseReturnValue:
    return done(devices.assign, url_for(".show_office"), pledge=pledge)


@bp.post("/pledges/<pledge>/decision")
@requires("device.keep")
def create_decision(pledge: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    decision = decided(form, {"go-on", "end"})
    if not decision:
        return office_page({pledge: form}, 422)
    goes_on = decision == "go-on"
    return done(confirming.decide, url_for(".show_office"), pledge=pledge, goes_on=goes_on, reason=str(form.reason.data))


def decided(form: ReasonForm, known: set[str]) -> str:
    """Which button was pressed, or nothing while the form is not complete."""
    is_valid, decision = form.validate(), request.form.get("decision", "")
    if decision not in known:
        form.form_errors.append(_("Please choose one of these."))
    return decision if is_valid and decision in known else ""


@bp.post("/activations")
@requires("device.keep")
def create_telecom_list() -> ResponseReturnValue:
    """The list for the telecom, as a file."""
    text = in_transaction(activation.telecom_list, actor=f"person:{g.person.public_id}")
    name = f'attachment; filename="devices-{clock.today():%Y%m%d}.csv"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(text, content_type="text/csv; charset=utf-8", headers=headers)


@bp.post("/vouchers/<voucher>/decision")
@requires("device.keep")
def create_voucher_decision(voucher: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    decision = decided(form, {"counts", "void"})
    if not decision:
        return office_page({voucher: form}, 422)
    counts = decision == "counts"
    reason = str(form.reason.data)
    return done(disputes.decide, url_for(".show_office"), voucher=voucher, counts=counts, reason=reason)


@bp.post("/devices/<device>/<step>")
@requires("device.keep")
def create_step(device: str, step: str) -> ResponseReturnValue:
    command = STEPS.get(step)
    if command is None:
        raise NotFound(step)
    back = url_for(".show_device", device=device) if step == "replacement" else url_for(".show_office")
    return done(command, back, device=device)


def done(command: Any, back: str, **arguments: Any) -> ResponseReturnValue:
    return take_step(command, back, actor=f"person:{g.person.public_id}", **arguments)
