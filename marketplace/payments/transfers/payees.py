"""Who can be paid by a gateway itself: opened there by us, known there by what they enter on the gateway's own page."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.core.transitions import leave_trace, transition
from marketplace.payments.gateways import NotSupported, chosen_gateway, gateways, unknown_unless_answered
from marketplace.payments.outcomes import Unmatched
from marketplace.payments.transfers.asking import PayeeStatus
from marketplace.payments.transfers.models import GatewayPayee
from marketplace.payments.transfers.states import PayeeState


def can_connect() -> bool:
    """Whether the gateway that takes new payments can pay others."""
    return bool(gateways().chosen) and chosen_gateway().caps.transfers


def connect(*, owner_kind: str, owner: str, return_url: str) -> PayeeStatus:
    """Open this owner at the gateway where they are new there, and ask how they stand. Outside any transaction.

    The row is there first, and repeated it opens nobody twice; where its key is forgotten by then, the payee that nobody has
    used is left empty. Raises NotSupported, PaymentsClosed, and GatewayError where there is no answer."""
    gateway = chosen_gateway()
    if not gateway.caps.transfers:
        raise NotSupported(gateway.name)
    whose = {"gateway": gateway.name, "book": gateway.book, "owner_kind": owner_kind, "owner": owner}
    payee, remote_id = in_transaction(enter, **whose)
    if remote_id is None:
        with unknown_unless_answered(f"payee {payee}"):
            opened = gateway.open_payee(payee, key=f"gateway_payee:{payee}:create")
        remote_id = in_transaction(apply, status=opened, gateway=gateway.name, why="opened")
    with unknown_unless_answered(f"payee {payee}"):
        status = gateway.payee_status(remote_id, return_url=return_url)
    in_transaction(apply, status=status, gateway=gateway.name, why="asked")
    return status


def enter(session: Session, *, gateway: str, book: str, owner_kind: str, owner: str) -> tuple[str, str | None]:
    """Our id of them, and the gateway's where it has told it."""
    whose = {"gateway": gateway, "book": book, "owner_kind": owner_kind, "owner": owner}
    new = {"public_id": ids.public_id(), "state": PayeeState.OPENING, "last4": "", "changed_at": clock.now()}
    is_new = insert_or_ignore(session, GatewayPayee, whose | new | {"opened_at": clock.now()})
    row = session.scalars(select(GatewayPayee).filter_by(**whose).with_for_update()).one()
    if is_new:
        leave_trace(session, row, None, PayeeState.OPENING, actor=f"{owner_kind}:{owner}", why="asked for")
    return row.public_id, row.remote_id


def apply(session: Session, *, status: PayeeStatus, gateway: str, why: str) -> str:
    """Bring the row to what the gateway says; returns the id under which it is paid there. Raises Unmatched.

    From the moment in which its money goes elsewhere than before, `changed_at` is new."""
    known = select(GatewayPayee).where(GatewayPayee.public_id == status.payee, GatewayPayee.gateway == gateway)
    row = session.scalar(known.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise Unmatched(status.remote_id)
    if row.remote_id not in {None, status.remote_id}:
        return row.remote_id or ""  # opened twice, with a forgotten key: the first one counts
    if row.book != status.book:
        raise ValueError(f"payee {row.public_id}: the gateway says {status}")
    is_new = status.state is PayeeState.VERIFIED and row.state is not PayeeState.VERIFIED
    if status.last4 != row.last4 or (is_new and not status.last4):  # where it does not say, each time is another one
        row.last4, row.changed_at = status.last4, clock.now()
    if status.state is not row.state:
        transition(session, row, status.state, expected=row.state, actor=gateway, why=why, remote_id=status.remote_id)
    return status.remote_id
