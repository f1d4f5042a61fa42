"""/operator/reconciliation: the last runs, what they cannot explain, the proof, and the switch that stops the worker's."""

from datetime import date, timedelta
from typing import Final

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.formats import amount
from marketplace.core.forms import KeyedForm
from marketplace.payments.gateways import current_book, gateways
from marketplace.payments.operator.forms import WhyForm
from marketplace.payments.operator.views import actor, page
from marketplace.payments.reconciliation import converting, differences, fees, proof, switch

RUNS: Final = 20

bp = Blueprint("operator_reconciliation", __name__, url_prefix="/operator/reconciliation")


@bp.get("")
@requires("payment.look_into")
def show_reconciliation() -> ResponseReturnValue:
    return reconciliation_page()


def reconciliation_page(form: WhyForm | None = None, status: int = 200) -> ResponseReturnValue:
    session, book = db.session(), current_book()
    return page(
        "operator/reconciliation.html",
        status,
        form=form or WhyForm(),
        grant=KeyedForm(),
        switched=switch.position(session),
        is_on=switch.is_on(session),
        payouts_are_open=switch.payouts_are_open(session),
        runs=differences.runs(session, RUNS),
        shown=differences.SHOWN,
        gateways=[look_at(name) for name in sorted(gateways().by_name)],
        month=last_month(),
        fees_of_month=sums(fees.of_month(session, last_month(), book=book)),
        is_covered=fees.is_covered(session, last_month()),
        converted=converting.converted(session, book=book),
        left_over=converting.left_over(session, book=book),
    )


def look_at(name: str) -> dict[str, object]:
    session, gateway = db.session(), gateways().get(name)
    last = next((run for run in switch.last_runs(session) if run.gateway == name), None)
    wrong, waiting = differences.wrong(session, gateway=name), differences.waiting(session, gateway=name)
    missing = proof.missing_entries(session, gateway)
    return {"name": name, "last": last, "wrong": wrong, "waiting": waiting, "missing": missing}


def cover(session: Session, *, month: date, book: str, actor: str) -> str:
    return sums(fees.cover(session, month=month, book=book, actor=actor))


def sums(by_currency: dict[str, int]) -> str:
    """One after the other, as money is written; empty where there is none."""
    return ", ".join(amount(units, currency) for currency, units in sorted(by_currency.items()))


def last_month() -> date:
    return clock.today().replace(day=1) - timedelta(days=1)


@bp.post("/switch")
@requires("payment.correct")
def create_switching() -> ResponseReturnValue:
    """What the form's button says: "on" or "off"."""
    form = WhyForm(request.form)
    wanted = request.form.get("to")
    if not form.validate() or wanted not in {"on", "off"}:
        return reconciliation_page(form, 422)
    try:
        in_transaction(switch.turn, on=wanted == "on", actor=actor(), why=str(form.why.data))
    except StaleState:
        flash(_("It already stands like that."), "note")
    else:
        flash(_("Reconciliation is on again.") if wanted == "on" else _("Reconciliation is switched off."), "done")
    return redirect(url_for(".show_reconciliation"), 303)


@bp.post("/grants")
@requires("payment.correct")
def create_grant() -> ResponseReturnValue:
    """The fees of the last month, out of the operating grant."""
    form = KeyedForm(request.form)
    key = form.idempotency(f"grant:{g.person.id}:{last_month():%Y-%m}")
    given = {"month": last_month(), "book": current_book(), "actor": actor()}
    try:
        covered = in_transaction(idempotency.once, cover, idempotency=key, **given)
    except (fees.NothingToCover, fees.AlreadyCovered) as refusal:
        flash(refusal.message, "note")
    else:
        flash(_("%(sum)s of fees are covered by the operating grant.", sum=covered), "done")
    return redirect(url_for(".show_reconciliation"), 303)
