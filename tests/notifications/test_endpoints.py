"""Partners' machines: by whom they know what they are told, and what happens when they do not answer."""

import ast
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.transitions import EventRow
from marketplace.notifications import delivering, endpoints, signing
from marketplace.notifications.models import Delivery, DeliveryTry, Endpoint, Message
from marketplace.notifications.reaching import Answer
from marketplace.notifications.states import DeliveryState, EndpointState
from tests import factories
from tests.notifications.listener import Listener
from tests.notifications.partners import NOON, enter, partner, tell, work

__all__ = ["partner"]


DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


def test_a_fact_is_told_once_and_signed(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    secret = enter(person, partner.address).secret
    tell(person)
    tell(person)
    work()

    ((headers, body),) = partner.heard
    row = session.scalars(select(Delivery)).one()
    assert json.loads(body) == {
        "id": row.public_id,
        "type": "order.paid",
        "timestamp": "2026-11-26T04:00:00+00:00",
        "data": {"order": "SX-23456789"},
    }
    assert headers["content-type"] == "application/json" and headers["webhook-id"] == row.public_id
    verify = verifier()
    verify(headers, body, secret)
    other, late = signing.new_secret(), {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    resigned = signing.headers(row.public_id, body, [secret], at=datetime.now(UTC) - timedelta(seconds=301))
    wrong = [
        (headers, body + b" ", secret),
        (headers, body, other),
        (headers | late, body, secret),
        (resigned, body, secret),
    ]
    for given in (*wrong, (headers | {"webhook-signature": "v1,é v1"}, body, secret)):
        with pytest.raises(ValueError, match="not from us, or too old"):
            verify(*given)
    assert row.state is DeliveryState.DELIVERED
    (once,) = session.scalars(select(DeliveryTry)).all()
    assert (once.status, once.answer, once.trouble) == (200, "thank you", "")


def verifier() -> Callable[..., None]:
    """The one that docs/webhooks.md gives to partners: at most ten lines besides its imports."""
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)
    assert found
    function = next(part for part in ast.parse(found[1]).body if isinstance(part, ast.FunctionDef))
    assert (function.end_lineno or 0) - function.lineno < 10
    names: dict[str, Any] = {}
    exec(compile(found[1], DOCUMENT.name, "exec", optimize=1), names)  # a partner may run it with -O
    verify: Callable[..., None] = names["verify"]
    return verify


def test_while_a_secret_is_replaced_both_are_good(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        made = enter(person, partner.address)
        for _press in range(2):  # a thumb that presses twice does not cost the machine its secret
            newer = in_transaction(endpoints.replace_secret, endpoint=made.public_id, person_id=person.id)
        tell(person, "a")
        work()
        for secret in (made.secret, newer.secret):
            verifier()(*partner.heard[0], secret)

        clock.shift(timedelta(hours=25))
        tell(person, "b")
        work()
        verifier()(*partner.heard[1], newer.secret)
        with pytest.raises(ValueError, match="not from us"):
            verifier()(*partner.heard[1], made.secret)


def test_the_table_shows_neither_address_nor_secret(session: Session) -> None:
    made = enter(factories.make_person(), "https://example.org/very-secret-path")
    stored = session.execute(text("SELECT address, secret FROM endpoint")).one()
    assert not any("very-secret-path" in value or made.secret in value for value in stored)
    read = session.scalars(select(Endpoint)).one()
    assert (read.address, read.secret) == ("https://example.org/very-secret-path", made.secret)


def test_what_fails_is_tried_later_each_time_for_three_days(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    partner.status, partner.says = 500, b"\x00\xff" + b"x" * 2000
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        waits = []
        row = session.scalars(select(Delivery)).one()
        while row.state is DeliveryState.WAITING:
            work()
            before = len(partner.heard)
            waited = max(row.next_at, session.scalars(select(Endpoint)).one().rests_until) - datetime.now(UTC)
            waits.append(round(waited.total_seconds()))
            clock.shift(waited)
            assert len(partner.heard) == before
            session.expire_all()
    assert waits[:8] == [30, 60, 120, 240, 480, 960, 1920, 3840]
    assert max(waits) == 6 * 3600 and len(waits) < 30
    assert row.state is DeliveryState.GIVEN_UP
    kept = session.scalars(select(DeliveryTry)).all()
    assert len(kept) == len(partner.heard) and kept[0].status == 500
    assert kept[0].answer == "\ufffd" + "x" * 1022  # the first kilobyte, in which no NUL is left
    endpoint = session.scalars(select(Endpoint)).one()
    assert endpoint.state is EndpointState.OFF
    message = session.scalars(select(Message)).one()
    assert message.person_id == person.id and "停了" in message.text


def test_one_that_fails_keeps_nobody_waiting_and_costs_one_try_at_a_time(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        enter(person, f"https://127.0.0.1:{nobody.getsockname()[1]}/")
        enter(person, partner.address)
        for fact in "abc":
            tell(person, fact)
        work()

    assert len(partner.heard) == 3
    (missed,) = session.scalars(select(DeliveryTry).where(DeliveryTry.status.is_(None))).all()
    assert missed.trouble == "no_connection"


def test_a_slow_machine_lets_others_go_first(session: Session, partner: Listener) -> None:
    """It has taken what it was sent, three seconds later: as long does it wait for the next."""
    slow, other = factories.make_person(), factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(slow, partner.address)
        tell(slow, "a")
        tell(slow, "b")
        enter(other, partner.address)
        tell(other, "c")
        parcel = in_transaction(delivering.take)
        assert parcel
        clock.shift(timedelta(seconds=3))
        answer = Answer(200, "", "", 3000)
        in_transaction(delivering.note, delivery=parcel.delivery, answer=answer, at=NOON)
        work()
        assert facts(session, DeliveryState.DELIVERED) == ["a", "c"]
        clock.shift(timedelta(seconds=3))
        work()
        assert facts(session, DeliveryState.DELIVERED) == ["a", "b", "c"]


def facts(session: Session, state: DeliveryState) -> list[str]:
    session.rollback()
    return sorted(session.scalars(select(Delivery.fact).where(Delivery.state == state)))


def test_a_machine_that_is_well_again_gets_what_waited(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        partner.status = 503
        for fact in "abc":
            tell(person, fact)
        work()
        assert len(partner.heard) == 1
        partner.status = 204
        clock.shift(timedelta(seconds=31))
        work()
    assert len(partner.heard) == 4
    endpoint = session.scalars(select(Endpoint)).one()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


def test_a_redirect_is_no_answer_and_is_not_followed(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    partner.status, partner.headers = 302, {"Location": "https://127.0.0.1/elsewhere"}
    tell(person)
    work()

    assert len(partner.heard) == 1
    assert session.scalars(select(DeliveryTry.status)).all() == [302]
    assert session.scalars(select(Delivery.state)).all() == [DeliveryState.WAITING]


def test_a_certificate_of_somebody_else_is_not_trusted(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    tell(person)
    partner.courier.context = None  # whom everybody trusts
    work()

    assert partner.heard == []
    assert session.scalars(select(DeliveryTry.trouble)).all() == ["certificate"]


def test_replaying_sends_the_same_once_more(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    tell(person)
    work()
    row = session.scalars(select(Delivery)).one()
    in_transaction(delivering.replay, delivery=row.public_id, person_id=person.id)
    in_transaction(delivering.replay, delivery=row.public_id, person_id=person.id)
    work()

    assert len(partner.heard) == 2 and partner.heard[0][1] == partner.heard[1][1]
    with pytest.raises(NotFound):
        in_transaction(delivering.replay, delivery=row.public_id, person_id=factories.make_person().id)


def test_what_is_off_or_ended_is_told_nothing(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    made = enter(person, partner.address)
    whose: dict[str, Any] = {"endpoint": made.public_id, "person_id": person.id}
    in_transaction(endpoints.switch_off, **whose)
    tell(person, "a")
    in_transaction(endpoints.switch_on, **whose)
    tell(person, "b")
    work()
    in_transaction(endpoints.end, **whose)
    tell(person, "c")
    work()

    assert session.scalars(select(Delivery.fact)).all() == ["b"]
    with pytest.raises(NotFound):
        in_transaction(endpoints.switch_on, **whose)


def test_a_closed_account_is_told_nothing_not_even_what_waited(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    tell(person, "a")
    in_transaction(lambda session: session.execute(update(Person).values(is_active=False)))
    tell(person, "b")
    work()

    assert partner.heard == [] and session.scalars(select(Delivery.fact)).all() == ["a"]


def test_traces_of_what_was_told_go_after_ninety_days_and_no_others(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        work()
        kept = session.scalars(select(EventRow.subject).where(~EventRow.subject.startswith("delivery:"))).all()
        for days, left in ((31, 2), (58, 2), (2, 0)):
            clock.shift(timedelta(days=days))
            in_transaction(delivering.sweep)
            traces = session.scalars(select(EventRow.subject).where(EventRow.subject.startswith("delivery:"))).all()
            assert len(traces) == left
    assert session.scalars(select(EventRow.subject)).all() == kept and kept
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(delete(EventRow))


def test_what_is_sent_once_more_keeps_its_traces(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        work()
        delivery = session.scalars(select(Delivery.public_id)).one()
        for _month in range(4):
            clock.shift(timedelta(days=29))
            in_transaction(delivering.replay, delivery=delivery, person_id=person.id)
            work()
            in_transaction(delivering.sweep)
    assert len(session.scalars(select(EventRow).where(EventRow.subject == f"delivery:{delivery}")).all()) == 10


def test_what_is_old_is_forgotten_with_its_log(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        work()
        clock.shift(timedelta(days=29))
        in_transaction(delivering.sweep)
        assert session.query(Delivery).count() == 1
        clock.shift(timedelta(days=1, seconds=1))
        in_transaction(delivering.sweep)
    assert session.query(Delivery).count() == session.query(DeliveryTry).count() == 0
