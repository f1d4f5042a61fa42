"""The public quality of growers and stations: whatever becomes of parcels and refunds, a pack counts once, for its cause."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import fulfilment, refunding, undelivered
from marketplace.orders.carts import CartOwner
from marketplace.orders.cases import quality
from marketplace.orders.cases.blame import Cause
from marketplace.orders.models import OrderLine, Parcel
from marketplace.orders.states import ParcelState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState
from tests.examples import enough
from tests.orders.conftest import Shop
from tests.properties.test_refunds import stocked
from tests.properties.trading import Trade, answer, pay, place

FATES: Final[dict[str, Cause | None]] = {
    "": None,
    "delivered": None,
    "refused": Cause.NOT_SENT,
    "never left": Cause.NOT_SENT,
    "lost": Cause.STATION,
}
units = st.integers(0, 6)
steps = st.one_of(
    st.tuples(st.just("refund"), st.integers(0, 1), st.tuples(units, units)),
    st.tuples(st.just("end"), st.integers(0, 1), st.sampled_from(sorted(FATES)[1:])),
    st.tuples(st.just("bounce"), st.integers(0, 5), st.none()),
)


@dataclass
class Line:
    public_id: str
    parcel: str
    owners: tuple[tuple[str, str], tuple[str, str]]
    quantity: int
    fate: str = ""


@dataclass
class Back:
    """What one refund gave back: packs by line."""

    refund: str
    packs: dict[str, int]
    cause: Cause
    is_live: bool = True


class Sold:
    """One paid order, and what should be counted of it: a model that knows nothing of how it is counted."""

    def __init__(self, quantities: tuple[int, ...]) -> None:
        Trade.placed += 1
        goods = {code: number for code, number in zip(Trade.variants, quantities, strict=True) if number}
        self.number = in_transaction(place, owner=CartOwner(None, f"quality-cart-{Trade.placed}"), goods=goods)
        pay(self.number)
        wanted = select(OrderLine, Parcel).join(Parcel, Parcel.id == OrderLine.parcel_id).order_by(OrderLine.id)
        rows = db.session.execute(wanted.where(Parcel.order.has(number=self.number))).all()
        self.lines = [
            Line(line.public_id, parcel.public_id, owners_of(line, parcel), line.quantity) for line, parcel in rows
        ]
        self.parcels = sorted({line.parcel for line in self.lines})
        self.backs: list[Back] = []

    def take(self, name: str, chosen: int, what: Any) -> None:
        if name == "bounce" and (live := [back for back in self.backs if back.is_live]):
            back = live[chosen % len(live)]
            answer(back.refund, RefundState.FAILED)
            back.is_live = False
        elif name == "refund":
            parcel = self.parcels[chosen % len(self.parcels)]
            mine = [line for line in self.lines if line.parcel == parcel]
            asked = {line.public_id: number for line, number in zip(mine, what, strict=False) if number}
            told: dict[str, Any] = {"station": None, "reason": "坏了", "actor": "clerk", "with_shipping": True}
            cause = FATES[mine[0].fate] or Cause.SELLER
            self.note(refunding.refund_units, parcel, asked, cause, units=asked, **told)
        elif name == "end":
            self.end(self.parcels[chosen % len(self.parcels)], what)

    def end(self, parcel: str, fate: str) -> None:
        mine = [line for line in self.lines if line.parcel == parcel]
        if mine[0].fate:
            return
        rest = {line.public_id: line.quantity - self.gone(line) for line in mine}
        rest = {line: packs for line, packs in rest.items() if packs}
        cause = FATES[fate]
        if fate == "refused":
            self.note(fulfilment.refuse, parcel, rest, cause, station=None, actor="clerk", reason="霜")
        elif fate == "never left":
            in_transaction(as_if, parcel=parcel, state=ParcelState.PACKED)
            self.note(undelivered.return_unsent, parcel, rest, cause, actor="system")
        elif fate == "lost":
            in_transaction(as_if, parcel=parcel, state=ParcelState.SHIPPED)
            self.note(undelivered.lose, parcel, rest, cause, station=None, actor="clerk", reason="车翻了")
        else:
            in_transaction(as_if, parcel=parcel, state=ParcelState.DELIVERED)
        for line in mine:
            line.fate = fate
        for back in self.backs:  # what was given back before it was not sent is not sent either
            if cause is Cause.NOT_SENT and back.packs.keys() & {line.public_id for line in mine}:
                back.cause = cause

    def note(self, command: Callable[..., Any], parcel: str, packs: dict[str, int], cause: Any, **given: Any) -> None:
        before = self.refunds()
        try:
            in_transaction(command, parcel=parcel, **given)
        except Refusal:
            assert self.refunds() == before
            return
        self.backs += [Back(refund, packs, cause) for refund in self.refunds() if refund not in before]

    def refunds(self) -> list[str]:
        db.session.rollback()
        mine = select(Refund.public_id).join(Attempt, Attempt.id == Refund.attempt_id)
        return list(db.session.scalars(mine.where(Attempt.reference == self.number).order_by(Refund.id)))

    def gone(self, line: Line) -> int:
        return sum(back.packs.get(line.public_id, 0) for back in self.backs if back.is_live)

    def figures(self) -> dict[tuple[str, str], Counter[str]]:
        found: dict[tuple[str, str], Counter[str]] = {owner: Counter() for line in self.lines for owner in line.owners}
        for line in self.lines:
            for owner in line.owners:
                found[owner]["sold"] += line.quantity if line.fate == "delivered" else self.gone(line)
                for back in self.backs:
                    found[owner][back.cause] += back.packs.get(line.public_id, 0) * back.is_live
        return {owner: +counts for owner, counts in found.items()}


def owners_of(line: OrderLine, parcel: Parcel) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("seller", line.seller_public_id), ("station", parcel.station_code)


def as_if(session: Session, *, parcel: str, state: ParcelState) -> None:
    row = session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
    row.state, row.delivered_at = state, clock.now() if state is ParcelState.DELIVERED else None


def counted() -> dict[tuple[str, str], Counter[str]]:
    db.session.rollback()
    found: dict[tuple[str, str], Counter[str]] = {}
    for owner, (sold_lately, refunded_lately, sold, refunded, *causes) in quality.counted(db.session()).items():
        named = dict(zip(quality.CAUSES, causes, strict=True))
        assert (sold_lately, refunded_lately) == (sold, refunded) and sum(causes) == refunded <= sold
        found[owner] = Counter({"sold": sold} | {str(cause): packs for cause, packs in named.items()})
    return found


@pytest.mark.parametrize("examples", [3, pytest.param(15, marks=pytest.mark.full)])
def test_each_pack_counts_once_for_its_cause(shop: Shop, examples: int, pytestconfig: pytest.Config) -> None:
    stocked()

    @settings(
        max_examples=enough(examples, pytestconfig), deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.tuples(*[st.integers(0, 6)] * 3).filter(any), st.lists(steps, max_size=10))
    def live(quantities: tuple[int, ...], what: list[tuple[str, int, Any]]) -> None:
        before, sold = counted(), Sold(quantities)
        for name, chosen, told in what:
            sold.take(name, chosen, told)
        now = counted()
        assert {
            owner: +(now.get(owner, Counter()) - before.get(owner, Counter())) for owner in sold.figures()
        } == sold.figures()

    live()
