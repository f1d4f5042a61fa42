from datetime import UTC, datetime
from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, StaleState
from marketplace.core.transitions import EventRow, transition
from marketplace.payments.models import Attempt
from marketplace.payments.states import ATTEMPT, AttemptState as S


def make_attempt(session: Session, state: S) -> Attempt:
    attempt = Attempt(purpose="order", reference="SX-1", gateway="sandbox", book="test", fen=1, state=state)
    session.add(attempt)
    session.flush()
    return attempt


def events(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(EventRow)) or 0


def test_a_step_of_the_table_moves_and_leaves_a_trace(session: Session) -> None:
    attempt = make_attempt(session, S.PROCESSING)
    client = (datetime(2026, 10, 18, 5, 58, tzinfo=UTC), "device-7")

    transition(
        session, attempt, S.SUCCEEDED, expected=S.PROCESSING, actor="sandbox", why="evt_1", station="141028", client=client
    )

    assert attempt.state is S.SUCCEEDED
    event = session.scalars(select(EventRow)).one()
    assert (event.subject, event.from_state, event.to_state) == (f"attempt:{attempt.public_id}", "processing", "succeeded")
    assert (event.actor, event.why, event.station, (event.client_at, event.client_key)) == (
        "sandbox",
        "evt_1",
        "141028",
        client,
    )


@pytest.mark.parametrize(("here", "there"), [(a, b) for a, b in permutations(S, 2) if b not in ATTEMPT[a]])
def test_whatever_is_not_in_the_table_is_refused(here: S, there: S, session: Session) -> None:
    attempt = make_attempt(session, here)

    with pytest.raises(IllegalTransition):
        transition(session, attempt, there, expected=here, actor="anyone", why="test")

    assert attempt.state is here and events(session) == 0


def test_whoever_comes_second_is_told_so(session: Session) -> None:
    attempt = make_attempt(session, S.PROCESSING)
    transition(session, attempt, S.SUCCEEDED, expected=S.PROCESSING, actor="first", why="paid")

    with pytest.raises(StaleState):
        transition(session, attempt, S.FAILED, expected=S.PROCESSING, actor="second", why="late")

    assert attempt.state is S.SUCCEEDED and events(session) == 1


def test_a_trace_stays(real_app: Flask) -> None:
    def move(session: Session) -> None:
        transition(
            session, make_attempt(session, S.PROCESSING), S.FAILED, expected=S.PROCESSING, actor="sandbox", why="declined"
        )

    in_transaction(move)
    db.session.remove()

    with pytest.raises(DatabaseError), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM event"))
