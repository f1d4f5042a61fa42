"""One order that is paid and delivered, and what is done to it afterwards: what the books must say after each step."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.money import Money, apportion
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.orders import carts, paying, placing, refunding, settlement, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.placing import Recipient
from marketplace.orders.quoting import quote
from marketplace.orders.states import ParcelState
from marketplace.payments import outcomes
from marketplace.payments.gateways import RemotePayment, RemoteRefund
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState, RefundState

WHO: Final = Recipient("郭晓芸", "13835172045", "140000", "太原 小店区", "平阳路 128 号")
IN_TRANSIT: Final = "refund_in_transit"
Balances = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Box:
    """A parcel of the order: its lines, and whom its money is owed to."""

    parcel: str
    station: str
    lines: tuple[str, ...]
    owners: frozenset[tuple[str, str]]


class Trade:
    """One paid order, delivered; what is done to it, and what the books must say then."""

    variants: ClassVar[tuple[str, ...]]
    placed: ClassVar[int] = 0

    def __init__(self, quantities: tuple[int, ...]) -> None:
        type(self).placed += 1
        goods = {code: number for code, number in zip(self.variants, quantities, strict=True) if number}
        self.number = in_transaction(place, owner=CartOwner(None, f"refund-cart-{self.placed}"), goods=goods)
        pay(self.number)
        order = db.session.scalars(select(Order).where(Order.number == self.number)).one()
        self.total = order.total_fen
        self.boxes = [self.box(parcel) for parcel in order.parcels]
        assert self.total == sum(parcel.goods_fen + parcel.shipping_fen for parcel in order.parcels)
        for box in self.boxes:
            in_transaction(as_if_delivered, parcel=box.parcel)

    def box(self, parcel: Parcel) -> Box:
        lines = db.session.scalars(select(OrderLine).where(OrderLine.parcel_id == parcel.id).order_by(OrderLine.id)).all()
        weights = [each.net_weight_grams * each.quantity for each in lines]
        assert [each.shipping_fen for each in lines] == apportion(parcel.shipping_fen, weights)
        assert sum(each.unit_price_fen * each.quantity for each in lines) == parcel.goods_fen
        sellers = {("seller", each.seller_public_id) for each in lines}
        owners = frozenset(sellers | {("station", parcel.station_code)})
        return Box(parcel.public_id, parcel.station_code, tuple(each.public_id for each in lines), owners)

    def take(self, name: str, chosen: Any, with_shipping: bool | None) -> None:
        if name == "refund":
            which, units = chosen
            box = self.boxes[which % len(self.boxes)]
            asked = {line: number for line, number in zip(box.lines, units, strict=False) if number}
            self.attempt(refunding.refund_units, box, units=asked, with_shipping=with_shipping, reason="坏了")
        elif name == "bounce" and (known := self.refunds(RefundState.FAILED)):
            answer(known[chosen % len(known)], RefundState.FAILED)
        elif name == "settle":
            self.settle(self.boxes[chosen % len(self.boxes)])

    def attempt(self, command: Any, box: Box, **given: Any) -> None:
        before = self.mine()
        try:
            in_transaction(command, parcel=box.parcel, station=box.station, actor="clerk", **given)
        except Refusal:
            assert self.mine() == before  # a refusal changes nothing

    def settle(self, box: Box) -> None:
        try:
            in_transaction(settlement.confirm, number=self.number, parcel=box.parcel, actor="buyer")
        except Refusal:
            return

    def refunds(self, without: RefundState) -> list[str]:
        db.session.rollback()
        mine = select(Refund.public_id).join(Attempt, Attempt.id == Refund.attempt_id)
        mine = mine.where(Attempt.reference == self.number, Refund.state != without)
        return list(db.session.scalars(mine.order_by(Refund.id)))

    def mine(self) -> Balances:
        return balances(self.number)

    def check(self) -> None:
        """What is there is owed to those of this order and to nobody else; what goes back is what the lines say."""
        now = self.mine()
        assert sum(now.values()) == 0
        owners = frozenset[tuple[str, str]]().union(*(box.owners for box in self.boxes))
        others = {(kind.partition("_")[0], owner) for kind, owner in now if kind.startswith(("seller", "station"))} - owners
        assert others == set()
        kept = sum(-fen for (kind, _owner), fen in now.items() if kind.startswith(("seller", "station")))
        live = select(Refund.fen).join(Attempt, Attempt.id == Refund.attempt_id)
        gone = sum(db.session.scalars(live.where(Attempt.reference == self.number, Refund.state != RefundState.FAILED)))
        assert kept + gone == self.total and 0 <= gone <= self.total
        assert -now.get((IN_TRANSIT, ""), 0) == gone  # nothing has arrived yet
        assert all(fen <= 0 for (kind, _owner), fen in now.items() if kind.endswith(("held", "payable")))

    def finish(self) -> None:
        """By whichever way: everything that was paid goes back."""
        for box in self.boxes:
            self.attempt(refunding.refund_rest, box, reason="全退")
            self.check()
        assert self.mine() == {("gateway_clearing", "sandbox"): self.total, (IN_TRANSIT, ""): -self.total}
        for refund in self.refunds(RefundState.FAILED):
            answer(refund, RefundState.SUCCEEDED)
        assert self.mine() == {}


def place(session: Session, *, owner: CartOwner, goods: dict[str, int]) -> str:
    for variant, quantity in goods.items():
        carts.put(session, owner=owner, variant=variant, quantity=quantity)
    session.flush()
    contents, found = carts.contents(session, owner), offers.find(session, list(goods))
    shown = quote(contents, found, tariff=shipping.tariff(session, WHO.province, clock.today()))
    given: dict[str, Any] = {"recipient": WHO, "pickup": (), "shown_total_fen": shown.total_fen, "language": "zh_CN"}
    return placing.place(session, owner=owner, **given)


def pay(number: str) -> None:
    """As if the cashier had said so: its own records are no part of this."""
    attempt = in_transaction(paying.open_attempt, number=number)
    row = db.session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
    in_transaction(as_if_asked, attempt=row.public_id)
    remote = RemotePayment(f"pay-{number}", row.public_id, row.amount, AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=remote, gateway="sandbox", why="test")


def as_if_asked(session: Session, *, attempt: str) -> None:
    session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one().state = AttemptState.SUBMITTING


def as_if_delivered(session: Session, *, parcel: str) -> None:
    row = session.scalars(select(Parcel).where(Parcel.public_id == parcel)).one()
    row.state, row.delivered_at = ParcelState.DELIVERED, clock.now()


def answer(refund: str, state: RefundState) -> None:
    """What the gateway says of a refund that it was asked for."""
    row = db.session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    in_transaction(as_if_sent, refund=refund)
    remote = RemoteRefund(f"re-{refund}", refund, Money(row.fen), state, state.value, "test")
    in_transaction(outcomes.apply_refund, remote=remote, why="test")


def as_if_sent(session: Session, *, refund: str) -> None:
    row = session.scalars(select(Refund).where(Refund.public_id == refund)).one()
    if row.state is RefundState.REQUESTED:
        row.state = RefundState.PENDING


def balances(number: str) -> Balances:
    """(kind, owner) -> fen of one order, debit positive; accounts at zero are left out."""
    db.session.rollback()
    rows = select(LedgerAccount.kind, LedgerAccount.owner, Line.amount).join(Line, Line.account_id == LedgerAccount.id)
    totals: Balances = {}
    for kind, owner, fen in db.session.execute(rows.join(Entry, Entry.id == Line.entry_id).where(Entry.reference == number)):
        totals[kind, owner] = totals.get((kind, owner), 0) + fen
    return {account: fen for account, fen in totals.items() if fen}
