"""Many want the last place at once; a worker dies while giving back; whatever happens, no fen and no place is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from crowdfund.presales import backing, returning
from crowdfund.presales.backing import Backer
from crowdfund.presales.places import FieldIsSold, TierIsFull
from marketplace.core.db import db, in_transaction
from marketplace.payments.models import Refund
from tests.presales.conftest import ONE, TWO, Orchard, after, at, work, wrong


@pytest.mark.full
@pytest.mark.parametrize(("most", "yield_kg"), [(3, 100), (50, 8)])
def test_twenty_at_once_for_three_places(real_orchard: Orchard, most: int, yield_kg: int) -> None:
    orchard = real_orchard
    orchard.open(most=most, yield_kg=yield_kg)  # three by the tier, or three by the field
    app = orchard.shop.app

    def take(number: int) -> str:
        given_: Any = {"presale": orchard.presale, "tier": orchard.one, "shown_fen": ONE}
        with app.app_context():
            try:
                return in_transaction(backing.begin, **given_, backer=Backer(f"138351720{number:02}"))
            except (TierIsFull, FieldIsSold):
                return ""

    with ThreadPoolExecutor(8) as pool:
        made = [each for each in pool.map(take, range(20)) if each]
    assert len(made) == 3 and orchard.tier(orchard.one).taken == 3 and orchard.row().taken_grams == 7500


@pytest.mark.full
def test_the_database_refuses_too_when_the_application_does_not(real_orchard: Orchard) -> None:
    real_orchard.open(most=1)
    for sql in (
        "UPDATE presale_tier SET taken = 2",
        "UPDATE presale SET taken_grams = cap_grams + 1",
        "UPDATE presale SET cap_grams = cap_grams + 1",
        "UPDATE presale SET start_percent = 31",
        "UPDATE presale SET reviewer_id = seller_id",
    ):
        with pytest.raises(DBAPIError), db.engine.begin() as connection:
            connection.execute(text(sql))


class Killed(BaseException):
    """As if the process were gone: nothing catches it."""


def test_a_worker_that_dies_while_giving_back_goes_on_where_it_was(
    orchard: Orchard, monkeypatch: pytest.MonkeyPatch
) -> None:
    orchard.open(goal_fen=90_000, most=20)
    made = [orchard.paid(contact=f"1383517200{number}") for number in range(5)]
    whole, calls = returning.give_back, iter(range(100))

    def dies_at_the_third(session: Any, **given_: Any) -> None:
        if next(calls) == 2:
            raise Killed
        whole(session, **given_)

    with at(after(orchard.row().closes_on)):
        monkeypatch.setattr(returning, "give_back", dies_at_the_third)
        with pytest.raises(Killed):
            work()
        monkeypatch.undo()
        assert sorted(orchard.states(*made)) == ["confirmed"] * 3 + ["refunded"] * 2
    with at(after(orchard.row().closes_on) + timedelta(minutes=5)):  # its lease is over
        work()
    orchard.live_through(after(orchard.row().closes_on) + timedelta(minutes=10))
    assert orchard.states(*made) == ["refunded"] * 5 and orchard.escrow() == 0
    assert [(each.fen, each.state) for each in db.session.scalars(select(Refund))] == [(ONE, "succeeded")] * 5
    assert wrong(orchard) == []


STEPS = ("one", "two", "hold", "leave", "lapse", "late")


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=8), answers=st.booleans())
def test_whatever_buyers_do_the_books_and_the_places_agree(orchard: Orchard, steps: list[str], answers: bool) -> None:
    orchard.open(most=4, goal_fen=9000)
    held: list[str] = []
    paid: list[str] = []
    for step in steps:
        tier = orchard.two if step == "two" else orchard.one
        if step in ("one", "two", "hold") and orchard.tier(tier).taken < 4:
            made = orchard.begin(tier)
            if step == "hold":
                held.append(made)
            else:
                orchard.pay(made)
                paid.append(made)
        elif step == "leave" and paid:
            in_transaction(returning.leave, backing_id=paid.pop(), actor="guest")
        elif step == "lapse" and held:
            backing.lapse(backing=held.pop())
        elif step == "late" and held:
            orchard.pay(held.pop(), "slow")
    sums = [orchard.backing(each).fen for each in paid]
    assert orchard.escrow() == sum(sums) and set(sums) <= {ONE, TWO}
    orchard.end()
    orchard.live_through(after(orchard.row().closes_on) + timedelta(days=3))
    assert orchard.row().state == ("successful" if sum(sums) >= 9000 else "failed")
    if orchard.row().state == "successful" and answers:
        for each in paid:
            orchard.answer(each)
    row = orchard.row()
    orchard.live_through(after(row.harvest_on))
    orchard.live_through(after(row.harvest_on + timedelta(days=row.grace_days)))
    assert orchard.row().state in {"failed", "defaulted", "closed"} and orchard.escrow() == 0
    assert wrong(orchard) == []
