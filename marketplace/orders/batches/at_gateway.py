"""What the gateway itself can do for owners: whom it knows, and which lines of a batch it pays (docs/adr/0017)."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.owed import Owner
from marketplace.payments.gateways import gateways
from marketplace.payments.transfers.models import GatewayPayee, Transfer
from marketplace.payments.transfers.states import PayeeState

SAME_OWNER: Final = (PayoutAccount.owner_kind == GatewayPayee.owner_kind) & (PayoutAccount.owner == GatewayPayee.owner)


def payees_of(session: Session, batch: SettlementBatch) -> Mapping[Owner, GatewayPayee]:
    """Of a batch's owners those whom its gateway can pay: it knows them, and the province has looked at it since."""
    gateway = gateways().by_name.get(batch.gateway)
    if gateway is None or not gateway.caps.transfers:
        return {}
    of_line = (BatchLine.owner_kind == GatewayPayee.owner_kind) & (BatchLine.owner == GatewayPayee.owner)
    wanted = select(GatewayPayee).join(PayoutAccount, SAME_OWNER).join(BatchLine, of_line)
    wanted = wanted.where(GatewayPayee.gateway == batch.gateway, GatewayPayee.book == batch.book)
    wanted = wanted.where(GatewayPayee.state == PayeeState.VERIFIED, BatchLine.batch_id == batch.id)
    looked_at = PayoutAccount.verified_at >= GatewayPayee.changed_at
    return {(payee.owner_kind, payee.owner): payee for payee in session.scalars(wanted.where(looked_at))}


def transfers_of(session: Session, batch: SettlementBatch) -> dict[str, Transfer]:
    """By line. One statement."""
    mine = select(Transfer).where(Transfer.booked_under == batch.public_id)
    return {transfer.reference: transfer for transfer in session.scalars(mine)}


def here() -> tuple[str, str]:
    """Name and book of the gateway that takes new payments; empty where there is none or it pays nobody."""
    known = gateways()
    gateway = known.by_name.get(known.chosen)
    return (gateway.name, gateway.book) if gateway and gateway.caps.transfers else ("", "")


def payee_of(session: Session, owner: Owner, *, lock: bool = False) -> GatewayPayee | None:
    """This owner at that gateway."""
    (kind, whose), (gateway, book) = owner, here()
    mine = select(GatewayPayee).where(GatewayPayee.owner_kind == kind, GatewayPayee.owner == whose)
    mine = mine.where(GatewayPayee.gateway == gateway, GatewayPayee.book == book)
    return session.scalar(mine.with_for_update().execution_options(populate_existing=True) if lock else mine)


def waits_for_the_province(account: PayoutAccount, payee: GatewayPayee | None) -> bool:
    """The gateway knows them by now, and nobody has looked at whether that is who we owe."""
    if payee is None or payee.state is not PayeeState.VERIFIED:
        return False
    return account.verified_at is None or account.verified_at < payee.changed_at
