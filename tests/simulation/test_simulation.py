"""Lives of many seeds: whatever breaks, nothing is invented, lost or done twice. A failure tells its seed and its life."""

import re
from collections.abc import Iterator

import pytest

from tests.databases import PostgresServer, SQLiteFiles, close
from tests.factories import signed_in
from tests.simulation.life import Stage

TOGETHER = 20  # seeds of one test where there are many
IN_FULL, BY_NIGHT = 300, 10_000
ON_POSTGRESQL = 100  # one seed in so many: slower, and the same code
AGAIN, LOOKED_AT = 5, 3  # of the first dozen; they are lived in tests of their own


@pytest.fixture(scope="module")
def stage(databases: SQLiteFiles | PostgresServer) -> Iterator[Stage]:
    yield Stage(databases)


@pytest.mark.parametrize("seed", sorted(set(range(1, 13)) - {AGAIN, LOOKED_AT}))
def test_nothing_goes_wrong(stage: Stage, seed: int) -> None:
    life = stage.live(seed)
    assert not life.broken, str(life)


def test_a_seed_lives_the_same_life_again(stage: Stage) -> None:
    first, again = stage.live(AGAIN), stage.live(AGAIN)
    assert not first.broken, str(first)
    assert len(first.journal) > 100
    assert first.journal == again.journal


def test_afterwards_the_operators_page_says_that_it_adds_up(stage: Stage) -> None:
    life = stage.live(LOOKED_AT)
    assert not life.broken, str(life)
    with stage.app.app_context():
        browser = stage.app.test_client()
        signed_in(browser, "operator")
        page = browser.get("/operator/reconciliation").text
    close(stage.app)
    heading, balances = page.split("<section", 2)[:2]
    assert "对外付款开放" in heading and "对外付款已关闭" not in heading
    assert "对上了" in balances and "有差异" not in balances
    unexplained = re.findall(r"<dt>说不清的差额</dt><dd>([^<]+)</dd>", balances)
    assert unexplained and {sum_.strip("¥HKD ") for sum_ in unexplained} == {"0.00"}


def seeds_from(first: int, stage: Stage) -> list[int]:
    step = ON_POSTGRESQL if isinstance(stage.databases, PostgresServer) else 1
    return [seed for seed in range(first, first + TOGETHER) if seed % step == 1 % step]


@pytest.mark.full
@pytest.mark.parametrize("first", range(101, 101 + IN_FULL, TOGETHER))
def test_nor_in_hundreds_of_lives(stage: Stage, first: int) -> None:
    for seed in seeds_from(first, stage):
        life = stage.live(seed)
        assert not life.broken, str(life)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(100_001, 100_001 + BY_NIGHT, TOGETHER))
def test_nor_in_thousands(stage: Stage, first: int) -> None:
    for seed in seeds_from(first, stage):
        life = stage.live(seed)
        assert not life.broken, str(life)
