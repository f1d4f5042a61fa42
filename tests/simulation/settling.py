"""In the end everything works again: time passes, and people look after what machines left, until nothing is left to do."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.worker import Worker
from marketplace.duties import queues
from marketplace.orders import refunding
from marketplace.orders.models import OrderLine, Parcel, RefundLine
from marketplace.payments import absent
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests.simulation.world import World

WAITS: Final = (  # in the end: for a gateway's answers, for a presale's days, for what is tried again hours later
    *[timedelta(minutes=20)] * 2, *[timedelta(hours=2)] * 3, *[timedelta(days=1)] * 3, *[timedelta(days=4)] * 3,
    timedelta(hours=7), timedelta(days=1),
)  # fmt: skip


def settle_down(world: World) -> None:
    """Everything works again, and time passes until nothing is left to do."""
    world.post.is_faulty = world.cashier.is_faulty = False
    world.post.bring_what_was_kept()
    for wait in WAITS:
        world.clock.shift(wait)
        work_until_nothing_is_due(world)
        look_after_what_failed(world)


def work_until_nothing_is_due(world: World) -> None:
    """Round after round, as the worker does it, until one finds nothing; then what they wrote is sealed."""
    worker = Worker(queues=queues())
    while sum(map(was_of_use, worker.with_work(world.steps()))):
        pass
    for seal in world.seals():
        was_of_use(seal)


def was_of_use(step: Callable[[], Any]) -> bool:
    """Do it until it finds nothing more: to ask all the others after each row takes most of a life's time."""
    found = False
    while step():
        found = True
    return found


def look_after_what_failed(world: World) -> None:
    """What a person does: whoever waits for money that did not arrive is refunded once more; disputes are decided."""
    failed = select(Parcel.public_id, Parcel.station_code).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    failed = failed.join(RefundLine, RefundLine.order_line_id == OrderLine.id)
    failed = failed.join(Refund, Refund.public_id == RefundLine.refund_public_id)
    units_wait = OrderLine.quantity > OrderLine.refunded_quantity
    only_shipping_waits = (RefundLine.quantity == 0) & (RefundLine.shipping_fen > 0)
    failed = failed.where(Refund.state == RefundState.FAILED, units_wait | only_shipping_waits)
    db.session.rollback()
    for parcel, station in db.session.execute(failed.distinct().order_by(Parcel.public_id)).all():
        with suppress(Refusal):
            told = {"reason": "once more", "actor": "clerk"}
            in_transaction(refunding.refund_rest, parcel=parcel, station=station, **told)
    hanging = select(Refund.public_id).where(Refund.state == RefundState.UNKNOWN).order_by(Refund.id)
    for refund in db.session.scalars(hanging).all():
        with suppress(Refusal):
            absent.let_go(refund=refund, actor="operator", why="never arrived")
    while world.cashier.decide_one():
        pass
    world.desk.look_after_what_hangs()
    world.sponsors.look_after_what_came_back()
