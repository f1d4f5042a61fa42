"""A month of trade, lived through the real commands with the clock set back, so that books, desks and doors have a past.

orders.csv says who ordered what when, and how far it came. Nothing is written past a rule: stock, books, traces and the
cashier's own records are what they would be, had it happened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from itertools import groupby
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock, outbox
from marketplace.core.db import in_transaction
from marketplace.demo import cases, feedback, groups, institutions, journeys, promotions, settlements
from marketplace.demo.cashier import pay_at_cashier
from marketplace.demo.people import ids_of, person_id
from marketplace.demo.tables import Row, read, refuse_in_earnest
from marketplace.orders import carts, paying, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order, Province
from marketplace.orders.placing import Recipient
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import quote
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox.gateway import SandboxCashier

AT_THE_CASHIER: Final = timedelta(seconds=95)
GIVEN_UP: Final = {"expired": placing.TIME_TO_PAY, "cancelled": timedelta(minutes=6)}
FETCHED: Final = frozenset({"ready_for_pickup", "picked_up"})
DAYS: Final = {"shanxi": 2, "neighbour": 3, "rest": 4, "remote": 7}  # on the road

Deed = tuple[datetime, Callable[[], None]]


@dataclass
class Purchase:
    """One row of orders.csv; its number is known once it was placed."""

    row: Row
    owner: CartOwner
    stations: list[str]  # in the order of their parcels
    days: int
    number: str = ""

    @property
    def outcome(self) -> str:
        return self.row["outcome"]

    @property
    def goods(self) -> list[tuple[str, int]]:
        pairs = (pair.split(":") for pair in self.row["goods"].split(";"))
        return [(variant, int(quantity)) for variant, quantity in pairs]

    @property
    def coupon(self) -> str:
        return promotions.USED.get((self.row["days_ago"], self.row["time"]), "")

    @property
    def pickup(self) -> list[str]:
        return self.stations if self.outcome in FETCHED else []

    @property
    def recipient(self) -> Recipient:
        row = self.row
        return Recipient(row["recipient"], row["phone"], row["province_code"], row["city"], row["street"])

    @property
    def placed_at(self) -> datetime:
        """So many days ago at that time in Shanxi; what was ordered today was ordered an hour ago at the latest."""
        day = clock.today() - timedelta(days=int(self.row["days_ago"]))
        moment = datetime.combine(day, time.fromisoformat(self.row["time"]), clock.SHANGHAI)
        return min(moment, clock.now() - timedelta(hours=1))


def play() -> None:
    """Live through orders.csv, once: where anybody has ordered anything, the past is theirs. Only with test money.

    Raises OnlyForDemonstrations."""
    refuse_in_earnest()
    cashier = gateways().by_name.get("sandbox")
    if not isinstance(cashier, SandboxCashier) or in_transaction(has_a_past):
        return
    now = clock.now()
    planned = [deed for purchase in in_transaction(purchases) for deed in deeds(purchase, cashier)]
    planned += settlements.deeds() + cases.deeds() + promotions.deeds() + groups.deeds(cashier) + feedback.deeds()
    planned += institutions.deeds(cashier)
    past = sorted((deed for deed in planned if deed[0] <= now), key=lambda deed: deed[0])
    for _day, done in groupby(past, key=lambda deed: clock.local(deed[0]).date()):
        live_through(list(done), now)


def live_through(day: list[Deed], now: datetime) -> None:
    """What was done that day, and what the worker made of it: messages, counts, orders that were never paid. Nothing of it
    lies ahead: what was done a moment ago is left to the worker of today."""
    for moment, do in day:
        with clock.at(moment):
            do()
    with clock.at(min(day[-1][0] + placing.TIME_TO_PAY, now)):
        while outbox.deliver() or outbox.deliver_slow():
            pass


def has_a_past(session: Session) -> bool:
    return session.scalar(select(Order.id).limit(1)) is not None


def purchases(session: Session) -> list[Purchase]:
    people = ids_of(session, [person_id("buyer"), person_id("buyer2")])
    counties = {row["id"]: row["county_code"] for row in read("products")}
    zones = {row.code: row.zone for row in session.execute(select(Province.code, Province.zone))}
    found = []
    for number, row in enumerate(read("orders")):
        person = people.get(person_id(row["buyer"]))
        owner = CartOwner(person, None if person else f"demo-{number}")
        stations = dict.fromkeys(counties[pair.partition("-")[0]] for pair in row["goods"].split(";"))
        found.append(Purchase(row, owner, list(stations), DAYS[zones[row["province_code"]]]))
    return found


def deeds(purchase: Purchase, cashier: SandboxCashier) -> Iterator[Deed]:
    """Everything that was done about an order, its parcels included."""
    placed_at = purchase.placed_at
    yield placed_at, partial(place, purchase)
    if purchase.outcome in GIVEN_UP:
        yield placed_at + GIVEN_UP[purchase.outcome], partial(give_up, purchase)
        return
    yield placed_at + AT_THE_CASHIER, partial(pay, purchase, cashier)
    for position in range(1, len(purchase.stations) + 1):
        for moment, act in journeys.course(purchase.outcome, purchase.days, placed_at, position):
            yield moment, partial(handle, purchase, position, act)


def place(purchase: Purchase) -> None:
    purchase.number = in_transaction(fill_cart_and_order, purchase)


def fill_cart_and_order(session: Session, purchase: Purchase) -> str:
    owner = purchase.owner
    for second, (variant, quantity) in enumerate(purchase.goods):
        with clock.at(clock.now() + timedelta(seconds=second)):  # parcels follow the order in which things were put in
            carts.put(session, owner=owner, variant=variant, quantity=quantity)
    session.flush()
    found = offers.find(session, [variant for variant, _quantity in purchase.goods])
    tariff = shipping.tariff(session, purchase.recipient.province, clock.today())
    plain = quote(carts.contents(session, owner), found, tariff=tariff, pickup=purchase.pickup)
    buyer = Buyer(owner.person_id, purchase.recipient.phone)
    shown = choosing.reduced(session, plain, code=purchase.coupon, buyer=buyer)
    return placing.place(
        session,
        owner=owner,
        recipient=purchase.recipient,
        pickup=purchase.pickup,
        shown_total_fen=shown.total_fen,
        language="zh_CN",
        coupon=purchase.coupon,
    )


def pay(purchase: Purchase, cashier: SandboxCashier) -> None:
    """As a payer at the sandbox cashier would; its answer arrives at once."""
    attempt = in_transaction(paying.open_attempt, number=purchase.number)
    if attempt is None:
        raise LookupError(f"nothing to pay for {purchase.number}")
    pay_at_cashier(cashier, attempt, return_url=f"/orders/{purchase.number}", description=purchase.number)


def give_up(purchase: Purchase) -> None:
    if purchase.outcome == "expired":
        paying.expire(number=purchase.number)
    else:
        paying.cancel(purchase.number, actor="buyer")


def handle(purchase: Purchase, position: int, act: journeys.Act) -> None:
    in_transaction(journeys.handle, number=purchase.number, position=position, act=act)
