"""What Stripe's objects mean in our words. Pure; a word we do not know is no outcome."""

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from marketplace.core.money import Money
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.gateway_news import Movement, RemoteDispute
from marketplace.payments.gateways import Book, OutcomeUnknown, RemotePayment, RemoteRefund
from marketplace.payments.states import AttemptState, RefundState

A = AttemptState
State = TypeVar("State")
INTENT: Final = {
    "requires_payment_method": A.REQUIRES_ACTION,
    "requires_confirmation": A.REQUIRES_ACTION,
    "requires_action": A.REQUIRES_ACTION,
    "processing": A.PROCESSING,
    "requires_capture": A.AUTHORIZED,
    "succeeded": A.SUCCEEDED,
    "canceled": A.CANCELLED,
}
REFUND: Final = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
D = DisputeState
DISPUTE: Final = {
    "warning_needs_response": D.INQUIRY,
    "warning_under_review": D.INQUIRY,
    "warning_closed": D.CLOSED,
    "prevented": D.CLOSED,
    "needs_response": D.NEEDS_RESPONSE,
    "under_review": D.UNDER_REVIEW,
    "appeal_needs_response": D.UNDER_REVIEW,
    "appeal_under_review": D.UNDER_REVIEW,
    "won": D.WON,
    "lost": D.LOST,
}
MOVED_BY_BANKS: Final = ("dispute", "dispute_reversal")
GIVEN_UP: Final = frozenset({"requires_payment_method", "canceled"})
OURS: Final = ("attempt", "refund", "transfer", "reversal")  # under which name metadata bear our own id
MARK: Final = "through"  # in the metadata of an intent: how it came about
HOSTED: Final = "checkout"
OFF_SESSION: Final = "mandate"


def payment_of_session(session: Any) -> RemotePayment:
    """A Checkout Session, its PaymentIntent expanded where there is one already."""
    intent = session["payment_intent"]
    status = status_of_session(session, intent)
    paid = intent is not None and status is A.SUCCEEDED
    return RemotePayment(
        remote_id=str(session["id"]),
        attempt=str(session["client_reference_id"] or ""),
        amount=money(taken(intent) if paid else session["amount_total"], session["currency"]),
        status=status,
        raw_status=f"{session['status']}/{session['payment_status']}",
        book=book_of(session),
        redirect_url=str(session["url"] or ""),
        payer=payer_of(intent) if paid else "",
    )


def status_of_session(session: Any, intent: Any) -> AttemptState:
    """`open` means that somebody may still pay, whatever was tried; `complete` and unpaid, that a wallet takes its time."""
    match session["status"], session["payment_status"]:
        case "open", _:
            return A.REQUIRES_ACTION
        case "expired", _:
            return A.EXPIRED
        case "complete", "paid" | "no_payment_required":
            return A.SUCCEEDED
        case "complete", "unpaid":
            return A.FAILED if intent is not None and intent["status"] in GIVEN_UP else A.PROCESSING
    raise OutcomeUnknown(f"{session['id']}: {session['status']}, {session['payment_status']}")


def payment_of_intent(intent: Any) -> RemotePayment:
    """A PaymentIntent that belongs to no Checkout Session. One off session that waits for its payer was declined."""
    status = known(INTENT, intent)
    if status is A.REQUIRES_ACTION and named_in(intent, MARK) == OFF_SESSION:
        status = A.FAILED
    return RemotePayment(
        remote_id=str(intent["id"]),
        attempt=named_in(intent, "attempt"),
        amount=money(taken(intent) if status is A.SUCCEEDED else intent["amount"], intent["currency"]),
        status=status,
        raw_status=str(intent["status"]),
        book=book_of(intent),
        payer=payer_of(intent),
    )


def payer_of(intent: Any) -> str:
    """The fingerprint of the card, the same wherever that card pays; nothing of wallets, and where the way of paying was not
    sent along: https://docs.stripe.com/api/payment_methods/object (read 2026-11)."""
    if "payment_method" not in intent or not intent["payment_method"] or isinstance(intent["payment_method"], str):
        return ""
    method = intent["payment_method"]
    is_known = method["type"] == "card" and "card" in method and "fingerprint" in method["card"]
    return str(method["card"]["fingerprint"] or "") if is_known else ""


def taken(intent: Any) -> int:
    """What was received, which is what counts; a server that does not say so received what was asked."""
    return int(intent["amount_received"] if "amount_received" in intent else intent["amount"])


def refund_of(refund: Any, *, book: Book) -> RemoteRefund:
    """A refund says nothing of live or test: its book is that of the key it was asked with."""
    return RemoteRefund(
        remote_id=str(refund["id"]),
        refund=named_in(refund, "refund"),
        amount=money(refund["amount"], refund["currency"]),
        status=known(REFUND, refund),
        raw_status=str(refund["status"]),
        book=book,
        payment=str(refund["payment_intent"] or "") if "payment_intent" in refund else "",
    )


def dispute_of(dispute: Any) -> RemoteDispute:
    """Its PaymentIntent expanded, which bears our own id. What moved is told by its balance transactions."""
    moved = [int(each["amount"]) for each in dispute["balance_transactions"]]
    fees = [int(each["fee"]) for each in dispute["balance_transactions"]]
    settled = next((each["currency"] for each in dispute["balance_transactions"]), dispute["currency"])
    due = dispute["evidence_details"]["due_by"] if dispute["evidence_details"] else None
    return RemoteDispute(
        remote_id=str(dispute["id"]),
        attempt=named_in(dispute["payment_intent"], "attempt"),
        amount=money(dispute["amount"], dispute["currency"]),
        fee=money(sum(fee for fee in fees if fee > 0), settled),
        fee_back=money(-sum(fee for fee in fees if fee < 0), settled),
        status=known(DISPUTE, dispute),
        raw_status=str(dispute["status"]),
        reason=str(dispute["reason"]),
        answer_by=datetime.fromtimestamp(int(due), UTC) if due else None,
        is_withdrawn=any(amount < 0 for amount in moved),
        is_reinstated=any(amount > 0 for amount in moved),
        book=book_of(dispute),
    )


def movement_of(transaction: Any) -> Movement:
    """A balance transaction, its source expanded: what it was made for bears our own id in its metadata."""
    source = transaction["source"]
    is_known = source is not None and not isinstance(source, str)
    gross, fee, kind = int(transaction["amount"]), int(transaction["fee"]), str(transaction["type"])
    if kind == "adjustment" and transaction["reporting_category"] in MOVED_BY_BANKS:
        # the fee of a dispute is no fee of a payment: the books have it with the dispute
        gross, fee, kind = gross - fee, 0, str(transaction["reporting_category"])
    return Movement(
        remote_id=str(transaction["id"]),
        type=kind,
        source_id=source_id(source) if is_known else str(source or ""),
        ours=next(filter(None, (named_in(source, name) for name in OURS)), "") if is_known else "",
        gross=gross,
        fee=fee,
        net=int(transaction["net"]),
        currency=str(transaction["currency"]).upper(),
        at=datetime.fromtimestamp(int(transaction["created"]), UTC),
        **(presented_in(transaction, source) if is_known else {}),
    )


def presented_in(transaction: Any, source: Any) -> dict[str, Any]:
    """What the payer saw of it, where Stripe has converted that: `exchange_rate` times the one is the other."""
    if "currency" not in source or "amount" not in source or source["currency"] == transaction["currency"]:
        return {}
    amount = abs(int(source["amount"])) * (1 if int(transaction["amount"]) > 0 else -1)
    return {"presented": amount, "presented_currency": str(source["currency"]).upper(), "rate": rate_of(transaction)}


def rate_of(transaction: Any) -> str | None:
    if "exchange_rate" not in transaction:
        return None
    rate = transaction["exchange_rate"]
    return str(rate) if rate else None


def source_id(source: Any) -> str:
    """What we can ask for: a charge is asked after as its PaymentIntent."""
    intent = source["payment_intent"] if source["object"] == "charge" and "payment_intent" in source else None
    return str(intent or source["id"])


def balance_of(balance: Any) -> dict[str, int]:
    """Everything that is there by currency, whether it may be paid out yet or not."""
    held: dict[str, int] = {}
    for part in (*balance["available"], *balance["pending"]):
        currency = str(part["currency"]).upper()
        held[currency] = held.get(currency, 0) + int(part["amount"])
    return held


def known(words: dict[str, State], thing: Any) -> State:
    try:
        return words[str(thing["status"])]
    except KeyError:
        raise OutcomeUnknown(f"{thing['id']}: {thing['status']}") from None


def named_in(thing: Any, name: str) -> str:
    """Our own id of it, or nothing: somebody may have made it by hand on Stripe's pages."""
    if "metadata" not in thing or not thing["metadata"]:
        return ""
    return str(thing["metadata"][name]) if name in thing["metadata"] else ""


def money(amount: int, currency: str) -> Money:
    return Money(int(amount), str(currency).upper())


def book_of(thing: Any) -> Book:
    return "live" if thing["livemode"] else "test"
