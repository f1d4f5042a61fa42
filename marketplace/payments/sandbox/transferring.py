"""Payees at the sandbox: they say who they are on a page of its own, have a balance there, and take it to their bank."""

import secrets
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Row, insert, select, update

from marketplace.core import clock
from marketplace.core.money import Money
from marketplace.payments.gateways import InsufficientFunds, Invalid
from marketplace.payments.sandbox.cashier import Cashier, recall, remember
from marketplace.payments.sandbox.storage import payee, payout, reversal, transfer
from marketplace.payments.transfers.asking import PayeeStatus, RemoteTransfer, ReversalRequest, TransferRequest
from marketplace.payments.transfers.states import PayeeState


class TransferringCashier(Cashier):
    """The cashier with others whom it pays out of the shop's balance."""

    def open_payee(self, payee_id: str, *, key: str) -> PayeeStatus:
        """Raises KeyMismatch."""
        values = {"payee": payee_id}
        with self.writing() as connection:
            known = recall(connection, key, values)
            if known is None:
                known = f"acct_{secrets.token_hex(12)}"
                new = {"id": known, "status": PayeeState.INCOMPLETE, "last4": "", "balance": 0}
                connection.execute(insert(payee).values(values | new))
                remember(connection, key, values, known)
        return self.payee_status(known)

    def payee_status(self, remote_id: str, *, return_url: str = "") -> PayeeStatus:
        """Raises Invalid for one that does not exist."""
        row = self.look_up_payee(remote_id)
        state = PayeeState(row.status)
        asks = bool(return_url) and state is not PayeeState.VERIFIED
        url = f"{self.page_of_payee(remote_id)}?{urlencode({'return': return_url})}" if asks else ""
        return PayeeStatus(row.id, row.payee, state, row.last4, self.book, url)

    def page_of_payee(self, remote_id: str) -> str:
        return f"{self.base_url}/sandbox-cashier/payees/{remote_id}"

    def look_up_payee(self, remote_id: str) -> Row[Any]:
        """As it is kept, its balance with it. Raises Invalid."""
        with self.storage.connect() as connection:
            return existing(connection, payee, remote_id)

    def say_who_they_are(self, remote_id: str, state: PayeeState, last4: str) -> None:
        """The payee's own step on the cashier's page: with this account, `verified` or `restricted`."""
        with self.writing() as connection:
            mine = update(payee).where(payee.c.id == remote_id)
            connection.execute(mine.values(status=state, last4=last4))
            self.announce(connection, "account.updated", {"id": remote_id, "object": "account"})

    def transfer(self, request: TransferRequest, *, key: str) -> RemoteTransfer:
        """Raises KeyMismatch, InsufficientFunds, and Invalid where the payee is not verified."""
        wanted, currency = request.amount, request.amount.currency
        values = {"transfer": request.transfer, "payee_id": request.payee, "amount": wanted.fen, "currency": currency}
        with self.writing() as connection:
            known = recall(connection, key, values | {"group": request.group})
            if known is None:
                if wanted.fen <= 0 or existing(connection, payee, request.payee).status != PayeeState.VERIFIED:
                    raise Invalid(f"{request.payee} cannot be paid {wanted.fen}")
                if not self.book_keeping.can_pay(connection, wanted):
                    raise InsufficientFunds(request.transfer)
                known = f"tr_{secrets.token_hex(12)}"
                connection.execute(insert(transfer).values(values | {"id": known, "reversed": 0, "at": clock.now()}))
                more = update(payee).where(payee.c.id == request.payee).values(balance=payee.c.balance + wanted.fen)
                connection.execute(more)
                self.book_keeping.transfer(connection, known, request.transfer, wanted)
                remember(connection, key, values | {"group": request.group}, known)
            return self.described_transfer(existing(connection, transfer, known))

    def find_transfer(self, request: TransferRequest, *, since: object = None) -> RemoteTransfer | None:
        with self.storage.connect() as connection:
            row = connection.execute(select(transfer).where(transfer.c.transfer == request.transfer)).first()
        return self.described_transfer(row) if row else None

    def transfers_to(self, remote_id: str) -> list[Row[Any]]:
        """As they are kept, the newest first."""
        with self.storage.connect() as connection:
            made = select(transfer).where(transfer.c.payee_id == remote_id)
            return list(connection.execute(made.order_by(transfer.c.at.desc(), transfer.c.id)).all())

    def reverse_transfer(self, request: ReversalRequest, *, key: str) -> RemoteTransfer:
        """Raises KeyMismatch, InsufficientFunds, and Invalid where more would come back than was sent."""
        values = {"reversal": request.reversal, "transfer_id": request.transfer, "amount": request.amount.fen}
        with self.writing() as connection:
            known = recall(connection, key, values)
            if known is None:
                known = f"trr_{secrets.token_hex(12)}"
                self.take_from_payee(connection, request)
                connection.execute(insert(reversal).values(values | {"id": known, "at": clock.now()}))
                self.book_keeping.reverse(connection, known, request.reversal, request.amount)
                remember(connection, key, values, known)
            return self.described_reversal(existing(connection, reversal, known))

    def take_from_payee(self, connection: Connection, request: ReversalRequest) -> None:
        fen = request.amount.fen
        mine = update(transfer).where(transfer.c.id == request.transfer, transfer.c.amount - transfer.c.reversed >= fen)
        taken = mine.values(reversed=transfer.c.reversed + fen).returning(transfer.c.payee_id)
        paid = connection.execute(taken).first()
        if paid is None or fen <= 0:
            raise Invalid(f"{request.transfer}: {fen} cannot be taken back")
        theirs = update(payee).where(payee.c.id == paid.payee_id, payee.c.balance >= fen)
        less = theirs.values(balance=payee.c.balance - fen).returning(payee.c.id)
        if connection.execute(less).first() is None:
            raise InsufficientFunds(request.reversal)

    def find_reversal(self, request: ReversalRequest) -> RemoteTransfer | None:
        return next((one for one in self.reversals_of(request.transfer) if one.ours == request.reversal), None)

    def reversals_of(self, remote_id: str) -> list[RemoteTransfer]:
        with self.storage.connect() as connection:
            made = select(reversal).where(reversal.c.transfer_id == remote_id).order_by(reversal.c.at, reversal.c.id)
            return [self.described_reversal(row) for row in connection.execute(made).all()]

    def pay_payee_out(self, remote_id: str) -> int:
        """All of a payee's balance goes to their bank, from where nothing comes back; returns how much. Raises Invalid."""
        with self.writing() as connection:
            locked = select(payee).where(payee.c.id == remote_id, payee.c.status == PayeeState.VERIFIED)
            row = connection.execute(locked.with_for_update()).first()
            if row is None:
                raise Invalid(remote_id)
            if row.balance:
                connection.execute(update(payee).where(payee.c.id == remote_id).values(balance=0))
                sent = {"id": f"po_{secrets.token_hex(12)}", "payee_id": remote_id, "amount": row.balance}
                connection.execute(insert(payout).values(sent | {"at": clock.now()}))
        return int(row.balance)

    def described_transfer(self, row: Row[Any]) -> RemoteTransfer:
        return RemoteTransfer(row.id, row.transfer, Money(row.amount, row.currency), self.book)

    def described_reversal(self, row: Row[Any]) -> RemoteTransfer:
        return RemoteTransfer(row.id, row.reversal, Money(row.amount), self.book)


def existing(connection: Connection, table: Any, remote_id: str) -> Row[Any]:
    """Raises Invalid."""
    found: Row[Any] | None = connection.execute(select(table).where(table.c.id == remote_id)).first()
    if found is None:
        raise Invalid(remote_id)
    return found
