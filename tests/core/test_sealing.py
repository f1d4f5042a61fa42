import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given, strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from marketplace.core import audit, sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.sealing import DailyRoot, Seal

LEAF = st.binary(min_size=32, max_size=32).map(bytes.hex)


def keep(*actions: str) -> None:
    for action in actions:
        in_transaction(audit.record, actor="p1", action=action, subject="listing:P0001", why="because", fen=3980)


def seal() -> int:
    return in_transaction(sealing.seal, chain="audit")


def test_records_are_chained_in_order_and_once(real_app: Flask) -> None:
    keep("published", "paused")
    assert seal() == 2
    keep("resumed")
    assert seal() == 1
    assert seal() == 0

    seals = db.session.scalars(select(Seal).order_by(Seal.number)).all()
    assert [(row.number, row.record_id) for row in seals] == [(1, 1), (2, 2), (3, 3)]
    assert [row.previous for row in seals] == [sealing.GENESIS, seals[0].hash, seals[1].hash]


def test_a_stranger_can_compute_the_chain(real_app: Flask) -> None:
    with time_machine.travel(datetime(2026, 10, 18, 4, 0, 0, 5, tzinfo=UTC), tick=False):
        keep("published")
    seal()

    row = db.session.scalars(select(Seal)).one()
    content = (
        '{"action":"published","actor":"p1","at":1792296000000005,"detail":{"fen":3980},"id":1,'
        '"subject":"listing:P0001","why":"because"}'
    )
    digest = hashlib.sha256(content.encode()).hexdigest()
    assert row.digest == digest
    assert row.hash == hashlib.sha256(f"{'0' * 64}\n1\n{digest}".encode()).hexdigest()


def test_a_record_that_committed_late_is_sealed_too(real_app: Flask) -> None:
    keep("first", "second", "third")
    unsealed = sealing.chains["audit"].unsealed
    sealing.chains["audit"] = sealing.Chain(lambda *asked: [row for row in unsealed(*asked) if row[0] != 2])
    assert seal() == 2
    sealing.chains["audit"] = sealing.Chain(unsealed)

    assert seal() == 1

    assert db.session.scalars(select(Seal.record_id).order_by(Seal.number)).all() == [1, 3, 2]


@pytest.mark.parametrize("statement", ["UPDATE seal SET hash = ''", "DELETE FROM seal", "DELETE FROM audit_record"])
def test_the_past_stays(real_app: Flask, statement: str) -> None:
    keep("published")
    seal()
    db.session.remove()

    with pytest.raises(DatabaseError), db.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_day_is_closed_once_and_only_when_it_is_over(real_app: Flask) -> None:
    day = date(2026, 10, 18)
    with time_machine.travel(datetime(2026, 10, 18, 15, 59, 59, tzinfo=UTC), tick=False):  # 23:59:59 in Shanxi
        keep("published", "paused")
        seal()
        assert in_transaction(sealing.close_day, chain="audit", day=day) is None
    with time_machine.travel(datetime(2026, 10, 18, 16, 0, tzinfo=UTC), tick=False):
        keep("resumed")
        seal()
        root = in_transaction(sealing.close_day, chain="audit", day=day)
        assert in_transaction(sealing.close_day, chain="audit", day=day) == root

    hashes = db.session.scalars(select(Seal.hash).order_by(Seal.number)).all()
    closed = db.session.scalars(select(DailyRoot)).one()
    assert (closed.first_number, closed.last_number, closed.root) == (1, 2, sealing.merkle_root(hashes[:2]))


def test_nothing_sealed_means_no_root(session: Session) -> None:
    assert sealing.close_day(session, chain="audit", day=date(2020, 1, 1)) is None


def test_merkle_root_of_three_by_hand() -> None:
    leaves = [bytes([number]) * 32 for number in range(3)]

    def node(prefix: bytes, *parts: bytes) -> bytes:
        return hashlib.sha256(prefix + b"".join(parts)).digest()

    first, second, third = (node(b"\x00", leaf) for leaf in leaves)
    expected = node(b"\x01", node(b"\x01", first, second), third)
    assert sealing.merkle_root([leaf.hex() for leaf in leaves]) == expected.hex()


@given(leaves=st.lists(LEAF, min_size=1, max_size=40), change=st.data())
def test_another_leaf_gives_another_root(leaves: list[str], change: st.DataObject) -> None:
    index = change.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves]
    other[index] = hashlib.sha256(bytes.fromhex(leaves[index])).hexdigest()

    assert sealing.merkle_root(leaves) != sealing.merkle_root(other)
    assert sealing.merkle_root(leaves) != sealing.merkle_root([*leaves, leaves[-1]])


@pytest.mark.parametrize("value", [1.0, {"a": 1.5}, [{"b": [0.1]}]])
def test_no_floats_in_a_chain(value: Any) -> None:
    with pytest.raises(TypeError):
        sealing.canonical({"value": value})


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
def test_canonical_bytes_read_back_and_do_not_depend_on_order(content: dict[str, Any]) -> None:
    shuffled = dict(reversed(content.items()))

    assert sealing.canonical(content) == sealing.canonical(shuffled)
    assert json.loads(sealing.canonical(content)) == content


def test_a_name_enters_only_as_a_commitment() -> None:
    shown: Callable[[str, str], str] = lambda salt, name: hashlib.sha256(f"{salt}\0{name}".encode()).hexdigest()  # noqa: E731
    salt, digest = audit.commitment("冯建国")

    assert digest == shown(salt, "冯建国")
    assert audit.commitment("冯建国") != (salt, digest)
