"""A small part of Stripe's interface in front of the cashier: Checkout Sessions, PaymentIntents, refunds, its balance.

No server that others wrote has Checkout Sessions, so our Stripe gateway is tried on this one. It has never met the real
Stripe; what it answers follows https://docs.stripe.com/api (read 2026-11)."""

import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.forgery import exempt
from marketplace.core.money import Money
from marketplace.payments.gateways import (
    ActionRequired,
    Declined,
    GatewayError,
    InsufficientFunds,
    Invalid,
    KeyMismatch,
    PaymentRequest,
    RefundRequest,
)
from marketplace.payments.sandbox.stripe_objects import dispute_of, intent_of, refund_of, session_of, transaction_of
from marketplace.payments.sandbox.views import cashier

bp = Blueprint("sandbox_stripe", __name__, url_prefix="/sandbox-cashier/v1")

ERRORS = {
    KeyMismatch: ("idempotency_error", 400),
    Invalid: ("invalid_request_error", 400),
    Declined: ("card_error", 402),
    ActionRequired: ("card_error", 402),
    InsufficientFunds: ("invalid_request_error", 400),
}
CODES: dict[type[GatewayError], str] = {
    Declined: "card_declined",
    ActionRequired: "authentication_required",
    InsufficientFunds: "balance_insufficient",
}


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
    return listed(session_of(row) for row in cashier().opened_since(created_since()) if row.return_url)


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


@bp.post("/payment_methods/<method>/detach")
@exempt
@requires("sandbox_payment.ask")
def detach_method(method: str) -> ResponseReturnValue:
    """As Stripe does, it refuses a second time."""
    if not cashier().forget(method.removeprefix("pm_")):
        raise Invalid(f"{method} is not attached to a customer")
    return {"id": method, "object": "payment_method", "type": "card", "customer": None}


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


@bp.get("/disputes/<dispute>")
@requires("sandbox_payment.ask")
def show_dispute(dispute: str) -> ResponseReturnValue:
    return dispute_of(cashier().fetch_dispute(dispute))


@bp.post("/disputes/<dispute>")
@exempt
@requires("sandbox_payment.ask")
def update_dispute(dispute: str) -> ResponseReturnValue:
    asked = nested(request.form.items(multi=True))
    try:
        words = asked["evidence"]["uncategorized_text"]
    except (KeyError, TypeError) as missing:
        raise Invalid(f"missing or malformed: {missing}") from missing
    return dispute_of(cashier().answer_dispute(dispute, words, key=request.headers.get("Idempotency-Key", "")))


@bp.get("/balance_transactions")
@requires("sandbox_payment.ask")
def list_movements() -> ResponseReturnValue:
    before, size = request.args.get("starting_after", ""), min(request.args.get("limit", 10, int), 100)
    page = cashier().book_keeping.page_before(before, created_since(), size + 1)
    return listed(map(transaction_of, page[:size]), has_more=len(page) > size)


@bp.get("/balance")
@requires("sandbox_payment.ask")
def show_balance() -> ResponseReturnValue:
    held = [{"amount": fen, "currency": currency.lower()} for currency, fen in cashier().balance().items()]
    return {"object": "balance", "livemode": False, "available": held, "pending": []}


@bp.get("/events")
@requires("sandbox_payment.ask")
def list_events() -> ResponseReturnValue:
    made = [json.loads(body) for body in cashier().events_since(created_since())]
    return listed(reversed(made))


def created_since() -> datetime:
    return datetime.fromtimestamp(request.args.get("created[gte]", 0, int), UTC)


def listed(things: Iterable[dict[str, Any]], *, has_more: bool = False) -> dict[str, Any]:
    path = request.path.removeprefix("/sandbox-cashier")
    return {"object": "list", "url": path, "has_more": has_more, "data": list(things)}


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
