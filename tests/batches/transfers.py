"""A finance desk whose gateway knows some of the payees."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, Line
from marketplace.orders.batches import connecting, payees
from marketplace.orders.batches.owed import Owner
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.transfers import payees as payees_there, sending
from marketplace.payments.transfers.models import GatewayPayee, Reversal, Transfer
from marketplace.payments.transfers.states import PayeeState
from tests import cashiers
from tests.batches.conftest import Finance

LAST4 = "7890"


@dataclass
class Desk:
    """Both sides: the province's desk and the cashier that pays for it."""

    finance: Finance
    cashier: SandboxCashier

    def fill(self, fen: int) -> None:
        """Buyers have paid so much: it is at the gateway and in the books, as a charge without a fee."""
        with self.cashier.writing() as connection:
            charge = {"id": "txn_filled", "type": "charge", "source": "pay_filled", "ours": "", "gross": fen, "fee": 0}
            connection.execute(insert(storage.movement).values(charge | {"currency": "CNY", "at": clock.now()}))
        lines: Any = {("gateway_clearing", "sandbox"): Money(fen), ("seller_held", "else"): Money(-fen)}
        in_transaction(books.post, key="suspense:pay_filled", book="test", reference="SX-22222222", lines=lines)

    def connect(self, owner: Owner, *, looked_at: bool = True, last4: str = LAST4) -> str:
        """The gateway knows them; returns its id of them. `looked_at`: and the province has verified them since."""
        self.finance.payee(owner)
        person = db.session.scalar(select(Person.id).where(Person.public_id == owner[1])) or self.finance.drafter
        db.session.rollback()
        status = connecting.connect(owner=owner, person_id=person, return_url="http://127.0.0.1:8000/")
        self.cashier.say_who_they_are(status.remote_id, PayeeState.VERIFIED, last4)
        self.ask(status.remote_id)
        if looked_at:
            self.look_at(owner)
        return status.remote_id

    def ask(self, remote_id: str) -> None:
        """As the worker does when the webhook of a payee has come."""
        status = self.cashier.payee_status(remote_id)
        in_transaction(payees_there.apply, status=status, gateway="sandbox", why="evt")

    def look_at(self, owner: Owner, last4: str = LAST4) -> None:
        account = self.finance.account(owner)
        seen: Any = {"number": account.number, "revision": account.revision, "last4_there": last4}
        in_transaction(payees.verify, account=account.public_id, person_id=self.finance.approver, **seen)

    def sent(self) -> str:
        """A batch that was drafted, approved and sent by transfers."""
        batch = self.finance.draft()
        self.finance.approve(batch)
        self.finance.send(batch, "transfer")
        return batch

    def work(self) -> None:
        while sending.send_transfer() or sending.send_reversal():
            pass

    def transfer(self, batch: str, owner: Owner) -> Transfer | None:
        line = self.finance.line(batch, owner).public_id
        return sending.of_reference(db.session(), line)

    def reversals(self) -> list[Reversal]:
        db.session.rollback()
        return list(db.session.scalars(select(Reversal).order_by(Reversal.id)))

    def payee(self, owner: Owner) -> GatewayPayee:
        db.session.rollback()
        return db.session.scalars(select(GatewayPayee).where(GatewayPayee.owner == owner[1])).one()

    def there(self, remote_id: str) -> int:
        return int(self.cashier.look_up_payee(remote_id).balance)

    def is_sound(self) -> bool:
        """The trial balance is zero, and a whole reconciliation finds nothing."""
        standing = running.reconcile(self.cashier, actor="test", whole=True)
        db.session.rollback()
        moved = [(row.key, row.amount) for row in db.session.execute(select(Entry.key, Line.amount).join(Line))]
        return not standing.is_red and not sum(fen for _key, fen in moved)


def desk_of(finance: Finance) -> Desk:
    cashier: Any = gateways().get("sandbox")
    cashiers.opened(cashier)
    return Desk(finance, cashier)
