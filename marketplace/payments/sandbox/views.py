"""The cashier's pages. They look unlike the shop on purpose: this is another house, with test money."""

from contextlib import suppress
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import Invalid, gateways
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.mandates import LATER

bp = Blueprint("sandbox_cashier", __name__, url_prefix="/sandbox-cashier")

OUTCOMES = {"approve": "succeeded", "decline": "failed", "vanish": "succeeded"}


@bp.get("/pay/<payment>")
@requires("sandbox_payment.show")
def show_payment(payment: str) -> ResponseReturnValue:
    return render_template("payments/cashier.html", payment=find(payment)), 200, {"Cache-Control": "no-store"}


@bp.post("/pay/<payment>/decision")
@requires("sandbox_payment.decide")
def create_decision(payment: str) -> ResponseReturnValue:
    """approve, decline, later, or vanish: pay and close the window, so that nobody comes back to the shop."""
    found = find(payment)
    outcome, later = request.form.get("outcome", ""), request.form.get("later", found.later)
    if outcome not in {*OUTCOMES, "later"} or later not in {found.later, *LATER}:
        return render_template("payments/cashier.html", payment=found), 422
    if found.later and later != found.later and not found.is_over:
        cashier().choose_later(payment, later)
    if outcome in OUTCOMES:
        cashier().decide(payment, OUTCOMES[outcome])
    if outcome == "vanish":
        return render_template("payments/cashier_closed.html", payment=found)
    return redirect(found.return_url, 303)


@bp.post("/pay/<payment>/bank")
@requires("sandbox_payment.decide")
def create_bank_step(payment: str) -> ResponseReturnValue:
    """What the payer's bank may do with a payment that was made; a step out of turn changes nothing."""
    find(payment)
    step, standing = request.form.get("step", ""), cashier().open_dispute_of(payment)
    with suppress(Invalid):
        if step in {"dispute", "inquiry"}:
            cashier().open_dispute(payment, is_inquiry=step == "inquiry")
        elif step in {"won", "lost"} and standing:
            cashier().decide_dispute(standing, is_won=step == "won")
    return redirect(url_for(".show_payment", payment=payment), 303)


def find(payment: str) -> "CashierPage":
    try:
        return CashierPage(cashier(), payment)
    except Invalid as error:
        raise NotFound(payment) from error


class CashierPage:
    """What the page shows of a payment."""

    def __init__(self, gateway: SandboxCashier, payment: str) -> None:
        row = gateway.look_up(payment)
        self.later: str = gateway.later_of(payment) or ""
        self.id: str = row.id
        self.fen: int = row.amount
        self.description: str = row.description
        self.status: str = row.status
        self.pay_by = row.pay_by
        self.return_url = same_site(row.return_url)
        self.is_disputed = gateway.open_dispute_of(payment) is not None

    @property
    def is_over(self) -> bool:
        return self.status in {"succeeded", "canceled"}

    @property
    def is_purchase(self) -> bool:
        """Goods are paid for in jujube and by number; a gift has neither."""
        return self.return_url.startswith("/orders/")


def same_site(url: str) -> str:
    """Back to this house only, whatever was asked for."""
    parts = urlsplit(url)
    is_path = parts.path.startswith("/") and not parts.path.startswith("//") and "\\" not in url
    path = parts.path if is_path else "/"
    return f"{path}?{parts.query}" if parts.query else path


def cashier() -> SandboxCashier:
    found = gateways().get("sandbox")
    assert isinstance(found, SandboxCashier)
    return found
