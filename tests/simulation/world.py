"""A small marketplace in which anybody does anything at any moment, as chance has it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import time_machine
from flask import Flask
from sqlalchemy import Select, select

from crowdfund.campaigns import lifecycle
from listings import announcing
from marketplace.core import clock as shanghai, outbox, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import paying, prolonging, refunding, settlement, undelivered
from marketplace.orders.carts import CartOwner
from marketplace.orders.models import Order, Parcel
from marketplace.orders.states import OrderState, ParcelState as S
from marketplace.payments import attempts, inbox, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation import running
from marketplace.payments.sandbox import delivery
from tests.campaigns.conftest import Fund, build_fund
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, build_shop
from tests.properties.test_lives import ENTERED, STEPS, order
from tests.simulation import givers, paying_out, selling_ahead, spending, sponsoring
from tests.simulation.chance import Dice
from tests.simulation.faults import Drifting, LineIsDead, Post, UnreliableCashier

T = TypeVar("T")
NEXT_STEPS: Final = {
    S.AWAITING_ACCEPTANCE: ("accept", "accept", "accept", "refuse"),
    S.ACCEPTED: ("collect", "collect", "collect", "refuse"),
    S.COLLECTING: ("pack", "pack", "pack", "refuse"),
    S.PACKED: ("ship", "shelve"),
    S.SHIPPED: ("deliver", "deliver", "lose"),
    S.READY_FOR_PICKUP: ("hand over", "hand over", "no show"),
    S.UNCOLLECTED: ("shelve again", "return"),
}
JUMPS: Final = (*[timedelta(seconds=5)] * 6, *[timedelta(minutes=2)] * 4, timedelta(minutes=16), timedelta(hours=5))
JUMPS_OF_DAYS: Final = (timedelta(days=1), timedelta(days=8))
ABROAD: Final = 1 / 3  # of lives: the cashier settles in another currency
SKEW: Final = timedelta(minutes=10)
REFUSED: Final = (Refusal, LineIsDead)
IN_THE_RIGHT: Final = (S.SHIPPED, S.DELIVERED, S.PICKED_UP)


def furnish(app: Flask) -> tuple[Shop, Fund]:
    """What is there before a life begins; to be called in the application's context."""
    shop = build_shop(app)
    fund = build_fund(app)
    paying_out.furnish()
    selling_ahead.furnish()
    fund.open()
    in_transaction(outbox.discard, topic=announcing.TOPIC)
    for person in (fund.officer, fund.approver):
        db.session.refresh(person)
        db.session.expunge(person)  # the same in every life
    return shop, fund


class World:
    """`do` takes one step and says which."""

    def __init__(self, app: Flask, furnished: tuple[Shop, Fund], dice: Dice, clock: time_machine.Traveller) -> None:
        self.dice, self.clock = dice, clock
        self.shop, self.fund = furnished
        self.began = shanghai.now()
        self.cashier = unreliable(self.shop, dice)
        self.cashier.is_faulty = False
        self.post = Post(dice, lambda body, signature: self.shop.send("", body, signature))
        self.desk = paying_out.FinanceDesk(self.cashier, dice)
        self.sponsors = sponsoring.SponsorsDesk(self)
        self.givers = givers.GiversDesk(self)
        self.payments = spending.PaymentsDesk(self)
        self.field = selling_ahead.Field(self)
        self.carts = 0
        self.sell_one()
        self.sponsors.open_one()
        self.field.begin()
        self.cashier.is_faulty = True
        self.deeds: list[tuple[int, Callable[[], str]]] = [
            (8, self.place), (8, self.go_and_pay), (3, self.press_an_old_page), (2, self.cancel), (2, self.take_back),
            (2, self.prolong), (3, self.confirm), (14, self.take_a_step),
            (8, self.givers.give), (2, self.givers.call_off), (8, self.sponsors.sponsor), (3, self.payments.spend),
            (6, self.payments.go_on), (2, self.payments.pay_back),
            (24, self.work), (6, self.let_time_pass), (2, self.line_breaks), (1, self.refund_fails), (1, self.bank_steps_in),
            (3, self.refund_a_part), (1, self.reconcile), (1, self.old_letters),
            (7, self.desk.pay_out), (1, self.desk.answer), (1, self.desk.take_it_to_the_bank), (1, self.desk.allow_again),
            *self.field.deeds(),
        ]  # fmt: skip

    def do(self) -> str:
        weights = [weight for weight, _deed in self.deeds]
        deed = self.dice.choices([deed for _weight, deed in self.deeds], weights)[0]
        try:
            return deed()
        except REFUSED as refusal:
            return f"{deed.__name__}: {type(refusal).__name__}"

    def sell_one(self) -> None:
        """Of each: paid, sent and settled, so that somebody is owed something from the beginning."""
        goods = {self.shop.apples: 2, self.shop.millet: 2}
        number = in_transaction(order, owner=CartOwner(None, "first"), goods=goods, pickup=set())
        attempt = str(in_transaction(paying.open_attempt, number=number))
        attempts.submit(attempt, return_url="/", description="test")
        self.decide("succeeded", attempt)
        sweeping.look_again(attempt)
        for parcel, station in self.parcels_of(number):
            for step in ("accept", "collect", "pack", "ship"):
                given = {"parcel": parcel, "station": station, "actor": "clerk", **ENTERED.get(step, {})}
                in_transaction(STEPS[step], **given)
            in_transaction(settlement.confirm, number=number, parcel=parcel, actor="guest")

    def parcels_of(self, number: str) -> list[tuple[str, str]]:
        db.session.rollback()
        wanted = select(Parcel.public_id, Parcel.station_code).join(Order, Order.id == Parcel.order_id)
        return [(row[0], row[1]) for row in db.session.execute(wanted.where(Order.number == number).order_by(Parcel.id))]

    # buyers

    def place(self) -> str:
        goods = {code: self.dice.randint(1, 14) for code in self.dice.choice(self.carts_of())}
        self.carts += 1
        pickup = {station for station in (JIXIAN, QINXIAN) if self.dice.chance(0.3)}
        number = in_transaction(order, owner=CartOwner(None, f"cart-{self.carts}"), goods=goods, pickup=pickup)
        return f"place {number} {goods}"

    def carts_of(self) -> list[list[str]]:
        return [[self.shop.apples], [self.shop.millet], [self.shop.apples, self.shop.millet]]

    def go_and_pay(self) -> str:
        """From the order's page to the cashier's, and there a decision, or none."""
        number = self.an_order(Order.state == OrderState.PENDING_PAYMENT)
        if number is None:
            return "nothing to pay"
        attempt = in_transaction(paying.open_attempt, number=number) or in_transaction(paying.pay_again, number=number)
        return f"pay {number}: {self.pay(attempt, f'/orders/{number}')}"

    def pay(self, attempt: str, back: str) -> str:
        attempts.submit(attempt, return_url=back, description="test")
        return self.decide(self.dice.choice(("succeeded", "succeeded", "succeeded", "failed", "")), attempt)

    def decide(self, outcome: str, attempt: str) -> str:
        with self.on_the_payers_own_line():
            remote = self.cashier.find_payment(attempt)
            if remote and outcome:
                self.cashier.decide(remote.remote_id, outcome)
        return outcome or "walks away"

    def press_an_old_page(self) -> str:
        """A cashier's page that stood open in some tab."""
        with self.on_the_payers_own_line():
            opened = sorted(row.attempt for row in self.cashier.opened_since(self.began))
        return f"old page: {self.decide('succeeded', self.dice.choice(opened))}" if opened else "no old page"

    def cancel(self) -> str:
        number = self.an_order(Order.state == OrderState.PENDING_PAYMENT)
        if number:
            paying.cancel(number, actor="guest")
        return f"cancel {number}"

    def take_back(self) -> str:
        number = self.an_order(Order.state == OrderState.PAID)
        if number:
            in_transaction(undelivered.cancel_paid, number=number, actor="guest")
        return f"take back {number}"

    def prolong(self) -> str:
        number = self.an_order(Order.state == OrderState.PENDING_PAYMENT)
        if number:
            in_transaction(prolonging.prolong, number=number)
        return f"prolong {number}"

    def confirm(self) -> str:
        parcel = self.a_parcel(IN_THE_RIGHT)
        if parcel:
            in_transaction(settlement.confirm, number=parcel.order.number, parcel=parcel.public_id, actor="guest")
        return f"confirm {parcel.public_id if parcel else None}"

    # stations

    def take_a_step(self) -> str:
        parcel = self.a_parcel(NEXT_STEPS)
        if parcel is None:
            return "no parcel"
        name = self.dice.choice(NEXT_STEPS[parcel.state])
        entered = {"code": parcel.pickup_code or ""} if name == "hand over" else ENTERED.get(name, {})
        given = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": "clerk", **entered}
        in_transaction(STEPS[name], **given)
        return f"{name} {parcel.public_id}"

    def refund_a_part(self) -> str:
        """One unit, or everything that is left."""
        parcel = self.a_parcel(tuple(S))
        if parcel is None:
            return "no parcel"
        given = {"parcel": parcel.public_id, "station": parcel.station_code, "reason": "bruised", "actor": "clerk"}
        if self.dice.chance(0.2):
            return f"refund all: {in_transaction(refunding.refund_rest, **given)}"
        units = {self.dice.choice([line.public_id for line in parcel.lines]): self.dice.randint(1, 3)}
        return f"refund: {in_transaction(refunding.refund_units, units=units, with_shipping=self.dice.chance(0.5), **given)}"

    # machines

    def work(self) -> str:
        """Some steps of the worker, in any order."""
        chosen = self.dice.choices([*self.steps(), inbox.work, *self.seals()], k=self.dice.randint(1, 12))
        return "work: " + ", ".join([name_of(step) for step in chosen if step()])

    def steps(self) -> list[Callable[[], Any]]:
        return [
            partial(delivery.deliver, self.cashier, self.post.send),
            inbox.work,
            sweeping.send_refund,
            sweeping.ask_after_attempt,
            self.cashier.finish_refunds,
            outbox.deliver,
            outbox.deliver_slow,
            settlement.settle_one_due,
            *paying_out.STEPS,
            *selling_ahead.STEPS,
            partial(in_transaction, lifecycle.end_due),
        ]

    def seals(self) -> list[Callable[[], Any]]:
        """Last of all: they find what the others wrote, and give them nothing to do."""
        return [partial(in_transaction, sealing.seal, chain=chain) for chain in sorted(sealing.chains)]

    def let_time_pass(self) -> str:
        jump = self.dice.choice(JUMPS_OF_DAYS if self.dice.chance(0.05) else JUMPS)
        if self.dice.chance(0.1):
            jump = -self.dice.random() * SKEW
        self.clock.shift(jump)
        return f"time {jump}"

    def line_breaks(self) -> str:
        self.cashier.is_reachable = not self.cashier.is_reachable
        return f"the gateway is {'there' if self.cashier.is_reachable else 'down'}"

    def refund_fails(self) -> str:
        return f"a refund fails: {self.cashier.fail_a_refund()}"

    def bank_steps_in(self) -> str:
        with self.on_the_payers_own_line():
            return self.cashier.play_the_bank()

    def reconcile(self) -> str:
        return f"reconcile: {'red' if running.reconcile(self.cashier, actor='worker').is_red else 'as it should be'}"

    def old_letters(self) -> str:
        self.post.bring_what_was_kept()
        return "old letters arrive"

    @contextmanager
    def on_the_payers_own_line(self) -> Iterator[None]:
        """Whoever pays reaches the gateway without us."""
        before, self.cashier.is_faulty = self.cashier.is_faulty, False
        try:
            yield
        finally:
            self.cashier.is_faulty = before

    # what there is

    def an_order(self, condition: Any) -> str | None:
        return self.one_of(select(Order.number).where(condition).order_by(Order.id))

    def a_parcel(self, states: Any) -> Parcel | None:
        wanted = select(Parcel).join(Order, Order.id == Parcel.order_id).where(Parcel.state.in_(list(states)))
        return self.one_of(wanted.where(Order.paid_at.is_not(None)).order_by(Parcel.id))

    def one_of(self, wanted: Select[T]) -> T | None:
        db.session.rollback()
        found = db.session.scalars(wanted).all()
        return self.dice.choice(found) if found else None


def unreliable(shop: Shop, dice: Dice) -> UnreliableCashier:
    """The shop's cashier from now on; whatever it knows stays."""
    known = shop.cashier
    replaced = UnreliableCashier(known.storage, secret=known.secret, base_url=known.base_url, fee_basis_points=60)
    replaced.dice = dice
    if dice.chance(ABROAD):
        replaced.book_keeping.conversion = Drifting("HKD", Decimal(1), dice)
    shop.cashier = gateways().by_name[replaced.name] = replaced
    return replaced


def name_of(step: Any) -> str:
    if not isinstance(step, partial):
        return str(step.__name__)
    return " ".join([step.func.__name__, *(each.__name__ for each in step.args if hasattr(each, "__name__"))])
