"""/operator/payees: bank accounts of sellers and stations are verified here before anything is paid to them."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.forms import Form, tidy
from marketplace.core.steps import take_step
from marketplace.orders.batches import payees, queries, telling
from marketplace.orders.batches.forms import FreezingForm, VerificationForm
from marketplace.payments.gateways import current_book

bp = Blueprint("payees", __name__, url_prefix="/operator/payees")


@bp.get("")
@requires("payee.verify")
def list_payees() -> ResponseReturnValue:
    return page("settlements/payees.html", found=queries.payees(db.session(), tidy(request.args.get("before", ""))))


@bp.get("/<account>")
@requires("payee.verify")
def show_payee(account: str) -> ResponseReturnValue:
    return payee_page(account)


def payee_page(account: str, status: int = 200, **forms: Form) -> ResponseReturnValue:
    shown = queries.get_payee(db.session(), account)
    blank: dict[str, Form] = {"verification": VerificationForm(), "freezing": FreezingForm()}
    owed = queries.owed_fen(db.session(), (shown.row.owner_kind, shown.row.owner), current_book())
    return page("settlements/payee.html", status, shown=shown, owed_fen=owed, **(blank | forms))


@bp.post("/<account>/verification")
@requires("payee.verify")
def create_verification(account: str) -> ResponseReturnValue:
    form = VerificationForm(request.form)
    if not form.validate():
        return payee_page(account, 422, verification=form)
    hit("payee", account, limit=20, seconds=HOUR)  # a number is typed from a paper, not guessed
    given: dict[str, Any] = {"number": str(form.number.data), "revision": form.seen_revision}
    given["last4_there"] = str(form.last4_there.data or "")
    try:
        in_transaction(payees.verify, account=account, person_id=g.person.id, **given)
    except payees.OtherNumber as refusal:
        form.number.errors = [refusal.message]
        return payee_page(account, refusal.status, verification=form)
    except StaleState as refusal:
        form.form_errors.append(refusal.message)
        return payee_page(account, refusal.status, verification=form)
    flash(_("Verified. The next batch can pay this account."), "done")
    return redirect(url_for(".list_payees"), 303)


@bp.post("/<account>/freeze")
@requires("payee.verify")
def create_freeze(account: str) -> ResponseReturnValue:
    form = FreezingForm(request.form)
    if not form.validate():
        return payee_page(account, 422, freezing=form)
    return take(account, payees.freeze, reason=str(form.reason.data))


@bp.post("/<account>/release")
@requires("payee.verify")
def create_release(account: str) -> ResponseReturnValue:
    return take(account, payees.release)


def take(account: str, step: Callable[..., None], **given: Any) -> ResponseReturnValue:
    back = url_for(".show_payee", account=account)
    return take_step(step, back, passes=(payees.OwnPayee,), account=account, person_id=g.person.id, **given)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    words: dict[str, Any] = {"payee_words": telling.AT_GATEWAY, "why_frozen": telling.why_frozen}
    common = {"desk_current": "payees", "today": clock.today(), **words}
    return render_template(template, **common, **shown), status, {"Cache-Control": "no-store"}
