"""The cashier's pages. They look unlike the shop on purpose: this is another house, with test money."""

from contextlib import suppress
from functools import cached_property
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from marketplace.accounts.permissions import requires
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import Invalid, gateways
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.mandates import LATER

NO_STORE = {"Cache-Control": "no-store"}
bp = Blueprint("sandbox_cashier", __name__, url_prefix="/sandbox-cashier")

OUTCOMES = {"approve": "succeeded", "decline": "failed", "vanish": "succeeded", "slow": "processing"}


@bp.get("/pay/<payment>")
@requires("sandbox_payment.show")
def show_payment(payment: str) -> ResponseReturnValue:
    return render_template("payments/cashier.html", payment=find(payment)), 200, NO_STORE


@bp.post("/pay/<payment>/decision")
@requires("sandbox_payment.decide")
def create_decision(payment: str) -> ResponseReturnValue:
    """approve, decline, later; secure: the payer's bank asks once more; slow: it takes a minute; vanish: pay and close the
    window, so that nobody comes back to the shop."""
    found = find(payment)
    outcome, later = request.form.get("outcome", ""), request.form.get("later", found.later)
    if outcome not in {*OUTCOMES, "later", "secure"} or later not in {found.later, *LATER}:
        return render_template("payments/cashier.html", payment=found), 422
    if found.later and later != found.later and not found.is_over:
        cashier().choose_later(payment, later)
    if outcome == "secure":
        return redirect(url_for(".show_confirmation", payment=payment, scanned=request.args.get("scanned")), 303)
    if outcome in OUTCOMES:
        cashier().decide(payment, OUTCOMES[outcome])
    if "scanned" in request.args:  # this phone is nobody in the shop: the other screen goes on
        return render_template("payments/cashier_scanned.html", payment=find(payment))
    if outcome == "vanish":
        return render_template("payments/cashier_closed.html", payment=found)
    return redirect(found.return_url, 303)


@bp.get("/pay/<payment>/confirmation")
@requires("sandbox_payment.show")
def show_confirmation(payment: str) -> ResponseReturnValue:
    """3-D Secure: the page of the payer's own bank."""
    return render_template("payments/cashier_secure.html", payment=find(payment)), 200, NO_STORE


@bp.get("/pay/<payment>/code")
@requires("sandbox_payment.show")
def show_code(payment: str) -> ResponseReturnValue:
    """To be scanned with a phone, as wallets have it; goes back to the shop by itself once it was paid there."""
    found = find(payment)
    if found.is_over or found.is_waiting:
        return redirect(found.return_url, 303)
    import segno  # for this page only

    drawn = segno.make(f"{cashier().page_of(payment)}?scanned=1", error="m").svg_inline(scale=5, border=4)
    body = render_template("payments/cashier_code.html", payment=found, code=Markup(drawn))
    return body, 200, {**NO_STORE, "Refresh": "3"}


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

    @cached_property
    def is_disputed(self) -> bool:
        return cashier().open_dispute_of(self.id) is not None

    @property
    def is_over(self) -> bool:
        return self.status in {"succeeded", "canceled"}

    @property
    def is_waiting(self) -> bool:
        """Paid, and the payer's bank takes its time."""
        return self.status == "processing"

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
