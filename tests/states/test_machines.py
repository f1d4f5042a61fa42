"""Every life that is written as a table, from every state to every other: what is written happens, nothing else does.

Rows are made without whatever they would belong to: keys are looked at only at COMMIT, and nothing here is committed."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import Base
from marketplace.core.errors import IllegalTransition, StaleState
from marketplace.core.transitions import EventRow, subject_of, transition
from marketplace.parts import tables
from tests.anything import anything_for, without_rules

assert tables.MODELS  # read by now, so that all lives are known
LIVES: list[Any] = sorted(
    (mapper.class_ for mapper in Base.registry.mappers if hasattr(mapper.class_, "TRANSITIONS")),
    key=lambda kind: str(kind.__tablename__),
)


@pytest.fixture
def bare(session: Session) -> Iterator[Session]:
    """A database that asks neither what a row belongs to, nor whether its other columns fit its state."""
    with without_rules(session):
        yield session


def row_in(session: Session, kind: Any, state: Any) -> Any:
    row = kind(state=state)
    for column in kind.__table__.columns:
        name = kind.__mapper__.get_property_by_column(column).key
        if name != "state" and not (column.nullable or column.default or (column.primary_key and name == "id")):
            setattr(row, name, anything_for(column))
    session.add(row)
    session.flush()
    return row


@pytest.mark.parametrize("kind", LIVES, ids=lambda kind: kind.__tablename__)
def test_from_every_state_to_every_other(app: Flask, bare: Session, kind: Any) -> None:
    states = list(kind.TRANSITIONS)
    every: Any = type(states[0])
    assert set(states) == set(every)
    for here in states:
        with bare.begin_nested() as undone:
            row = row_in(bare, kind, here)
            for there in set(states) - kind.TRANSITIONS[here]:
                with pytest.raises(IllegalTransition):
                    transition(bare, row, there, expected=here, actor="anyone", why="test")
            assert moved(bare, row) == (here, [])
            for there in kind.TRANSITIONS[here]:
                with bare.begin_nested() as step:
                    transition(bare, row, there, expected=here, actor="anyone", why="test")
                    with pytest.raises(StaleState):
                        transition(bare, row, there, expected=here, actor="anyone", why="late")
                    assert moved(bare, row) == (there, [(here, there)])
                    step.rollback()
            undone.rollback()


def moved(session: Session, row: Any) -> tuple[Any, list[tuple[str, str]]]:
    """Its state as the database has it, and its traces."""
    session.expire(row)
    traced = select(EventRow.from_state, EventRow.to_state).where(EventRow.subject == subject_of(row))
    return row.state, [(each.from_state, each.to_state) for each in session.execute(traced)]


def test_lives_are_all_known() -> None:
    """More than these may come; fewer would mean that the tests above have lost some."""
    assert {"order", "parcel", "after_sales_case", "listing", "pledge", "campaign"} <= {kind.__tablename__ for kind in LIVES}
