"""/bank: a partner bank confirms vouchers, one by one, and sees nothing but its own."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.pledges import confirming, desks, disputes, holding, telling
from crowdfund.pledges.confirming import Deposit
from crowdfund.pledges.forms import DepositForm, ReasonForm, apart
from crowdfund.pledges.refusals import BandTooLow, OutsideWindow
from marketplace.accounts.permissions import NotAllowed, requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.core.forms import Form
from marketplace.core.steps import take_step

bp = Blueprint("bank", __name__, url_prefix="/bank")


def bank() -> str:
    """The bank that this officer is of. Raises NotAllowed."""
    theirs = sorted(scope for role, kind, scope in g.person.grants if (role, kind) == ("bank_officer", "bank"))
    if not theirs:
        raise NotAllowed("bank")
    return str(theirs[0])


def actor() -> str:
    return f"person:{g.person.public_id}"


@bp.get("")
@requires("voucher.confirm")
def show_bank() -> ResponseReturnValue:
    return page("bank/today.html", work=desks.of_bank(db.session(), bank()))


@bp.get("/pledges/<pledge>")
@requires("voucher.confirm")
def show_pledge(pledge: str) -> ResponseReturnValue:
    return pledge_page(pledge)


def pledge_page(
    public_id: str,
    form: Form | None = None,
    refusal: Form | None = None,
    dispute: ReasonForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    found = desks.of_bank(db.session(), bank(), public_id)
    if not found:
        raise NotFound(public_id)
    work = found[0]
    given = {"issued_on": work.voucher.issued_on, "branch": work.voucher.branch, "band": work.programme.minimum_band}
    return page(
        "bank/pledge.html",
        work=work,
        card=holding.card_of(work.pledge),
        form=form or DepositForm(data=given),
        refusal=refusal or ReasonForm(),
        dispute=apart(dispute or ReasonForm(), "dispute"),
        disputable=disputes.DISPUTABLE,
        status=status,
    )


@bp.post("/pledges/<pledge>/confirmation")
@requires("voucher.confirm")
def create_confirmation(pledge: str) -> ResponseReturnValue:
    form = DepositForm(request.form)
    if not form.validate():
        return pledge_page(pledge, form, status=422)
    issued = form.issued_on.data
    assert isinstance(issued, date)
    deposit = Deposit(issued, str(form.branch.data), str(form.band.data), str(form.saver_ending.data))
    try:
        in_transaction(confirming.confirm, pledge=pledge, bank=bank(), deposit=deposit, actor=actor())
    except OutsideWindow as refusal:
        form.issued_on.errors = [refusal.message]
        return pledge_page(pledge, form, status=refusal.status)
    except BandTooLow as refusal:
        form.band.errors = [refusal.message]
        return pledge_page(pledge, form, status=refusal.status)
    except (IllegalTransition, StaleState):
        flash(_("This step was already taken or is no longer possible. Here is the current state."), "note")
        return redirect(url_for(".show_pledge", pledge=pledge), 303)
    flash(_("Confirmed. The child is told when the watch is there."), "done")
    return redirect(url_for(".show_bank"), 303)


@bp.post("/pledges/<pledge>/dispute")
@requires("voucher.confirm")
def create_dispute(pledge: str) -> ResponseReturnValue:
    """What was said of it may be wrong; somebody else decides."""
    form = ReasonForm(request.form)
    if not form.validate():
        return pledge_page(pledge, dispute=form, status=422)
    done = _("Noted. A person of the programme office decides; until then nothing goes on with this voucher.")
    return take(disputes.dispute, pledge, done, reason=str(form.reason.data))


@bp.post("/pledges/<pledge>/refusal")
@requires("voucher.confirm")
def create_refusal(pledge: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return pledge_page(pledge, refusal=form, status=422)
    done = _("Taken back. The child waits on with the time it had.")
    return take(confirming.refuse, pledge, done, reason=str(form.reason.data))


def take(command: Callable[..., object], pledge: str, done: str, **arguments: Any) -> ResponseReturnValue:
    back = url_for(".show_pledge", pledge=pledge)
    return take_step(command, back, done=done, pledge=pledge, bank=bank(), actor=actor(), **arguments)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    body = render_template(template, partner=desks.bank_name(db.session(), bank()), telling=telling, **shown)
    return body, status, {"Cache-Control": "no-store"}
