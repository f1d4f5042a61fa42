"""Payees at gateways, what is transferred to them and what is taken back; the row is there before the gateway is asked."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.money import Money
from marketplace.core.outbox import Leased
from marketplace.core.partial import among, only
from marketplace.payments.keys import Keyed
from marketplace.payments.transfers.states import OPEN, PAYEE, TRANSFER, PayeeState, TransferState

IS_OPEN = among("state", OPEN)


class GatewayPayee(Base):
    """A seller or station as a gateway knows them. Who they are stands there alone; here is whether that is known."""

    __tablename__ = "gateway_payee"
    __table_args__ = (
        UniqueConstraint("gateway", "book", "owner_kind", "owner"),
        CheckConstraint("(state = 'opening') = (remote_id IS NULL)", "opened_there"),
    )
    TRANSITIONS = PAYEE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    gateway: Mapped[str]
    book: Mapped[str]
    owner_kind: Mapped[str]
    owner: Mapped[str]  # as the books name them
    state: Mapped[PayeeState] = mapped_column(default=PayeeState.OPENING)
    remote_id: Mapped[str | None] = mapped_column(unique=True)
    last4: Mapped[str] = mapped_column(default="")  # of the bank account there
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)  # since when money sent there goes where it goes
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)


def waiting(table: str) -> Index:
    """What the worker looks for, however much is done."""
    return Index(f"{table}_waiting", "next_at", info=only(IS_OPEN))


class Asked(Leased, Keyed):
    """Money that a gateway is asked to move: the same life there and back."""

    TRANSITIONS = TRANSFER
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="CNY")
    state: Mapped[TransferState] = mapped_column(default=TransferState.REQUESTED)
    remote_id: Mapped[str | None] = mapped_column(unique=True)
    said: Mapped[str] = mapped_column(default="")  # why it was refused: the name of the gateway's error
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def amount(self) -> Money:
        return Money(self.fen, self.currency)


class Transfer(Asked, Base):
    """To a payee. `reference` is what it pays, once; `booked_under` the reference of its entries in the books."""

    __tablename__ = "transfer"
    __table_args__ = (CheckConstraint("fen > 0", "moves_something"), waiting("transfer"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("gateway_payee.id"), index=True)
    reference: Mapped[str] = mapped_column(unique=True)
    booked_under: Mapped[str]

    @property
    def entry(self) -> str:
        """The key of the ledger's entry that says it has arrived."""
        return f"payout_paid:{self.reference}"


class Reversal(Asked, Base):
    """Back from a payee, of one transfer, for one cause once."""

    __tablename__ = "transfer_reversal"
    __table_args__ = (
        UniqueConstraint("transfer_id", "cause"),
        CheckConstraint("fen > 0", "moves_something"),
        waiting("transfer_reversal"),
    )
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), index=True)
    cause: Mapped[str]  # refund:<refund>

    @property
    def entry(self) -> str:
        """The key of the ledger's entry that says it has come."""
        return f"reversal:{self.public_id}"


def changed(*names: str) -> str:
    return " OR ".join(f"NEW.{name} <> OLD.{name}" for name in ("fen", "currency", "public_id", *names))


triggers.register(
    triggers.Guard("transfer", "UPDATE", changed("payee_id", "reference"), "whom a transfer pays how much is settled"),
    triggers.Guard("transfer", "DELETE", "TRUE", "a transfer is kept"),
    triggers.Guard("transfer_reversal", "UPDATE", changed("transfer_id"), "what is taken back of what is settled"),
    triggers.Guard("transfer_reversal", "DELETE", "TRUE", "a reversal is kept"),
)
