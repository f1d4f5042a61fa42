"""Many at once want what is scarce, in threads of several processes, while holds run out, orders are called off and paid
ones come back to the shelf: never is more promised than there is, and every sum is exact. So it stays when our own guards
are taken out: then the database refuses."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from random import Random
from threading import Barrier
from typing import Final

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError

from listings import stock
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders import paying, undelivered
from marketplace.orders.carts import CartOwner
from marketplace.orders.quoting import QuotedLine
from marketplace.payments import attempts, sweeping
from tests import factories
from tests.orders.conftest import Shop, differences
from tests.properties.test_lives import order
from tests.tiers import in_full

LINES: Final = ("first", "second")  # two packs of one order, both scarce
FATES: Final = ("kept", "called off", "run out", "paid", "paid and called off")
PAID: Final = ("paid", "completed")


@dataclass(frozen=True)
class Crowd:
    processes: int
    threads: int  # of each process
    tries: int  # of each thread
    units: int  # of each pack


FEW, ONE, SOME = Crowd(1, 8, 2, 5), Crowd(4, 20, 1, 1), Crowd(4, 20, 2, 50)
CROWDS: Final = [FEW, *in_full(ONE, SOME)]


RUNNING: list["Race"] = []
"""The one that children inherit: it could not be sent to them."""


def in_a_child(which: int) -> Counter[str]:
    return RUNNING[0].in_one_process(which)


@dataclass
class Race:
    """What the children of this process inherit, and do."""

    shop: Shop
    packs: tuple[str, ...]
    crowd: Crowd
    refused: list[str]

    def run(self) -> Counter[str]:
        """How all tries fared. Each process opens connections of its own."""
        db.session.remove()
        db.engine.dispose()
        self.shop.cashier.storage.dispose()
        if self.crowd.processes == 1:
            return self.in_one_process(0)
        RUNNING[:] = [self]
        with ProcessPoolExecutor(self.crowd.processes, mp_context=get_context("fork")) as pool:
            return sum(pool.map(in_a_child, range(self.crowd.processes)), Counter())

    def in_one_process(self, which: int) -> Counter[str]:
        start = Barrier(self.crowd.threads)

        def shopper(number: int) -> Counter[str]:
            chance, fared = Random(which * 1000 + number), Counter[str]()
            with self.shop.app.app_context():
                start.wait()
                for turn in range(self.crowd.tries):
                    fared[self.one_try(f"{which}-{number}-{turn}", chance)] += 1
                    db.session.remove()
            return fared

        with ThreadPoolExecutor(self.crowd.threads) as pool:
            fared = sum(pool.map(shopper, range(self.crowd.threads)), Counter[str]())
        fared["refused by the database"] = len(self.refused)
        return fared

    def one_try(self, cart: str, chance: Random) -> str:
        goods = {pack: chance.randint(1, min(3, self.crowd.units)) for pack in self.packs}
        try:
            number = in_transaction(order, owner=CartOwner(None, cart), goods=goods, pickup=set())
            fate = chance.choice(FATES)
            self.live(number, fate)
        except Refusal as refusal:
            return type(refusal).__name__
        except DBAPIError as error:
            if isinstance(error, IntegrityError):
                raise
            return "come again"  # too many for one writer: whoever is told so, has nothing
        return fate

    def live(self, number: str, fate: str) -> None:
        if fate == "called off":
            paying.cancel(number, actor="guest")
        elif fate == "run out":
            with clock.at(clock.now() + timedelta(minutes=20)):
                paying.expire(number=number)
        elif fate.startswith("paid"):
            self.pay(number)
            if fate != "paid":
                in_transaction(undelivered.cancel_paid, number=number, actor="guest")

    def pay(self, number: str) -> None:
        attempt = str(in_transaction(paying.open_attempt, number=number))
        attempts.submit(attempt, return_url="/", description=number)
        remote = self.shop.cashier.find_payment(attempt)
        assert remote
        self.shop.cashier.decide(remote.remote_id, "succeeded")
        sweeping.look_again(attempt)


@pytest.fixture
def refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the database said no to, in the process that looks."""
    said: list[str] = []

    def remember(context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, IntegrityError):
            said.append(str(context.original_exception))

    monkeypatch.setattr(db.engine.pool, "_timeout", 300.0)
    event.listen(db.engine, "handle_error", remember)
    yield said
    event.remove(db.engine, "handle_error", remember)


def race(shop: Shop, crowd: Crowd, refused: list[str]) -> tuple[Race, Counter[str]]:
    listing = factories.make_listing()
    packs = tuple(factories.make_variant(listing, stock_on_hand=crowd.units).code for _line in LINES)
    running = Race(shop, packs, crowd, refused)
    return running, running.run()


def the_shelf_is_exact(running: Race) -> None:
    """By the orders there are, and by the movements, and by the whole audit."""
    running.shop.work()
    db.session.rollback()
    for pack in running.packs:
        shelf = text("SELECT on_hand, reserved FROM variant WHERE code = :pack")
        on_hand, reserved = db.session.execute(shelf, {"pack": pack}).one()
        assert 0 <= reserved <= on_hand <= running.crowd.units
        assert reserved == ordered(pack, "pending_payment")
        assert running.crowd.units - on_hand == ordered(pack, *PAID)
        moved = text("SELECT SUM(on_hand_change), SUM(reserved_change) FROM stock_movement WHERE variant_code = :pack")
        assert tuple(db.session.execute(moved, {"pack": pack}).one()) == (on_hand, reserved)
    assert differences(running.shop) == []


def ordered(pack: str, *states: str) -> int:
    """Units of this pack in orders of these states."""
    wanted = select(text("COALESCE(SUM(l.quantity), 0)")).select_from(
        text('order_line l JOIN parcel p ON p.id = l.parcel_id JOIN "order" o ON o.id = p.order_id')
    )
    named = ", ".join(f"'{state}'" for state in states)
    return int(db.session.scalar(wanted.where(text(f"l.variant_code = '{pack}' AND o.state IN ({named})"))) or 0)


@pytest.mark.parametrize("crowd", CROWDS, ids=str)
def test_never_more_is_promised_than_there_is(shop: Shop, refused: list[str], crowd: Crowd) -> None:
    running, fared = race(shop, crowd, refused)

    the_shelf_is_exact(running)
    assert fared["refused by the database"] == 0
    assert sum(fared[fate] for fate in FATES) >= 1, fared
    assert crowd is not ONE or (fared.total() == 80 and fared["kept"] + fared["paid"] <= 1), fared


@pytest.mark.parametrize("crowd", [FEW, pytest.param(SOME, marks=pytest.mark.full)], ids=str)
def test_nor_where_our_own_guards_are_taken_out(
    shop: Shop, refused: list[str], crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before the order is written, and the condition of the UPDATE itself."""
    monkeypatch.setattr(QuotedLine, "trouble", None)
    monkeypatch.setattr(stock, "stays_real", lambda _on_hand, _reserved: ())

    running, fared = race(shop, crowd, refused)
    monkeypatch.undo()

    the_shelf_is_exact(running)
    assert fared["refused by the database"] == fared["OutOfStock"] > 0, fared
