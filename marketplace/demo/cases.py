"""What buyers of the demonstration reported an hour ago, and what became of it, through the real commands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.orders.cases import appealing, deciding, opening
from marketplace.orders.cases.finding import EVERYWHERE
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.cases.states import Party
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.states import ParcelState

Deed = tuple[datetime, Callable[[], None]]
Then = Callable[[Session, str], None]
AT_THE_BUYERS: Final = (ParcelState.DELIVERED, ParcelState.SHIPPED)


def agree(session: Session, case: str) -> None:
    deciding.approve(session, case=case, reach=EVERYWHERE, actor="clerk", why="请带着原来的包装送到站里")


def pay_back(session: Session, case: str) -> None:
    deciding.refund(session, case=case, reach=EVERYWHERE, actor="clerk", why="查了装箱记录，确实少装了")


def refuse_and_ask(session: Session, case: str) -> None:
    deciding.reject(session, case=case, reach=EVERYWHERE, actor="clerk", why="面单上写的和发的是同一种")
    with clock.at(clock.now() + timedelta(minutes=10)):
        words = "页面上的照片和收到的不一样，请看看"
        appealing.ask(session, case=case, reach=EVERYWHERE, party=Party.BUYER, words=words, actor="guest")


def wait(_session: Session, _case: str) -> None:
    """The station has not answered yet."""


STORIES: Final[tuple[tuple[Kind, Wish, str, Then], ...]] = (
    (Kind.WRONG, Wish.REFUND, "订的是大份，来的是小份", wait),
    (Kind.MISSING, Wish.REFUND, "箱子里少了一份", pay_back),
    (Kind.WRONG, Wish.EXCHANGE, "发成别的口味了，想换", agree),
    (Kind.WRONG, Wish.REFUND, "和页面上写的不是一种", refuse_and_ask),
)


def deeds() -> list[Deed]:
    """(when, what)."""
    return [(clock.now() - timedelta(hours=1), partial(in_transaction, report))]


def report(session: Session) -> None:
    """One story for each order that arrived lately, those of the accounts that people may sign in with first. Where too few
    did, one that is on its way serves: whoever reports a parcel has it."""
    arrived = select(Order.number, OrderLine).join(Parcel, Parcel.id == OrderLine.parcel_id)
    arrived = arrived.join(Order, Order.id == Parcel.order_id).where(Parcel.state.in_(AT_THE_BUYERS))
    arrived = arrived.where(Order.paid_at.is_not(None))
    rows = session.execute(
        arrived.order_by(Parcel.delivered_at.is_(None), Order.buyer_id.is_(None), Parcel.delivered_at.desc(), OrderLine.id)
    ).all()
    lines = {number: line.public_id for number, line in reversed(rows) if line.return_policy != "fresh_excluded"}
    for (number, line), (kind, wish, words, then) in zip(reversed(lines.items()), STORIES, strict=False):
        said: dict[str, Any] = {"kind": kind, "wish": wish, "words": words, "pictures": [], "actor": "guest"}
        case = opening.open_case(session, number=number, line=line, quantity=1, **said)
        with clock.at(clock.now() + timedelta(minutes=20)):
            then(session, case)
