"""What comes off the bill of an order on account: in the place of a refund as long as nobody has paid.

`repaying.repay` decides which of the two it is, so that every cause of a refund (refused, short, lighter, lost, a desk's
decision, a check of what came) is a cause of a credit as well. docs/adr/0028 says why credits are rows of their own."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.core import ids, outbox
from marketplace.core.db import add_rows
from marketplace.core.errors import StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders.institutions.models import AccountOrder, AccountStatement, BillCredit, Institution
from marketplace.orders.institutions.states import PAYABLE, StatementState
from marketplace.orders.models import Parcel
from marketplace.orders.remaining import Part

CREDITED = "bill.credited"  # the outbox's topic


def credit(session: Session, parcel: Parcel, parts: Sequence[Part], *, reason_key: str, reason: str) -> str:
    """Take these parts off the bill; returns the credit's id. The caller has locked the order and counted the units.

    Raises StaleState for a statement that was paid meanwhile."""
    public_id = ids.public_id()
    about = {"public_id": public_id, "reason_key": reason_key, "reason": reason}
    taken = [part for part in parts if part.price_fen]
    if taken:
        add_rows(session, BillCredit, *({**about, **figures_of(part)} for part in taken))
    fen = sum(part.fen for part in taken)
    if not fen:  # its shipping was free by a promotion: nothing of the bill, but counted as gone
        return public_id
    outbox.put(session, CREDITED, credit=public_id)
    account = session.get_one(AccountOrder, parcel.order_id)
    lower(session, account.institution_id, fen)
    if account.statement_id is not None:
        take_off_statement(session, account.statement_id, fen)
    return public_id


def figures_of(part: Part) -> dict[str, object]:
    off = ("seller_discount_fen", "platform_discount_fen", "shipping_discount_fen")
    money = {name: getattr(part, name) for name in ("goods_fen", "service_fee_fen", "shipping_fen", *off)}
    return {"order_line_id": part.line.id, "quantity": part.units, "with_shipping": part.with_shipping, **money}


def lower(session: Session, institution: int, fen: int) -> None:
    """So much less is outstanding, in one guarded statement. Raises StaleState below zero."""
    less = update(Institution).where(Institution.id == institution, Institution.outstanding_fen >= fen)
    less = less.values(outstanding_fen=Institution.outstanding_fen - fen)
    if session.scalar(less.returning(Institution.id).execution_options(synchronize_session=False)) is None:
        raise StaleState(f"institution {institution}: {fen} fen are not outstanding")


def take_off_statement(session: Session, statement: int, fen: int) -> None:
    """The statement asks for so much less; one of which nothing is left is void. Raises StaleState once it is paid."""
    wanted = select(AccountStatement).where(AccountStatement.id == statement).with_for_update()
    row = session.scalars(wanted.execution_options(populate_existing=True)).one()
    if row.state not in PAYABLE:
        raise StaleState(f"{row.public_id}: {row.state}")
    credited = row.credited_fen + fen
    if credited == row.total_fen:
        why = "everything was credited"
        transition(session, row, StatementState.VOID, expected=row.state, actor="system", why=why, credited_fen=credited)
    else:
        row.credited_fen = credited


def bear_lost(session: Session, parcel: Parcel, parts: Sequence[Part]) -> None:
    """`bill_lost:<parcel>`: nobody will pay for it, and the growers delivered: their station pays them.

    What the growers bore of discounts they bear here as well; the province bears nothing of what nobody pays for."""
    order, station = parcel.order, ("station_payable", parcel.station_code)
    lines: list[tuple[books.Account, Money]] = []
    for part in parts:
        fen = Money(part.goods_fen - part.service_fee_fen - part.seller_discount_fen, order.currency)
        lines += [(station, fen), (("seller_payable", part.line.seller), -fen)]
    if any(money for _account, money in lines):
        books.post(session, key=f"bill_lost:{parcel.public_id}", book=order.book, reference=order.number, lines=lines)
