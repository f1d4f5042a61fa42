"""/station/cash-gifts/deposits, /operator/cash-deposits: cash goes into the bank by two people, and back for its givers."""

from typing import Any, Final

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.campaigns.banking import depositing, queries
from crowdfund.campaigns.banking.forms import DepositForm, DrawnForm, FoundForm
from crowdfund.campaigns.views.cash import page
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import Form
from marketplace.core.steps import take_step
from marketplace.payments.gateways import current_book

NO_STORE: Final = {"Cache-Control": "no-store"}
STATES: Final = {
    "paid_in": _l("waits for the bank"),
    "differs": _l("the sums differ"),
    "confirmed": _l("in the bank"),
    "withdrawn": _l("withdrawn"),
}

bp = Blueprint("deposits", __name__)


@bp.get("/station/cash-gifts/deposits")
@requires("cash_gift.take")
def list_deposits() -> ResponseReturnValue:
    return station_page(DepositForm(data={"paid_on": clock.today()}))


@bp.post("/station/cash-gifts/deposits")
@requires("cash_gift.take")
def create_deposit() -> ResponseReturnValue:
    """Paid in once, however often the form is sent."""
    form = DepositForm(request.form)
    if not form.validate():
        return station_page(form, 422)
    told: dict[str, Any] = {"station": g.station, "fen": form.amount.fen, "clerk_id": g.person.id}
    told |= {"slip_number": str(form.slip_number.data).upper(), "paid_on": form.paid_on.data}
    key = form.idempotency(f"cash-deposit:{g.station}:{g.person.id}")
    try:
        in_transaction(idempotency.once, depositing.pay_in, idempotency=key, **told)
    except depositing.OtherSum as refusal:
        form.amount.errors = [str(refusal.message)]
        return station_page(form, refusal.status)
    except depositing.SlipUsed as refusal:
        form.slip_number.errors = [str(refusal.message)]
        return station_page(form, refusal.status)
    except depositing.SlipTooOld as refusal:
        form.paid_on.errors = [str(refusal.message)]
        return station_page(form, refusal.status)
    except (depositing.NothingThere, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return station_page(form, refusal.status)
    return redirect(url_for(".list_deposits"), 303)


@bp.post("/station/cash-gifts/deposits/<deposit>/withdrawal")
@requires("cash_gift.take")
def create_withdrawal(deposit: str) -> ResponseReturnValue:
    told: dict[str, Any] = {"deposit": deposit, "station": g.station, "person_id": g.person.id}
    return take_step(depositing.withdraw, url_for(".list_deposits"), **told)


@bp.post("/station/cash-gifts/<gift>/arrival")
@requires("cash_gift.take")
def create_arrival(gift: str) -> ResponseReturnValue:
    """What the bank sent back is in the drawer; its gift's page is where it goes back to the giver."""
    back = url_for("cash_gifts.show_gift", gift=gift)
    return take_step(depositing.arrive, back, gift=gift, station=g.station, person_id=g.person.id)


def station_page(form: DepositForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    there = depositing.in_the_drawer(session, g.station, current_book())
    shown: dict[str, Any] = {"form": form, "there_fen": sum(row.fen for row in there), "gifts": len(there)}
    shown |= {"deposits": queries.of_station(session, g.station), "drawn": queries.to_be_drawn(session, g.station)}
    return page("station/deposits.html", status, words=STATES, **shown)


@bp.get("/operator/cash-deposits")
@requires("cash_deposit.read")
def list_everywhere() -> ResponseReturnValue:
    return province_page({})


@bp.post("/operator/cash-deposits/<deposit>/confirmation")
@requires("cash_deposit.confirm")
def create_confirmation(deposit: str) -> ResponseReturnValue:
    form = FoundForm(request.form, prefix=f"{deposit}-")
    if not form.validate():
        return province_page({deposit: form}, 422)
    told: dict[str, Any] = {"deposit": deposit, "found_fen": form.found.fen, "why": str(form.why.data or "")}
    try:
        return take_step(
            depositing.confirm,
            url_for(".list_everywhere"),
            passes=(depositing.NoReason,),
            person_id=g.person.id,
            **told,
        )
    except depositing.NoReason as refusal:
        form.why.errors = [str(refusal.message)]
        return province_page({deposit: form}, refusal.status)


@bp.post("/operator/cash-deposits/gifts/<gift>/drawing")
@requires("cash_deposit.confirm")
def create_drawing(gift: str) -> ResponseReturnValue:
    form = DrawnForm(request.form, prefix=f"{gift}-")
    if not form.validate():
        return province_page({gift: form}, 422)
    told: dict[str, Any] = {"gift": gift, "number": str(form.number.data).upper(), "person_id": g.person.id}
    done = _("Written down. The station says when it is in the drawer.")
    return take_step(depositing.draw, url_for(".list_everywhere"), done=done, **told)


def province_page(given: dict[str, Form], status: int = 200) -> ResponseReturnValue:
    """`given`: forms that were refused, by what they are about."""
    session = db.session()
    deposits, drawn = queries.everywhere(session), queries.to_be_drawn(session)
    forms_of: dict[str, Form] = {
        row.CashDeposit.public_id: FoundForm(prefix=f"{row.CashDeposit.public_id}-") for row in deposits
    }
    forms_of |= {row.gift: DrawnForm(prefix=f"{row.gift}-") for row in drawn}
    shown: dict[str, Any] = {"deposits": deposits, "drawn": drawn, "forms_of": forms_of | given, "words": STATES}
    shown |= {"may_confirm": "finance_operator" in g.person.roles, "desk_current": "cash_deposits"}
    return render_template("operator/cash_deposits.html", **shown), status, NO_STORE
