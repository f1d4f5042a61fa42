"""What the gateway's answer to a transfer does to the line of a batch that it pays."""

from typing import Any

from sqlalchemy.orm import Session

from marketplace.orders.batches import confirming, covering
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import GatewayPayee, Transfer


def arrived(session: Session, transfer: Transfer) -> None:
    """The payee has it there: `payout_paid:<line>`. What was refunded while it was on its way is asked back at once."""
    payee = sending.payee_of(session, transfer)
    confirming.confirm(session, **line_of(transfer, payee), reference=str(transfer.remote_id))
    owner = (payee.owner_kind, payee.owner)
    most = {owner: covering.debt(session, owner, book=payee.book)}
    covering.cover(session, most, book=payee.book, cause=f"transfer:{transfer.public_id}")


def refused(session: Session, transfer: Transfer) -> None:
    """Owed again, and due in the next batch: `payout_failed:<line>`."""
    confirming.send_back(session, **line_of(transfer, sending.payee_of(session, transfer)), reason=transfer.said)


def line_of(transfer: Transfer, payee: GatewayPayee) -> dict[str, Any]:
    whose = {"batch": transfer.booked_under, "line": transfer.reference}
    return {**whose, "actor": payee.gateway, "by_gateway": True}
