from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import key_rotation
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import keyring
from marketplace.core.environment import Secret
from tests.factories import make_person

NEW = f"fresh2:{'22' * 32}"


@pytest.fixture
def new_key(real_app: Flask) -> Iterator[None]:
    """Rows under the old key, and from now on a newer one in front of it."""
    for number in range(7):
        make_person(name=f"郭晓芸{number}")
    before = real_app.extensions["settings"]
    keys = Secret(f"{NEW},{before.field_keys.reveal()}")
    real_app.extensions["settings"] = replace(before, field_keys=keys)
    yield
    real_app.extensions["settings"] = before


def stored_names() -> list[str]:
    found = list(db.session.scalars(text("SELECT name FROM person ORDER BY id")))
    db.session.rollback()
    return found


def test_every_value_goes_over_and_still_reads(new_key: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)
    heard: list[tuple[str, int, int]] = []

    assert key_rotation.rotate(lambda *progress: heard.append(progress)) == 7

    assert heard == [("person", 3, 7), ("person", 6, 7), ("person", 7, 7)]
    assert all(keyring().is_newest(stored) for stored in stored_names())
    people = db.session.scalars(select(Person).order_by(Person.id)).all()
    assert [person.name for person in people] == [f"郭晓芸{number}" for number in range(7)]
    assert all(person.email and person.totp_secret and person.phone is None for person in people)
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "keys.rotated")).one()
    assert (record.subject, record.detail) == ("key:fresh2", {"rows": 7})


def test_an_interrupted_rotation_goes_on_and_a_finished_one_finds_nothing(
    new_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)

    def pull_the_plug(*_progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        key_rotation.rotate(pull_the_plug)
    assert [keyring().is_newest(stored) for stored in stored_names()] == [True] * 3 + [False] * 4

    assert key_rotation.rotate() == 4
    assert key_rotation.rotate() == 0
    assert all(keyring().is_newest(stored) for stored in stored_names())


def test_what_is_written_meanwhile_stays(new_key: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL somebody may write between our reading and our writing."""

    def write_first(column: object, old: str, ring: object) -> str:
        db.session.execute(text("UPDATE person SET name = 'theirs'"))
        return "ours"

    (people,) = [each for each in key_rotation.encrypted_tables() if each.table.name == "person"]
    monkeypatch.setattr(key_rotation, "renewed", write_first)
    only_names = key_rotation.EncryptedTable(people.table, people.key, people.columns[:1])

    def rotate(session: Session) -> list[object]:
        return key_rotation.rotate_batch(session, what=only_names, ring=keyring(), after=None)

    in_transaction(rotate)

    assert stored_names() == ["theirs"] * 7


@pytest.mark.parametrize("keys", [f"k1:{'33' * 32}", f"{NEW},k1:{'33' * 32}", NEW])
def test_a_key_that_reads_nothing_is_found_out_before_anything_is_thrown_away(real_app: Flask, keys: str) -> None:
    make_person(name="郭晓芸")
    before, stored_before = real_app.extensions["settings"], stored_names()
    real_app.extensions["settings"] = replace(before, field_keys=Secret(keys))
    try:
        said = real_app.test_cli_runner().invoke(args=["keys", "rotate"])
    finally:
        real_app.extensions["settings"] = before

    assert said.exit_code == 1
    assert "cannot read what is stored" in said.output and "No older key" not in said.output
    assert stored_names() == stored_before


def test_the_command_says_what_it_did(new_key: None, real_app: Flask) -> None:
    said = real_app.test_cli_runner().invoke(args=["keys", "rotate"])

    assert said.exit_code == 0, said.output
    assert "person: 7 of 7" in said.output and "7 rows went over to key fresh2." in said.output
