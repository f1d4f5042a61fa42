"""What is owed is paid out: by the gateway where it knows the payee, by hand to all others; as chance has it."""

from contextlib import suppress
from typing import Any, Final

from sqlalchemy import select

from marketplace.accounts.models import Grant, Person
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders.batches import approving, confirming, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.states import BatchState, LeftOut, LineState
from marketplace.payments.transfers import absent, payees as payees_there, sending
from marketplace.payments.transfers.models import GatewayPayee, Transfer
from marketplace.payments.transfers.states import PayeeState, TransferState
from tests.factories import make_person
from tests.orders.conftest import JIXIAN, QINXIAN
from tests.simulation.chance import Dice
from tests.simulation.faults import UnreliableCashier

ROLE: Final = "finance_operator"
NUMBER: Final = "6217001234567890"


def furnish() -> None:
    """Two people of the province, before any life begins."""
    for _each in range(2):
        make_person(ROLE, station="140000")


class FinanceDesk:
    """Stations and sellers have verified accounts; the gateway knows all of them but the last."""

    def __init__(self, cashier: UnreliableCashier, dice: Dice) -> None:
        self.cashier, self.dice = cashier, dice
        people = select(Person.id).join(Grant, Grant.person_id == Person.id).where(Grant.role == ROLE).order_by(Person.id)
        self.drafter, self.approver = db.session.scalars(people.distinct()).all()
        grown = select(Person.public_id).join(Grant, Grant.person_id == Person.id).where(Grant.role == "seller")
        sellers = db.session.scalars(grown.order_by(Person.id)).all()
        db.session.rollback()
        owners: list[Owner] = [("station", JIXIAN), ("station", QINXIAN), *(("seller", seller) for seller in sellers)]
        for place, owner in enumerate(owners, 1):
            self.open_account(owner, at_gateway=place < len(owners))

    def open_account(self, owner: Owner, *, at_gateway: bool) -> None:
        whose: dict[str, Any] = {"owner_kind": owner[0], "owner": owner[1]}
        in_transaction(payees.keep, **whose, holder="x", bank="x", number=NUMBER, person_id=self.drafter)
        if at_gateway:
            remote = payees_there.connect(**whose, return_url="").remote_id
            self.cashier.say_who_they_are(remote, PayeeState.VERIFIED, "7890")
            status = self.cashier.payee_status(remote)
            in_transaction(payees_there.apply, status=status, gateway=self.cashier.name, why="test")
        account = db.session.scalars(select(PayoutAccount.public_id).where(PayoutAccount.owner == owner[1])).one()
        seen: dict[str, Any] = {"number": NUMBER, "revision": 1, "last4_there": "7890" if at_gateway else ""}
        in_transaction(payees.verify, account=account, person_id=self.approver, **seen)

    def pay_out(self) -> str:
        """The next step of some batch, or a new one."""
        open_ones = select(SettlementBatch.public_id, SettlementBatch.state)
        open_ones = open_ones.where(SettlementBatch.state.in_((BatchState.DRAFTED, BatchState.APPROVED)))
        db.session.rollback()
        row = db.session.execute(open_ones.order_by(SettlementBatch.id).limit(1)).first()
        if row is None:
            station = self.dice.choice((JIXIAN, QINXIAN))
            return f"draft {in_transaction(drafting.draft, station=station, drafter_id=self.drafter)}"
        if row.state is BatchState.DRAFTED:
            in_transaction(approving.approve, batch=row.public_id, approver_id=self.approver)
            return f"approve {row.public_id}"
        way = self.dice.choice(("transfer", "transfer", "transfer", "file"))
        in_transaction(approving.send, batch=row.public_id, way=way, actor=f"person:{self.drafter}")
        return f"send {row.public_id} by {way}"

    def answer(self) -> str:
        """The bank has paid somebody by hand, or could not."""
        waiting = select(BatchLine.public_id, SettlementBatch.public_id.label("batch"))
        waiting = waiting.join(SettlementBatch, SettlementBatch.id == BatchLine.batch_id).outerjoin(
            Transfer, Transfer.reference == BatchLine.public_id
        )
        waiting = waiting.where(BatchLine.state == LineState.SENT, BatchLine.left_out == LeftOut.NO, Transfer.id.is_(None))
        db.session.rollback()
        row = db.session.execute(waiting.order_by(BatchLine.id).limit(1)).first()
        if row is None:
            return "nobody waits for the bank"
        given = {"batch": row.batch, "line": row.public_id, "actor": "person:1"}
        if self.dice.chance(0.3):
            in_transaction(confirming.send_back, reason="x", **given)
        else:
            in_transaction(confirming.confirm, reference="B", **given)
        return f"the bank answers for {row.public_id}"

    def take_it_to_the_bank(self) -> str:
        """A payee of the gateway's own."""
        db.session.rollback()
        known = db.session.scalars(select(GatewayPayee.remote_id).order_by(GatewayPayee.id)).all()
        return f"{self.cashier.pay_payee_out(str(self.dice.choice(known)))} fen go to a payee's bank"

    def allow_again(self) -> str:
        db.session.rollback()
        frozen = select(PayoutAccount.public_id).where(PayoutAccount.frozen_because != "").order_by(PayoutAccount.id)
        account = db.session.scalars(frozen.limit(1)).first()
        if account is None:
            return "nobody is stopped"
        in_transaction(payees.release, account=account, person_id=self.approver)
        return f"{account} is paid again"

    def look_after_what_hangs(self) -> None:
        """What people do about what nobody has answered for."""
        db.session.rollback()
        hanging = select(Transfer.reference).where(Transfer.state == TransferState.UNKNOWN).order_by(Transfer.id)
        for reference in db.session.scalars(hanging).all():
            with suppress(Refusal):
                absent.let_go(reference=reference, actor="person:1")
        while self.answer().startswith("the bank"):
            pass


STEPS: Final = (sending.send_transfer, sending.send_reversal)
