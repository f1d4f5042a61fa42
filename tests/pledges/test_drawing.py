"""The order of the cards, and that anyone can repeat it."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from crowdfund.pledges import children, seeds
from crowdfund.pledges.drawing import Child, deal, order, seed_hash, waited
from crowdfund.pledges.models import Deal, DrawSeed
from marketplace.core import clock, triggers
from marketplace.core.db import db, in_transaction
from tests.pledges.conftest import QINXIAN, World, make_case, post

TODAY = date(2026, 10, 18)
SEED = "ab" * 32


def child(name: str, tier: int = 1, days: int = 100, county: str = "141028", is_deep: bool = False) -> Child:
    return Child(name, county, "9-11", tier, TODAY - timedelta(days=days), is_deep)


def dealt(children: list[Child], **changes: object) -> list[str]:
    known = {"wish": "", "shown": (), "may_be_shown": {each.public_id for each in children}}
    return deal(order(children, day=TODAY, seed=SEED), **known | changes)  # type: ignore[arg-type]


def test_by_need_then_by_waiting_then_by_the_shuffle() -> None:
    children = [child("late", 1, 10), child("other", 2, 300), child("long", 1, 200), child("same", 1, 210)]
    found = [each.public_id for each in order(children, day=TODAY, seed=SEED)]
    assert found[2:] == ["late", "other"] and set(found[:2]) == {"long", "same"}
    turned = {tuple(each.public_id for each in order(children, day=TODAY, seed=f"{number:064x}")) for number in range(20)}
    assert len(turned) == 2


def test_bands_of_waiting() -> None:
    found = [waited(TODAY - timedelta(days=days), TODAY) for days in (0, 29, 30, 89, 90, 179, 180, 2000, -3)]
    assert found == ["under_30"] * 2 + ["over_30"] * 2 + ["over_90"] * 2 + ["over_180"] * 2 + ["under_30"]


def test_one_of_three_is_from_a_deep_poverty_county() -> None:
    children = [child("a"), child("b"), child("c"), child("d", tier=3, is_deep=True)]
    assert dealt(children)[2] == "d" and len(dealt(children)) == 3
    assert "d" not in dealt(children[:3])


def test_only_what_was_not_seen_and_may_be_shown() -> None:
    children = [child(name) for name in "abcdefg"]
    first = dealt(children)
    second = dealt(children, shown=first)
    assert len(set(first + second)) == 6
    assert dealt(children, may_be_shown={"b"}) == ["b"]
    assert dealt(children, wish="140430") == []


def test_the_hash_is_published_the_day_before_and_the_seed_after(app: Flask) -> None:
    with time_machine.travel("2026-10-17T12:00:00+08:00", tick=False):
        in_transaction(seeds.provide)
    with time_machine.travel("2026-10-18T12:00:00+08:00", tick=False):
        in_transaction(seeds.provide)
        shown = {row.day: (row.seed_hash, seed) for row, seed in seeds.published(db.session())}
        page = app.test_client().get("/pledges/fairness").text
    known = {row.day: row.seed for row in db.session.scalars(select(DrawSeed))}
    assert {day for day, (_hash, seed) in shown.items() if seed} == {date(2026, 10, 17)}
    assert all(seed_hash(known[day]) == hashed for day, (hashed, _seed) in shown.items())
    assert known[date(2026, 10, 17)] in page and known[date(2026, 10, 18)] not in page
    assert seed_hash(known[date(2026, 10, 19)]) in page


def test_replaying_a_day_gives_every_deal_again(real_world: World) -> None:
    for number in range(3):
        saver = real_world.browser()
        answer = real_world.type_voucher(saver, f"QQ202600000{number}")
        choice = answer.headers["Location"]
        post(saver, f"{choice}/refreshes", {"wish": "", "seen": "1"})
        assert real_world.take(saver, choice).status_code == 303
    day = clock.today()
    runner = real_world.app.test_cli_runner()
    assert "not over" in runner.invoke(args=["pledges", "replay", day.isoformat()]).output

    with time_machine.travel(clock.now() + timedelta(days=1)):
        db.session.remove()
        again = runner.invoke(args=["pledges", "replay", day.isoformat()])
        assert again.exit_code == 0, again.output
        assert "OK, 12 children." in again.output
        assert real_world.browser().get(f"/pledges/fairness/{day}").status_code == 200
        db.session.remove()
        with db.engine.begin() as connection:
            triggers.drop_all(connection)
            first = connection.scalar(select(Deal.id).order_by(Deal.id).limit(1))
            other: Any = connection.scalar(select(Deal.cards).where(Deal.id != first).order_by(Deal.id.desc()).limit(1))
            connection.execute(Deal.__table__.update().where(Deal.id == first).values(cards=list(reversed(other))))  # type: ignore[attr-defined]
        wrong = runner.invoke(args=["pledges", "replay", day.isoformat()])
        assert wrong.exit_code == 1 and f"deal {first} does not follow" in wrong.output


def test_a_card_that_was_taken_down_leaves_its_alias_in_no_order(world: World) -> None:
    day, case = clock.today(), make_case(world, 77)
    in_transaction(children.withdraw, officer=world.keeper, case=case.public_id)
    with time_machine.travel(clock.now() + timedelta(days=1)):
        page = world.browser().get(f"/pledges/fairness/{day}").text
    assert case.public_id in page and "已撤下" in page
    assert "山桃 77<" not in page and "山桃 7<" in page


def test_a_wish_for_a_county_tells_no_more_than_its_cards(world: World) -> None:
    for number in range(100, 104):
        make_case(world, number, county=QINXIAN)
    page = world.browser().get("/pledges/vouchers/new").text
    assert 'value="141028"' not in page and 'value="140430"' not in page  # four hide among the twelve
    answer = world.type_voucher(world.browser(), wish=QINXIAN)
    assert answer.status_code == 422
    make_case(world, 104, county=QINXIAN)
    page = world.browser().get("/pledges/vouchers/new").text
    assert 'value="141028"' in page and 'value="140430"' in page
    saver = world.browser()
    shown = saver.get(world.type_voucher(saver, wish=QINXIAN).headers["Location"]).text
    assert shown.count("沁县") >= 3 and "吉县</dd>" not in shown


@pytest.mark.parametrize("change", ["seed_hash = 'x'", "published_at = '2020-01-01'"])
def test_a_published_seed_cannot_be_changed(real_world: World, change: str) -> None:
    db.session.remove()
    with pytest.raises(Exception, match="a published seed is kept"), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE draw_seed SET {change}"))
