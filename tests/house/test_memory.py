"""What is remembered is what is true, at most as old as a glance at the versions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from time import sleep

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core import memory, outbox, page_cache, page_versions
from marketplace.core.db import db, in_transaction
from marketplace.core.memory import Memory, remembered
from marketplace.core.page_versions import Versions

made = count(1)


@remembered("numbers", by=lambda _value, name: (f"number:{name}",))
def number_of(session: Session, name: str) -> int:
    return next(made)


@pytest.fixture
def remembering(own_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)
    monkeypatch.setitem(own_app.config, "PAGE_CACHE", True)
    with own_app.test_request_context():
        number_of(db.session(), "the first looks at the versions")
        yield db.session()


def changed(tag: str) -> None:
    in_transaction(page_cache.expire, tag)
    outbox.deliver()


def test_it_is_made_once(remembering: Session) -> None:
    assert number_of(remembering, "a") == number_of(remembering, "a") != number_of(remembering, "b")


@pytest.mark.parametrize("tag", ["numbers", "number:a"])
def test_a_change_makes_it_anew(remembering: Session, tag: str) -> None:
    before, other = number_of(remembering, "a"), number_of(remembering, "b")

    changed("something else")
    assert number_of(remembering, "a") == before
    changed(tag)

    assert number_of(remembering, "a") > before
    assert (number_of(remembering, "b") == other) is (tag == "number:a")


def test_what_was_read_before_a_change_is_not_kept_as_if_after_it(own_app: Flask, remembering: Session) -> None:
    """The statements of a request may all show the state at its first one."""
    with own_app.test_request_context():
        own_app.preprocess_request()
        changed("numbers")
        stale = number_of(db.session(), "a")

    assert number_of(remembering, "a") > stale


def test_commands_read_what_is_true(remembering: Session) -> None:
    before = number_of(remembering, "a")

    assert in_transaction(number_of, "a") > before
    assert number_of(remembering, "a") == before


def test_languages_are_told_apart(own_app: Flask, remembering: Session) -> None:
    chinese = number_of(remembering, "a")
    with own_app.app_context(), own_app.test_request_context(headers={"Cookie": "lang=en"}):
        english = number_of(db.session(), "a")

    assert chinese != english


def test_the_latest_used_stay(own_app: Flask) -> None:
    kept: Memory[str] = Memory(Versions(lambda: db.engine), most=6)
    for key in "abc":
        kept.keep(key, "xx", (), kept.begin(), weight=2)
    kept.keep("b", "xxxx", (), kept.begin(), weight=4)

    assert kept.weight == 6
    assert len(kept) == 2
    kept.clear()
    assert (kept.weight, len(kept)) == (0, 0)


def test_nothing_is_remembered_longer_than_a_minute(remembering: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = number_of(remembering, "a")
    monkeypatch.setattr(memory, "LONGEST_LIFE", 0.0)
    assert number_of(remembering, "a") > before


def test_of_many_who_miss_it_at_once_one_makes_it(own_app: Flask, remembering: Session) -> None:
    start, counted = Barrier(8), count(1)

    @remembered()
    def slow(session: Session) -> int:
        sleep(0.2)  # long enough for all to have asked
        return next(counted)

    def ask(_number: int) -> int:
        with own_app.app_context(), own_app.test_request_context():
            start.wait()
            return slow(db.session())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {1}


def test_what_could_not_be_made_is_tried_again(remembering: Session) -> None:
    tries = count(1)

    @remembered()
    def fragile(session: Session) -> int:
        if next(tries) == 1:
            raise LookupError
        return 7

    with pytest.raises(LookupError):
        fragile(remembering)
    assert fragile(remembering) == 7
