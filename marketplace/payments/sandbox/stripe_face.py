"""A small part of Stripe's interface in front of the cashier: Checkout Sessions, PaymentIntents, refunds.

No server that others wrote has Checkout Sessions, so our Stripe gateway is tried on this one. It has never met the real
Stripe; what it answers follows https://docs.stripe.com/api (read 2026-11)."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from marketplace.accounts.permissions import requires
from marketplace.core.forgery import exempt
from marketplace.core.money import Money
from marketplace.payments.gateways import (
    ActionRequired,
    Declined,
    GatewayError,
    Invalid,
    KeyMismatch,
    MandateRequest,
    PaymentRequest,
    RefundRequest,
    RemoteRefund,
)
from marketplace.payments.sandbox.views import cashier

bp = Blueprint("sandbox_stripe", __name__, url_prefix="/sandbox-cashier/v1")

SESSION = {  # what the cashier says -> what Stripe says of the session, and of its payment
    "requires_payment_method": ("open", "unpaid"),
    "failed": ("open", "unpaid"),
    "processing": ("complete", "unpaid"),
    "succeeded": ("complete", "paid"),
    "canceled": ("expired", "unpaid"),
}
INTENT = {"failed": "requires_payment_method"}
ERRORS = {
    KeyMismatch: ("idempotency_error", 400),
    Invalid: ("invalid_request_error", 400),
    Declined: ("card_error", 402),
    ActionRequired: ("card_error", 402),
}
CODES: dict[type[GatewayError], str] = {Declined: "card_declined", ActionRequired: "authentication_required"}


@bp.before_request
def check_key() -> ResponseReturnValue | None:
    given = request.authorization.token or request.authorization.username or "" if request.authorization else ""
    if hmac.compare_digest(given.encode(), cashier().api_key.encode()):
        return None
    return error("invalid_request_error", "Invalid API Key provided"), 401


@bp.errorhandler(GatewayError)
def tell_error(refusal: GatewayError) -> ResponseReturnValue:
    kind, status = ERRORS.get(type(refusal), ("api_error", 500))
    return error(kind, str(refusal.args[0]) if refusal.args else kind, CODES.get(type(refusal))), status


@bp.post("/checkout/sessions")
@exempt
@requires("sandbox_payment.ask")
def create_session() -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        price = asked["line_items"]["0"]["price_data"]
        wanted = PaymentRequest(
            attempt=asked["client_reference_id"],
            amount=Money(int(price["unit_amount"]), price["currency"].upper()),
            description=price["product_data"]["name"],
            return_url=asked["success_url"],
            pay_by=datetime.fromtimestamp(int(asked["expires_at"]), UTC) if "expires_at" in asked else None,
            for_later=asked.get("payment_method_options", {}).get("card", {}).get("setup_future_usage") == "off_session",
        )
    except (KeyError, TypeError, ValueError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    made = cashier().start_payment(wanted, key=request.headers.get("Idempotency-Key", ""))
    return session_of(cashier().look_up(made.remote_id))


@bp.get("/checkout/sessions")
@requires("sandbox_payment.ask")
def list_sessions() -> ResponseReturnValue:
    if intent := request.args.get("payment_intent"):
        return listed([session_of(cashier().look_up(intent.removeprefix("pi_")))])
    since = datetime.fromtimestamp(request.args.get("created[gte]", 0, int), UTC)
    return listed(session_of(row) for row in cashier().opened_since(since) if row.return_url)


@bp.get("/checkout/sessions/<session>")
@requires("sandbox_payment.ask")
def show_session(session: str) -> ResponseReturnValue:
    return session_of(cashier().look_up(session.removeprefix("cs_")))


@bp.post("/checkout/sessions/<session>/expire")
@exempt
@requires("sandbox_payment.ask")
def expire_session(session: str) -> ResponseReturnValue:
    payment = session.removeprefix("cs_")
    cashier().cancel_payment(payment, key=request.headers.get("Idempotency-Key", ""))
    row = cashier().look_up(payment)
    if row.status != "canceled":
        raise Invalid("only open sessions can be expired")
    return session_of(row)


@bp.get("/payment_intents")
@requires("sandbox_payment.ask")
def list_intents() -> ResponseReturnValue:
    since = datetime.fromtimestamp(request.args.get("created[gte]", 0, int), UTC)
    return listed(intent_of(row) for row in cashier().opened_since(since) if row.decided_at)


@bp.post("/payment_intents")
@exempt
@requires("sandbox_payment.ask")
def create_intent() -> ResponseReturnValue:
    """Off session only: a card that was kept is charged at once."""
    asked = nested(request.form.items(multi=True))
    try:
        amount = Money(int(asked["amount"]), asked["currency"].upper())
        wanted = PaymentRequest(asked["metadata"]["attempt"], amount, asked["description"], "")
        card = asked["payment_method"].removeprefix("pm_")
    except (KeyError, TypeError, ValueError, AttributeError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    made = cashier().charge_mandate(wanted, card, key=request.headers.get("Idempotency-Key", ""))
    return intent_of(cashier().look_up(made.remote_id))


@bp.get("/payment_intents/<intent>")
@requires("sandbox_payment.ask")
def show_intent(intent: str) -> ResponseReturnValue:
    return intent_of(cashier().look_up(intent.removeprefix("pi_")))


@bp.post("/refunds")
@exempt
@requires("sandbox_payment.ask")
def create_refund() -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        payment = asked["payment_intent"].removeprefix("pi_")
        wanted = RefundRequest(asked["metadata"]["refund"], payment, Money(int(asked["amount"])))
    except (KeyError, TypeError, ValueError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    return refund_of(cashier().refund(wanted, key=request.headers.get("Idempotency-Key", "")))


@bp.get("/refunds")
@requires("sandbox_payment.ask")
def list_refunds() -> ResponseReturnValue:
    payment = request.args.get("payment_intent", "").removeprefix("pi_")
    return listed(refund_of(one) for one in cashier().refunds_of(payment))


@bp.get("/refunds/<refund>")
@requires("sandbox_payment.ask")
def show_refund(refund: str) -> ResponseReturnValue:
    return refund_of(cashier().fetch_refund(refund))


def session_of(row: Row[Any]) -> dict[str, Any]:
    status, payment_status = SESSION[row.status]
    return {
        "id": f"cs_{row.id}",
        "object": "checkout.session",
        "client_reference_id": row.attempt,
        "payment_intent": intent_of(row) if row.decided_at else None,  # there is none before somebody tries
        "amount_total": row.amount,
        "currency": row.currency.lower(),
        "status": status,
        "payment_status": payment_status,
        "livemode": False,
        "created": int(row.created_at.timestamp()),
        "url": cashier().page_of(row.id) if status == "open" else None,
    }


def intent_of(row: Row[Any]) -> dict[str, Any]:
    card = card_of(row)
    return {
        "id": f"pi_{row.id}",
        "object": "payment_intent",
        "amount": row.amount,
        "amount_received": row.amount if row.status == "succeeded" else 0,
        "currency": row.currency.lower(),
        "status": INTENT.get(row.status, row.status),
        "metadata": {"attempt": row.attempt, "through": "checkout" if row.return_url else "mandate"},
        "livemode": False,
        "customer": f"cus_{card}" if card else None,
        "payment_method": {"id": f"pm_{card}", "object": "payment_method", "type": "card"} if card else None,
    }


def card_of(row: Row[Any]) -> str:
    """The name of the card that was kept with this payment, where one was; as if always asked for expanded."""
    try:
        return cashier().save_mandate(MandateRequest(row.id), key="").remote_id
    except GatewayError:
        return ""


def refund_of(remote: RemoteRefund) -> dict[str, Any]:
    return {
        "id": remote.remote_id,
        "object": "refund",
        "amount": remote.amount.fen,
        "currency": remote.amount.currency.lower(),
        "status": remote.raw_status,
        "metadata": {"refund": remote.refund},
    }


def listed(things: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "url": request.path, "has_more": False, "data": list(things)}


def error(kind: str, message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"type": kind, "message": message} | ({"code": code} if code else {})}


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c`, the way Stripe's parameters travel, as {"a": {"b": {"0": "c"}}}."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = name.replace("]", "").split("[")
        place = found
        for step in path:
            deeper = place.setdefault(step, {})
            place = deeper if isinstance(deeper, dict) else {}
        place[last] = value
    return found
