"""A statement is paid: one payment, all its orders; each is shared out like any other order, less what was credited."""

from collections import defaultdict

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, outbox
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders import disputed, remaining
from marketplace.orders.cases import paying_back
from marketplace.orders.institutions import crediting
from marketplace.orders.institutions.models import AccountOrder, AccountStatement
from marketplace.orders.institutions.ordering import of_member
from marketplace.orders.institutions.payments import PURPOSE
from marketplace.orders.institutions.states import PAYABLE, StatementState
from marketplace.orders.models import Order, OrderLine, Parcel, RefundLine
from marketplace.orders.promotions import using
from marketplace.orders.promotions.ending import FUNDING, GRANT
from marketplace.orders.states import OrderState
from marketplace.payments import attempts

PAYER = "payer"


class NothingToPay(Refusal):
    message = _l("There is nothing to pay on this statement.")


def start(session: Session, *, institution: str, statement: str, person_id: int) -> str:
    """Open an attempt for what the statement asks now; returns it. Raises NotFound for whoever is no payer of it,
    NothingToPay, AlreadyPaying, PaymentsClosed."""
    mine = of_member(session, institution, person_id, role=PAYER)
    row = locked(session, statement)
    if row is None or row.institution_id != mine.id or row.state not in PAYABLE:
        raise NothingToPay(statement)
    return attempts.start(session, purpose=PURPOSE, reference=statement, amount=Money(row.due_fen, row.currency))


def receive(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `statement`; False sends the money back: it is paid, or asks for another sum by now."""
    row = locked(session, reference)
    if row is None or row.state not in PAYABLE or amount != Money(row.due_fen, row.currency):
        return False
    now, why = clock.now(), f"attempt:{attempt}"
    transition(session, row, StatementState.PAID, expected=row.state, actor="system", why=why, paid_at=now)
    crediting.lower(session, row.institution_id, row.due_fen)  # before promotions, as whoever orders counts it first
    for order in orders_of(session, row.id):
        transition(
            session, order, OrderState.PAID, expected=OrderState.PLACED_ON_ACCOUNT, actor="system", why=why, paid_at=now
        )
        if order.discount_fen:
            using.spend(session, order.number)
        allocate(session, order)
        outbox.put(session, "order.paid", number=order.number)
    return True


def locked(session: Session, statement: str) -> AccountStatement | None:
    wanted = select(AccountStatement).where(AccountStatement.public_id == statement).with_for_update()
    return session.scalar(wanted.execution_options(populate_existing=True))


def orders_of(session: Session, statement: int) -> list[Order]:
    """Those that wait for this payment, locked in the order of their ids; one that was credited wholly does not."""
    wanted = select(Order).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.where(AccountOrder.statement_id == statement, Order.state == OrderState.PLACED_ON_ACCOUNT)
    wanted = wanted.order_by(Order.id).with_for_update(of=Order).execution_options(populate_existing=True)
    return list(session.scalars(wanted))


def allocate(session: Session, order: Order) -> None:
    """`allocate:<order>`, of what is left after credits; beside what was paid it is what the province bears of discounts.

    What it was to bear of what was credited is its own again, as after a refund (`remaining.given_back`)."""
    parcels = session.execute(select(Parcel.id, Parcel.station_code).where(Parcel.order_id == order.id)).all()
    lines = remaining.of_parcels(session, [parcel.id for parcel in parcels])
    moving: dict[books.Account, int] = defaultdict(int)
    for parcel in parcels:
        rest = [line.rest for line in lines[parcel.id]]
        for account, fen in remaining.shares(rest, parcel.station_code).items():
            moving[account] -= fen
        moving["buyer_clearing", ""] += sum(part.fen for part in rest)
        funded = sum(line.platform_discount_fen + line.shipping_discount_fen for line in lines[parcel.id])
        moving[FUNDING] += funded
        moving[GRANT] -= funded - sum(part.province_fen for part in rest)
    moved = {account: Money(fen, order.currency) for account, fen in moving.items() if fen}
    if moved:
        books.post(session, key=f"allocate:{order.number}", book=order.book, reference=order.number, lines=moved)


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund of one of the statement's orders did not arrive; of a surplus it was never anybody's goods."""
    its = select(Order.number).join(Parcel, Parcel.order_id == Order.id).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    its = its.join(RefundLine, RefundLine.order_line_id == OrderLine.id).where(RefundLine.refund_public_id == refund)
    number = session.scalar(its.limit(1))
    if number is not None:
        paying_back.came_back(session, reference=number, refund=refund, amount=amount)


def bear(session: Session, /, *, reference: str, dispute: str, amount: Money) -> dict[books.Account, Money]:
    """A bank has taken the money of a statement back: the province bears it, as of any order."""
    keep_what_waits(session, reference=reference)
    return {}


def keep_what_waits(session: Session, /, *, reference: str) -> None:
    """As of each of its orders (`orders.disputed`)."""
    wanted = select(Order.number).join(AccountOrder, AccountOrder.order_id == Order.id)
    wanted = wanted.join(AccountStatement, AccountStatement.id == AccountOrder.statement_id)
    for number in session.scalars(wanted.where(AccountStatement.public_id == reference).order_by(Order.id)).all():
        disputed.keep_what_waits(session, reference=number)
