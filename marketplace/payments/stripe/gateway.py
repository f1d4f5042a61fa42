"""Stripe as a `PaymentGateway`.

Payers are sent to its hosted Checkout page; a payment is known to us by the id of its Checkout Session (cs_…), or of its
PaymentIntent (pi_…) where it has none. Live or test is what the key says, and every answer is held against it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from marketplace.core import clock
from marketplace.core.money import Money
from marketplace.core.settings import LIVE_KEYS
from marketplace.payments import signatures
from marketplace.payments.gateway_news import Movement, Notice, RemoteDispute
from marketplace.payments.gateways import (
    Book,
    Caps,
    Invalid,
    KeyMismatch,
    MandateRequest,
    NotSupported,
    PaymentRequest,
    RefundRequest,
    RemoteMandate,
    RemotePayment,
    RemoteRefund,
)
from marketplace.payments.stripe import mandates, transfers
from marketplace.payments.stripe.connection import asking, connect
from marketplace.payments.stripe.translation import (
    HOSTED,
    MARK,
    balance_of,
    dispute_of,
    movement_of,
    named_in,
    payment_of_intent,
    payment_of_session,
    refund_of,
)
from marketplace.payments.transfers.asking import PayeeStatus, RemoteTransfer, ReversalRequest, TransferRequest

if TYPE_CHECKING:
    from stripe import StripeClient

OPEN_AT_LEAST: Final = timedelta(minutes=30)  # a session cannot expire sooner; we expire it ourselves when its time is over
CLOCKS_DIFFER: Final = timedelta(minutes=10)
WITH_PAYMENT: Final[Any] = {"expand": ["payment_intent"]}
WITH_CARD: Final[Any] = {"expand": ["payment_method"]}
EXPANDED_WITH_CARD: Final[Any] = {"expand": ["payment_intent.payment_method"]}
EXPANDED: Final[Any] = {"expand": ["payment_intent"]}


class StripeGateway:
    """A `PaymentGateway`. `webhook_secrets`: the newest first, with the old one as long as it is being replaced."""

    name = "stripe"
    pays_out = False  # its payouts go to our own bank, and the bank pays

    def __init__(
        self,
        secret_key: str,
        *,
        webhook_secrets: Sequence[str],
        address: str,
        methods: Sequence[str],
        least_fen: int = 1,
        pays_others: bool = False,
    ) -> None:
        self.book: Book = book_of_key(secret_key)
        self.pays_others = pays_others
        self.webhook_secrets, self.methods = tuple(webhook_secrets), tuple(methods)
        self._secret_key, self._address, self._least_fen = secret_key, address, least_fen

    @property
    def caps(self) -> Caps:
        return Caps(recurring="card" in self.methods, least_fen=self._least_fen, transfers=self.pays_others)

    @cached_property
    def client(self) -> "StripeClient":
        return connect(self._secret_key, address=self._address)

    def start_payment(self, request: PaymentRequest, *, key: str) -> RemotePayment:
        """A page of Stripe's for this payment. Raises as `asking` says."""
        named = {"attempt": request.attempt}
        item = {
            "quantity": 1,
            "price_data": {
                "currency": request.amount.currency.lower(),
                "unit_amount": request.amount.fen,
                "product_data": {"name": request.description},
            },
        }
        wanted: Any = {
            "mode": "payment",
            "line_items": [item],
            "client_reference_id": request.attempt,
            "metadata": named,
            "payment_intent_data": {"metadata": named | {MARK: HOSTED}, "description": request.description},
            "payment_method_types": list(self.methods),
            "success_url": request.return_url,
            "cancel_url": request.return_url,
            **EXPANDED,
        }
        if "wechat_pay" in self.methods:
            wanted["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        if request.for_later and self.caps.recurring:
            mandates.agree(wanted)
        if request.pay_by is not None:  # reckoned from what never changes, since the key may come again
            wanted["expires_at"] = int((request.pay_by + OPEN_AT_LEAST).timestamp())
        with asking(f"attempt {request.attempt}"):
            made = self.client.v1.checkout.sessions.create(params=wanted, options={"idempotency_key": key})
        return payment_of_session(made)

    def fetch_payment(self, remote_id: str) -> RemotePayment:
        """By session or intent; an intent that came out of a session is shown as that session."""
        with asking(remote_id):
            if remote_id.startswith("cs_"):
                return payment_of_session(self._session(remote_id))
            intent = self.client.v1.payment_intents.retrieve(remote_id, params=WITH_CARD)
            if named_in(intent, MARK) != HOSTED:
                return payment_of_intent(intent)
            session = self.client.v1.checkout.sessions.list(params={"payment_intent": remote_id, "limit": 1}).data[0]
            return payment_of_session(self._session(session.id))

    def find_payment(self, attempt: str, *, since: datetime) -> RemotePayment | None:
        """Looks through what was opened since then: Stripe's own search lags behind what was written."""
        begun = int((since - CLOCKS_DIFFER).timestamp())
        with asking(f"attempt {attempt}"):
            sessions = self.client.v1.checkout.sessions.list(params={"created": {"gte": begun}, "limit": 100})
            for session in sessions.auto_paging_iter():
                if session.client_reference_id == attempt:
                    return payment_of_session(self._session(session.id))
            return mandates.find(self.client, attempt, begun)

    def cancel_payment(self, remote_id: str, *, key: str) -> RemotePayment:
        """What is over already stays as it is, and is told as it is."""
        options: Any = {"idempotency_key": key}
        try:
            with asking(remote_id):
                if remote_id.startswith("cs_"):
                    self.client.v1.checkout.sessions.expire(remote_id, options=options)
                else:
                    self.client.v1.payment_intents.cancel(remote_id, options=options)
        except (Invalid, KeyMismatch):
            pass  # paid, or cancelled before: the answer below tells
        return self.fetch_payment(remote_id)

    def save_mandate(self, request: MandateRequest, *, key: str) -> RemoteMandate:
        with asking(request.payment):
            return mandates.of_intent(self.client, self._intent_of(request.payment))

    def charge_mandate(self, request: PaymentRequest, mandate: str, *, key: str) -> RemotePayment:
        with asking(f"attempt {request.attempt}"):
            return mandates.charge(self.client, request, mandate, key)

    def release_mandate(self, mandate: str) -> None:
        try:
            with asking("a card to be forgotten"):
                mandates.release(self.client, mandate)
        except Invalid:
            pass  # it is gone

    def refund(self, request: RefundRequest, *, key: str) -> RemoteRefund:
        with asking(f"refund {request.refund}"):
            wanted: Any = {
                "payment_intent": self._intent_of(request.payment),
                "amount": request.amount.fen,
                "metadata": {"refund": request.refund},
            }
            made = self.client.v1.refunds.create(params=wanted, options={"idempotency_key": key})
        return refund_of(made, book=self.book)

    def fetch_refund(self, remote_id: str) -> RemoteRefund:
        with asking(remote_id):
            return refund_of(self.client.v1.refunds.retrieve(remote_id), book=self.book)

    def find_refund(self, request: RefundRequest) -> RemoteRefund | None:
        with asking(f"refund {request.refund}"):
            made = self.client.v1.refunds.list(params={"payment_intent": self._intent_of(request.payment), "limit": 100})
            known = (refund_of(one, book=self.book) for one in made.auto_paging_iter())
            return next((one for one in known if one.refund == request.refund), None)

    def parse_webhook(self, raw: bytes, headers: Mapping[str, str]) -> Notice:
        signatures.verify(raw, headers.get("Stripe-Signature", ""), self.webhook_secrets, now=clock.now())
        return self.read_webhook(raw)

    def read_webhook(self, raw: bytes) -> Notice:
        return signatures.read(raw)

    def movements(self, since: datetime) -> Iterator[Movement]:
        """The newest first, by keyset: https://docs.stripe.com/api/balance_transactions/list (read 2026-11)."""
        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.source"]}
        with asking("movements"):
            for transaction in self.client.v1.balance_transactions.list(params=wanted).auto_paging_iter():
                yield movement_of(transaction)

    def balance(self) -> dict[str, int]:
        with asking("balance"):
            return balance_of(self.client.v1.balance.retrieve())

    def events_since(self, moment: datetime) -> Iterator[bytes]:
        """Stripe keeps them for thirty days. What it counts in fractions is told as words."""
        wanted: Any = {"created": {"gte": int(moment.timestamp())}, "limit": 100}
        with asking("events"):
            for event in self.client.v1.events.list(params=wanted).auto_paging_iter():
                yield json.dumps(event.to_dict(), default=str).encode()

    def fetch_dispute(self, remote_id: str) -> RemoteDispute:
        with asking(remote_id):
            return dispute_of(self.client.v1.disputes.retrieve(remote_id, params=WITH_PAYMENT))

    def answer_dispute(self, remote_id: str, words: str, *, key: str) -> RemoteDispute:
        """https://docs.stripe.com/api/disputes/update (read 2026-11): once submitted it is with the bank."""
        said: Any = {"evidence": {"uncategorized_text": words}, "submit": True, **WITH_PAYMENT}
        with asking(remote_id):
            return dispute_of(self.client.v1.disputes.update(remote_id, params=said, options={"idempotency_key": key}))

    def pay_out(self, amount: Money, *, key: str) -> None:
        raise NotSupported(key)

    def open_payee(self, payee: str, *, key: str) -> PayeeStatus:
        with self._paying_others(f"payee {payee}"):
            return transfers.open_payee(self.client, payee, key, book=self.book)

    def payee_status(self, remote_id: str, *, return_url: str = "") -> PayeeStatus:
        with self._paying_others(remote_id):
            return transfers.payee_status(self.client, remote_id, return_url, book=self.book)

    def transfer(self, request: TransferRequest, *, key: str) -> RemoteTransfer:
        with self._paying_others(f"transfer {request.transfer}"):
            return transfers.transfer(self.client, request, key, book=self.book)

    def find_transfer(self, request: TransferRequest, *, since: datetime) -> RemoteTransfer | None:
        with self._paying_others(f"transfer {request.transfer}"):
            return transfers.find_transfer(self.client, request, since, book=self.book)

    def reverse_transfer(self, request: ReversalRequest, *, key: str) -> RemoteTransfer:
        with self._paying_others(f"reversal {request.reversal}"):
            return transfers.reverse(self.client, request, key, book=self.book)

    def find_reversal(self, request: ReversalRequest) -> RemoteTransfer | None:
        with self._paying_others(f"reversal {request.reversal}"):
            return transfers.find_reversal(self.client, request, book=self.book)

    @contextmanager
    def _paying_others(self, about: str) -> Iterator[None]:
        """Raises NotSupported where Connect is not set up, and whatever `asking` makes of Stripe's errors."""
        if not self.pays_others:
            raise NotSupported(about)
        with asking(about):
            yield

    def _session(self, remote_id: str) -> Any:
        return self.client.v1.checkout.sessions.retrieve(remote_id, params=EXPANDED_WITH_CARD)

    def _intent_of(self, remote_id: str) -> str:
        """Raises Invalid for a session that nobody has paid."""
        if not remote_id.startswith("cs_"):
            return remote_id
        intent = self._session(remote_id)["payment_intent"]
        if intent is None:
            raise Invalid(f"{remote_id} was never paid")
        return str(intent["id"])


def book_of_key(secret_key: str) -> Book:
    return "live" if secret_key.startswith(LIVE_KEYS) else "test"
