"""What Stripe's objects mean in our words. Pure; a word we do not know is no outcome."""

from typing import Any, Final, TypeVar

from marketplace.core.money import Money
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
GIVEN_UP: Final = frozenset({"requires_payment_method", "canceled"})
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
    )


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
    )


def known(words: dict[str, State], thing: Any) -> State:
    try:
        return words[str(thing["status"])]
    except KeyError:
        raise OutcomeUnknown(f"{thing['id']}: {thing['status']}") from None


def named_in(thing: Any, name: str) -> str:
    """Our own id of it, or nothing: somebody may have made it by hand on Stripe's pages."""
    metadata = thing["metadata"]
    return str(metadata[name]) if metadata and name in metadata else ""


def money(amount: int, currency: str) -> Money:
    return Money(int(amount), str(currency).upper())


def book_of(thing: Any) -> Book:
    return "live" if thing["livemode"] else "test"
