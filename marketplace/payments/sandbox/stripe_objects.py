"""What the cashier has, as objects of Stripe's: https://docs.stripe.com/api (read 2026-11)."""

from typing import Any

from sqlalchemy import Row

from marketplace.payments.gateway_news import Movement, RemoteDispute
from marketplace.payments.gateways import GatewayError, MandateRequest, RemoteMandate, RemoteRefund
from marketplace.payments.sandbox.book_keeping import PAYOUTS
from marketplace.payments.sandbox.views import cashier

SESSION = {  # what the cashier says -> what Stripe says of the session, and of its payment
    "requires_payment_method": ("open", "unpaid"),
    "failed": ("open", "unpaid"),
    "processing": ("complete", "unpaid"),
    "succeeded": ("complete", "paid"),
    "canceled": ("expired", "unpaid"),
}
INTENT = {"failed": "requires_payment_method"}
MOVED_BY_BANKS = ("dispute", "dispute_reversal")
OURS = {"transfer": ("transfer", "transfer"), "transfer_refund": ("transfer_reversal", "reversal")}


def transaction_of(movement: Movement) -> dict[str, Any]:
    return {
        "id": movement.remote_id,
        "object": "balance_transaction",
        "type": "adjustment" if movement.type in MOVED_BY_BANKS else movement.type,
        "reporting_category": movement.type,
        "amount": movement.gross,
        "fee": movement.fee,
        "net": movement.net,
        "currency": movement.currency.lower(),
        "exchange_rate": float(movement.rate) if movement.rate else None,
        "created": int(movement.at.timestamp()),
        "source": source_of(movement),
    }


def dispute_of(told: RemoteDispute) -> dict[str, Any]:
    settled = told.fee.currency.lower()
    moved = [{"amount": -told.amount.fen, "fee": told.fee.fen, "currency": settled}] if told.is_withdrawn else []
    moved += [{"amount": told.amount.fen, "fee": 0, "currency": settled}] if told.is_reinstated else []
    return {
        "id": told.remote_id,
        "object": "dispute",
        "amount": told.amount.fen,
        "currency": told.amount.currency.lower(),
        "status": told.raw_status,
        "reason": told.reason,
        "payment_intent": {"object": "payment_intent", "metadata": {"attempt": told.attempt}},
        "evidence_details": {"due_by": int(told.answer_by.timestamp()) if told.answer_by else None},
        "balance_transactions": moved,
        "livemode": False,
    }


def source_of(movement: Movement) -> dict[str, Any]:
    """What it was made for, with the sum that the payer saw."""
    amount = movement.gross if movement.presented is None else movement.presented
    currency = movement.presented_currency or movement.currency
    return named_source(movement) | {"amount": abs(amount), "currency": currency.lower()}


def named_source(movement: Movement) -> dict[str, Any]:
    if movement.type == "charge":
        whose = {"payment_intent": f"pi_{movement.source_id}", "metadata": {"attempt": movement.ours}}
        return {"id": f"ch_{movement.source_id}", "object": "charge", **whose}
    if movement.type in MOVED_BY_BANKS:
        return {"id": movement.source_id, "object": "dispute", "metadata": {"attempt": movement.ours}}
    if movement.type in OURS:
        kind, name = OURS[movement.type]
        return {"id": movement.source_id, "object": kind, "metadata": {name: movement.ours}}
    if movement.type in PAYOUTS:
        return {"id": movement.source_id, "object": "payout", "metadata": {}}
    return {"id": movement.source_id, "object": "refund", "metadata": {"refund": movement.ours}}


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
    kept = card_of(row)
    return {
        "id": f"pi_{row.id}",
        "object": "payment_intent",
        "amount": row.amount,
        "amount_received": row.amount if row.status == "succeeded" else 0,
        "currency": row.currency.lower(),
        "status": INTENT.get(row.status, row.status),
        "metadata": {"attempt": row.attempt, "through": "checkout" if row.return_url else "mandate"},
        "livemode": False,
        "customer": f"cus_{kept.remote_id}" if kept else None,
        "payment_method": method_of(row, kept) if kept or row.payer else None,
    }


def card_of(row: Row[Any]) -> RemoteMandate | None:
    """The card that was kept with this payment, where one was; as if always asked for expanded."""
    try:
        return cashier().save_mandate(MandateRequest(row.id), key="")
    except GatewayError:
        return None


def method_of(row: Row[Any], kept: RemoteMandate | None) -> dict[str, Any]:
    last = kept.good_until if kept else None
    card: dict[str, Any] = {"exp_month": last.month, "exp_year": last.year} if last else {}
    card |= {"fingerprint": row.payer} if row.payer else {}
    return {"id": f"pm_{kept.remote_id if kept else row.id}", "object": "payment_method", "type": "card", "card": card}


def refund_of(remote: RemoteRefund) -> dict[str, Any]:
    return {
        "id": remote.remote_id,
        "object": "refund",
        "amount": remote.amount.fen,
        "currency": remote.amount.currency.lower(),
        "status": remote.raw_status,
        "payment_intent": f"pi_{remote.payment}",
        "metadata": {"refund": remote.refund},
    }
