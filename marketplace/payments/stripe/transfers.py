"""Separate charges and transfers: https://docs.stripe.com/connect/separate-charges-and-transfers (read 2026-11).

Payees have Express accounts: Stripe asks them who they are, and we are liable for what they owe."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from marketplace.payments.gateways import Book
from marketplace.payments.stripe.translation import money, named_in
from marketplace.payments.transfers.asking import PayeeStatus, RemoteTransfer, ReversalRequest, TransferRequest
from marketplace.payments.transfers.states import PayeeState

if TYPE_CHECKING:
    from stripe import StripeClient

CLOCKS_DIFFER: Final = timedelta(minutes=10)
EXPRESS: Final[dict[str, Any]] = {
    "controller": {
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "stripe_dashboard": {"type": "express"},
    },
    "capabilities": {"transfers": {"requested": True}},
}


def open_payee(client: "StripeClient", payee: str, key: str, *, book: Book) -> PayeeStatus:
    wanted: Any = EXPRESS | {"metadata": {"payee": payee}}
    return status_of(client.v1.accounts.create(params=wanted, options={"idempotency_key": key}), book=book)


def payee_status(client: "StripeClient", remote_id: str, return_url: str, *, book: Book) -> PayeeStatus:
    """A link is good for some minutes and for one use, so that it is made anew each time."""
    account = client.v1.accounts.retrieve(remote_id)
    status = status_of(account, book=book)
    if not return_url or status.state is PayeeState.VERIFIED:
        return status
    asked: Any = {"account": remote_id, "type": "account_onboarding", "return_url": return_url, "refresh_url": return_url}
    link = client.v1.account_links.create(params=asked)
    return status_of(account, book=book, url=str(link["url"]))


def status_of(account: Any, *, book: Book, url: str = "") -> PayeeStatus:
    """An account says nothing of live or test: its book is that of the key it was asked with."""
    return PayeeStatus(
        remote_id=str(account["id"]),
        payee=named_in(account, "payee"),
        state=state_of(account),
        last4=last4_of(account),
        book=book,
        url=url,
    )


def state_of(account: Any) -> PayeeState:
    """Verified is who can be sent money and gets it out; rejected, who never will."""
    takes = part(part(account, "capabilities"), "transfers") == "active"
    if takes and account["payouts_enabled"]:
        return PayeeState.VERIFIED
    reason = str(part(part(account, "requirements"), "disabled_reason") or "")
    return PayeeState.RESTRICTED if reason.startswith("rejected") else PayeeState.INCOMPLETE


def last4_of(account: Any) -> str:
    """Of the bank account that is paid first."""
    known = part(part(account, "external_accounts"), "data") or []
    first = [each for each in known if part(each, "default_for_currency")] or known
    return str(first[0]["last4"]) if first else ""


def part(thing: Any, name: str) -> Any:
    """None where Stripe leaves it out: its objects are no dictionaries."""
    if not thing or name not in thing:
        return None
    return thing[name]


def transfer(client: "StripeClient", request: TransferRequest, key: str, *, book: Book) -> RemoteTransfer:
    wanted: Any = {
        "amount": request.amount.fen,
        "currency": request.amount.currency.lower(),
        "destination": request.payee,
        "transfer_group": request.group,
        "metadata": {"transfer": request.transfer},
    }
    made = client.v1.transfers.create(params=wanted, options={"idempotency_key": key})
    return moved(made, "transfer", book=book)


def find_transfer(client: "StripeClient", request: TransferRequest, since: datetime, *, book: Book) -> RemoteTransfer | None:
    """Among those to this payee since then."""
    begun = int((since - CLOCKS_DIFFER).timestamp())
    wanted: Any = {"destination": request.payee, "created": {"gte": begun}, "limit": 100}
    made = (moved(one, "transfer", book=book) for one in client.v1.transfers.list(params=wanted).auto_paging_iter())
    return next((one for one in made if one.ours == request.transfer), None)


def reverse(client: "StripeClient", request: ReversalRequest, key: str, *, book: Book) -> RemoteTransfer:
    wanted: Any = {"amount": request.amount.fen, "metadata": {"reversal": request.reversal}}
    options: Any = {"idempotency_key": key}
    made = client.v1.transfers.reversals.create(request.transfer, params=wanted, options=options)
    return moved(made, "reversal", book=book)


def find_reversal(client: "StripeClient", request: ReversalRequest, *, book: Book) -> RemoteTransfer | None:
    listed = client.v1.transfers.reversals.list(request.transfer, params={"limit": 100})
    made = (moved(one, "reversal", book=book) for one in listed.auto_paging_iter())
    return next((one for one in made if one.ours == request.reversal), None)


def moved(thing: Any, name: str, *, book: Book) -> RemoteTransfer:
    amount = money(thing["amount"], thing["currency"])
    return RemoteTransfer(str(thing["id"]), named_in(thing, name), amount, book)
