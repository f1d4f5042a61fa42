"""A hundred savers at once: one card, one voucher; one device; one hand-over."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from crowdfund.pledges import choosing, devices, holding
from crowdfund.pledges.models import Assignment, Deal, Pledge, Programme
from crowdfund.pledges.refusals import CardGone
from crowdfund.pledges.states import ACTIVE
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from tests.pledges.conftest import BANK, World, get

MANY = [pytest.param(12), pytest.param(100, marks=pytest.mark.full)]


def at_once(app: Flask, jobs: list[Callable[[], Any]]) -> Counter[str]:
    """What came of each: `done`, or the name of the refusal."""

    def run(job: Callable[[], Any]) -> str:
        with app.app_context():
            try:
                job()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    db.session.remove()
    with ThreadPoolExecutor(len(jobs)) as pool:
        return Counter(pool.map(run, jobs))


def enter(number: str) -> str:
    return in_transaction(choosing.enter, bank=BANK, number=number, issued_on=clock.today())


def first_card(token: str, place: int = 0) -> str:
    choice = choosing.find(db.session(), token)
    cards = db.session.scalars(select(Deal.cards).where(Deal.choosing_id == choice.id)).first()
    assert cards
    return str(cards[place]["case"])


def hold(token: str, case: str) -> Callable[[], Any]:
    return lambda: in_transaction(holding.hold, token=token, case=case, saver_id=None)


def assign(pledge: str) -> Callable[[], Any]:
    return lambda: in_transaction(devices.assign, pledge=pledge, actor="office")


def active() -> int:
    return db.session.scalar(select(func.count()).select_from(Pledge).where(Pledge.state.in_(ACTIVE))) or 0


@pytest.mark.parametrize("savers", MANY)
def test_a_hundred_savers_on_one_card(real_world: World, savers: int) -> None:
    tokens = [enter(f"QQ{number:08}") for number in range(savers)]
    case = first_card(tokens[0])

    found = at_once(real_world.app, [hold(token, case) for token in tokens])

    assert found == {"done": 1, CardGone.__name__: savers - 1}
    assert active() == 1 == db.session.scalars(select(Programme.claimed).order_by(Programme.id)).first()


@pytest.mark.parametrize("savers", MANY)
def test_a_hundred_savers_on_one_voucher(real_world: World, savers: int) -> None:
    tokens = [enter("QQ20260001") for _saver in range(savers)]
    cases = [first_card(token, place % 3) for place, token in enumerate(tokens)]

    found = at_once(real_world.app, [hold(token, case) for token, case in zip(tokens, cases, strict=True)])

    assert found == {"done": 1, CardGone.__name__: savers - 1}
    assert active() == 1


def test_two_pledges_get_two_devices(real_world: World) -> None:
    codes = [real_world.pledged(f"QQ{number:08}") for number in range(3)]
    for code in codes:
        real_world.confirm(code)
    pledges = [get(code).public_id for code in codes]
    jobs = [assign(pledge) for pledge in pledges * 2]

    found = at_once(real_world.app, jobs)

    assert found["done"] == 3
    assert db.session.scalar(select(func.count(func.distinct(Assignment.device_id)))) == 3
