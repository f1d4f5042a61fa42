"""The part of the Stripe-like face that pays others: accounts, account links, transfers and their reversals.

It has never met the real Stripe; what it answers follows https://docs.stripe.com/api (read 2026-11)."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.forgery import exempt
from marketplace.core.money import Money
from marketplace.payments.gateways import GatewayError, Invalid
from marketplace.payments.sandbox.stripe_face import check_key, listed, nested, tell_error
from marketplace.payments.sandbox.views import cashier
from marketplace.payments.transfers.asking import PayeeStatus, RemoteTransfer, ReversalRequest, TransferRequest
from marketplace.payments.transfers.states import PayeeState

bp = Blueprint("sandbox_connect", __name__, url_prefix="/sandbox-cashier/v1")
bp.before_request(check_key)
bp.register_error_handler(GatewayError, tell_error)


def key() -> str:
    return request.headers.get("Idempotency-Key", "")


@bp.post("/accounts")
@exempt
@requires("sandbox_payment.ask")
def create_account() -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        is_express = asked["controller"]["stripe_dashboard"]["type"] == "express"
        is_asked = asked["capabilities"]["transfers"]["requested"] == "true"
        payee = asked["metadata"]["payee"]
    except (KeyError, TypeError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    if not (is_express and is_asked):
        raise Invalid("only express accounts that take transfers")
    return account_of(cashier().open_payee(payee, key=key()))


@bp.get("/accounts/<account>")
@requires("sandbox_payment.ask")
def show_account(account: str) -> ResponseReturnValue:
    return account_of(cashier().payee_status(account))


@bp.post("/account_links")
@exempt
@requires("sandbox_payment.ask")
def create_link() -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        account, back = asked["account"], quote(asked["return_url"], safe="")
        is_known = asked["type"] == "account_onboarding" and asked["refresh_url"]
    except KeyError as missing:
        raise Invalid(f"missing: {missing}") from missing
    if not is_known:
        raise Invalid("only onboarding")
    url = f"{cashier().page_of_payee(cashier().look_up_payee(account).id)}?return={back}"
    now = int(clock.now().timestamp())
    return {"object": "account_link", "created": now, "expires_at": now + 300, "url": url}


@bp.post("/transfers")
@exempt
@requires("sandbox_payment.ask")
def create_transfer() -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        amount = Money(int(asked["amount"]), asked["currency"].upper())
        wanted = TransferRequest(asked["metadata"]["transfer"], asked["destination"], amount, asked["transfer_group"])
    except (KeyError, TypeError, ValueError, AttributeError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    return transfer_of(cashier().transfer(wanted, key=key()))


@bp.get("/transfers")
@requires("sandbox_payment.ask")
def list_transfers() -> ResponseReturnValue:
    since = datetime.fromtimestamp(request.args.get("created[gte]", 0, int), UTC)
    made = cashier().transfers_to(request.args.get("destination", ""))
    return listed(transfer_of(cashier().described_transfer(row)) for row in made if row.at >= since)


@bp.post("/transfers/<transfer>/reversals")
@exempt
@requires("sandbox_payment.ask")
def create_reversal(transfer: str) -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        wanted = ReversalRequest(asked["metadata"]["reversal"], transfer, Money(int(asked["amount"])))
    except (KeyError, TypeError, ValueError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    return reversal_of(cashier().reverse_transfer(wanted, key=key()))


@bp.get("/transfers/<transfer>/reversals")
@requires("sandbox_payment.ask")
def list_reversals(transfer: str) -> ResponseReturnValue:
    return listed(map(reversal_of, cashier().reversals_of(transfer)))


def account_of(status: PayeeStatus) -> dict[str, Any]:
    is_verified = status.state is PayeeState.VERIFIED
    bank = [{"object": "bank_account", "last4": status.last4, "default_for_currency": True}] if status.last4 else []
    return {
        "id": status.remote_id,
        "object": "account",
        "metadata": {"payee": status.payee},
        "details_submitted": status.state is not PayeeState.INCOMPLETE,
        "payouts_enabled": is_verified,
        "capabilities": {"transfers": "active" if is_verified else "inactive"},
        "requirements": {"disabled_reason": None if is_verified else REASONS[status.state]},
        "external_accounts": {"object": "list", "data": bank, "has_more": False},
    }


REASONS = {PayeeState.INCOMPLETE: "requirements.past_due", PayeeState.RESTRICTED: "rejected.other"}


def transfer_of(made: RemoteTransfer) -> dict[str, Any]:
    return moved(made, "transfer", "transfer") | {"livemode": False}


def reversal_of(made: RemoteTransfer) -> dict[str, Any]:
    return moved(made, "transfer_reversal", "reversal")


def moved(made: RemoteTransfer, kind: str, name: str) -> dict[str, Any]:
    money = {"amount": made.amount.fen, "currency": made.amount.currency.lower()}
    return {"id": made.remote_id, "object": kind, "metadata": {name: made.ours}} | money
