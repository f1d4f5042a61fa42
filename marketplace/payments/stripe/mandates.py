"""Cards that Stripe keeps and charges off session: https://docs.stripe.com/payments/save-during-payment (read 2026-11).

A mandate's name is `<customer>:<payment method>`. Alipay and WeChat Pay keep nothing in China's currency."""

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from marketplace.payments.gateways import Invalid, NotSupported, PaymentRequest, RemoteMandate, RemotePayment
from marketplace.payments.stripe.translation import MARK, OFF_SESSION, named_in, payment_of_intent

if TYPE_CHECKING:
    from stripe import StripeClient

KEPT: Final[Any] = {"expand": ["payment_method"]}


def agree(session: dict[str, Any]) -> None:
    """Say in the parameters of a Checkout Session that a card will be charged again; wallets are left as they are."""
    session["customer_creation"] = "always"
    ways = session.setdefault("payment_method_options", {})
    ways["card"] = {"setup_future_usage": "off_session"}


def of_intent(client: "StripeClient", intent_id: str) -> RemoteMandate:
    """What was agreed with a payment. Raises NotSupported where nothing was kept."""
    intent = client.v1.payment_intents.retrieve(intent_id, params=KEPT)
    customer, method = intent["customer"], intent["payment_method"]
    if not customer or not method or method["type"] != "card":
        raise NotSupported(intent_id)
    return RemoteMandate(f"{customer}:{method['id']}", last_day_of(method))


def last_day_of(method: Any) -> date | None:
    """A card is good until the end of its month; None where that is not said."""
    if "card" not in method or "exp_year" not in method["card"]:
        return None
    card = method["card"]
    year, month = int(card["exp_year"]), int(card["exp_month"])
    return date(year, month, monthrange(year, month)[1])


def release(client: "StripeClient", mandate: str) -> None:
    """Take the card off its customer: https://docs.stripe.com/api/payment_methods/detach (read 2026-11)."""
    client.v1.payment_methods.detach(mandate.partition(":")[2])


def charge(client: "StripeClient", request: PaymentRequest, mandate: str, key: str) -> RemotePayment:
    """Raises Invalid for a name that is none of ours, and whatever `asking` makes of Stripe's errors."""
    customer, colon, method = mandate.partition(":")
    if not colon:
        raise Invalid(mandate)
    wanted: Any = {
        "amount": request.amount.fen,
        "currency": request.amount.currency.lower(),
        "customer": customer,
        "payment_method": method,
        "payment_method_types": ["card"],
        "off_session": True,
        "confirm": True,
        "description": request.description,
        "metadata": {"attempt": request.attempt, MARK: OFF_SESSION},
    }
    return payment_of_intent(client.v1.payment_intents.create(params=wanted, options={"idempotency_key": key}))


def find(client: "StripeClient", attempt: str, begun: int) -> RemotePayment | None:
    """The intent of an attempt off session, among those made since `begun` (seconds)."""
    intents = client.v1.payment_intents.list(params={"created": {"gte": begun}, "limit": 100})
    for intent in intents.auto_paging_iter():
        if named_in(intent, MARK) == OFF_SESSION and named_in(intent, "attempt") == attempt:
            return payment_of_intent(intent)
    return None
