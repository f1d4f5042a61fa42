"""Several people at one edit in the same moment: whoever comes second is told so, and nothing unseen is accepted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from listings import reviewing, revising
from listings.states import RevisionState as R
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal, StaleState
from tests.listings.selling import House, build, edits, listing
from tests.listings.test_offering import QINXIAN

pytestmark = pytest.mark.full


@pytest.fixture
def house(real_app: Flask) -> House:
    return build(real_app)


def at_once(app: Flask, *deeds: Callable[[], Any]) -> list[Any]:
    """What came of each: its answer, or its refusal."""
    start = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        with app.app_context():
            start.wait()
            try:
                return deed()
            except Refusal as refusal:
                return refusal

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def deciding(house: House, edit: str) -> Callable[[], Any]:
    who: dict[str, Any] = {"edit": edit, "station": QINXIAN, "reviewer_id": house.clerk_person.id, "version": 1}
    return lambda: in_transaction(reviewing.accept_edit, **who)


def editing(house: House, title: str) -> Callable[[], Any]:
    given: dict[str, Any] = {"code": house.millet, "person_id": house.person.id, "changes": {"title_zh": title}}
    return lambda: in_transaction(revising.propose, **given)


def test_two_clerks_accept_it_once(house: House) -> None:
    house.edit(title="沁州黄 甲")
    edit = edits()[0].public_id

    answers = at_once(house.app, *[deciding(house, edit)] * 4)

    assert sorted(type(answer).__name__ for answer in answers) == ["StaleState"] * 3 + ["str"]
    assert listing(house.millet).title_zh == "沁州黄 甲"


def test_what_is_edited_while_it_is_accepted_is_accepted_as_it_was_seen_or_not_at_all(house: House) -> None:
    for number in range(3):
        in_transaction(
            revising.propose, code=house.millet, person_id=house.person.id, changes={"title_zh": f"沁州黄 看过{number}"}
        )
        seen = edits()[-1].public_id

        decided, _edited = at_once(house.app, deciding(house, seen), editing(house, f"沁州黄 没看过{number}"))

        assert "没看过" not in listing(house.millet).title_zh
        waiting = [row for row in edits() if row.state is R.SUBMITTED]
        assert [row.after["title_zh"] for row in waiting] == [f"沁州黄 没看过{number}"]
        assert isinstance(decided, StaleState) or waiting[0].before["title_zh"] == f"沁州黄 看过{number}"
        house.decide(house.colleague, "reject", reason="下一回")


def test_two_edits_at_once_become_one(house: House) -> None:
    at_once(house.app, *[editing(house, f"沁州黄 {number}") for number in range(4)])
    assert [(row.state, row.version) for row in edits()] == [(R.SUBMITTED, 4)]
