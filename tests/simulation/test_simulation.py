"""Lives of many seeds: whatever breaks, nothing is invented, lost or done twice. A failure tells its seed and its life."""

from collections.abc import Iterator

import pytest

from tests.databases import PostgresServer, SQLiteFiles
from tests.simulation.life import Stage

TOGETHER = 20  # seeds of one test where there are many
IN_FULL, BY_NIGHT = 200, 10_000
ON_POSTGRESQL = 2  # of each TOGETHER: slower, and the same code


@pytest.fixture(scope="module")
def stage(databases: SQLiteFiles | PostgresServer) -> Iterator[Stage]:
    yield Stage(databases)


@pytest.mark.parametrize("seed", range(1, 13))
def test_nothing_goes_wrong(stage: Stage, seed: int) -> None:
    life = stage.live(seed)
    assert not life.broken, str(life)


def test_a_seed_lives_the_same_life_again(stage: Stage) -> None:
    first, again = stage.live(5), stage.live(5)
    assert len(first.journal) > 100
    assert first.journal == again.journal


def seeds_from(first: int, stage: Stage) -> range:
    return range(first, first + (ON_POSTGRESQL if isinstance(stage.databases, PostgresServer) else TOGETHER))


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
