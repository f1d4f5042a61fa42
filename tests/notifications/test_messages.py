import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.outbox import OutboxRow
from marketplace.core.settings import AppEnvironment
from marketplace.notifications import messages, preferences
from marketplace.notifications.models import Message, Silence
from marketplace.notifications.ways import Letter, NoWayOut
from tests.factories import make_person, signed_in


class Post:
    """Keeps what it was given; refuses while it is shut."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str]] = []
        self.is_shut = False

    def deliver(self, letter: Letter) -> None:
        if self.is_shut:
            raise ConnectionError
        self.delivered.append((letter.address, letter.text))


@pytest.fixture
def post(app: Flask) -> Iterator[Post]:
    before, app.extensions["message_way"] = app.extensions["message_way"], Post()
    yield app.extensions["message_way"]
    app.extensions["message_way"] = before


def tell(fact: str = "order:SX-7F3KQ2MD:paid", words: str = "收到你的钱了。", **more: Any) -> None:
    in_transaction(messages.send, fact=fact, address="13800002045", text=words, **more)


def test_a_fact_is_told_once_by_the_worker(session: Session, post: Post) -> None:
    tell()
    tell()
    outbox.deliver_slow()

    assert post.delivered == [("13800002045", "收到你的钱了。")]
    row = session.scalars(select(Message)).one()
    assert row.sent_at is not None


def test_the_table_shows_neither_number_nor_words(session: Session) -> None:
    tell()

    stored = session.execute(text("SELECT address, text, address_fingerprint FROM message")).one()
    assert not any("13800002045" in value or "收到" in value for value in stored)
    read = session.scalars(select(Message)).one()
    assert (read.address, read.text) == ("13800002045", "收到你的钱了。")


def test_what_could_not_be_sent_waits(session: Session, post: Post) -> None:
    post.is_shut = True
    tell()
    outbox.deliver_slow()

    assert session.scalars(select(Message.sent_at)).all() == [None]
    assert session.scalars(select(OutboxRow.is_done).where(OutboxRow.topic == messages.TOPIC)).all() == [False]

    post.is_shut = False
    messages.deliver(fact="order:SX-7F3KQ2MD:paid")
    messages.deliver(fact="order:SX-7F3KQ2MD:paid")
    assert post.delivered == [("13800002045", "收到你的钱了。")]


def test_in_production_nothing_passes_for_sent_that_only_a_page_would_show(app: Flask, session: Session) -> None:
    fresh = Flask(__name__)
    messages.install(fresh, replace(app.extensions["settings"], app_env=AppEnvironment.PRODUCTION))

    tell()
    before, app.extensions["message_way"] = app.extensions["message_way"], fresh.extensions["message_way"]
    try:
        with pytest.raises(NoWayOut):
            messages.deliver(fact="order:SX-7F3KQ2MD:paid")
    finally:
        app.extensions["message_way"] = before
    assert session.scalars(select(Message.sent_at)).all() == [None]


def test_a_person_finds_what_they_were_told_latest_first(session: Session) -> None:
    guo, li = make_person().id, make_person().id
    tell("a", "一", person_id=guo)
    tell("b", "二", person_id=guo)
    tell("c", "三", person_id=li)

    assert [row.text for row in messages.of_person(session, guo)] == ["二", "一"]
    assert messages.text_of(session, "c") == "三" and messages.text_of(session, "d") is None


def test_preferences_saved_twice_at_once_are_saved(real_app: Flask) -> None:
    person = make_person().id
    db.session.rollback()
    start = Barrier(4)

    def save(_press: int) -> None:
        with real_app.app_context():
            start.wait()
            in_transaction(preferences.keep, person_id=person, wanted=[("orders", "sms")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(4)))
    every = len(preferences.CHOICES) * len(preferences.WAYS)
    assert len(db.session.scalars(select(Silence)).all()) == every - 1


def test_every_letter_says_of_what_kind_it_is() -> None:
    """Else it would be one about the account, which nobody can switch off."""
    root = Path(__file__).parents[2]
    sources = [path for part in ("marketplace", "crowdfund", "listings") for path in (root / part).rglob("*.py")]
    writers = [path for path in sources if re.search(r"messages\.(send|tell)\(", path.read_text("utf-8"))]
    assert len(writers) > 8 and [path for path in writers if "MessageKind." not in path.read_text("utf-8")] == []


def test_whatever_a_person_was_told_can_be_read_again_page_by_page(app: Flask, session: Session) -> None:
    client = app.test_client()
    guo, li = signed_in(client), make_person()
    tell("of li", "别人的", person_id=li.id)
    for number in range(28):
        tell(f"fact {number}", f"第{number}条。", person_id=guo.id)

    def told(page: str) -> tuple[list[int], str]:
        found = re.search(r'href="(/account\?before=\w+)#messages"', page)
        return [int(each) for each in re.findall(r"第(\d+)条。", page)], found[1] if found else ""

    newest, further = told(client.get("/account").text)
    earlier, last = told(client.get(further).text)
    oldest, end = told(client.get(last).text)

    assert (newest, earlier, oldest, end) == ([*range(27, 22, -1)], [*range(22, 2, -1)], [2, 1, 0], "")
    foreign = messages.of_person(session, li.id)[0].public_id
    assert told(client.get(f"/account?before={foreign}").text) == told(client.get("/account?before=nobody").text) == ([], "")
    assert told(client.get("/account?before=%00'").text)[0] == newest
