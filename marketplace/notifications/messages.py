"""A message is a row, written with the fact it tells; an adapter sends it once the fact is committed."""

import sys
from collections.abc import Sequence
from typing import Protocol

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids, outbox
from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.core.encryption import fingerprint
from marketplace.core.settings import Settings
from marketplace.notifications.models import Message

TOPIC = "message.send"


class NoWayOut(RuntimeError):
    """Nothing is set up that could send messages; they wait in the outbox until there is."""


class Adapter(Protocol):
    """How messages leave the house: by SMS, e-mail, or not at all."""

    def deliver(self, address: str, text: str) -> None: ...


class OnThePage:
    """The demonstration's way: nothing leaves, the page itself shows what would have been sent."""

    def deliver(self, address: str, text: str) -> None:
        return None


def install(app: Flask, settings: Settings) -> None:
    """Who writes letters finds us here. In production nothing passes for sent that was only shown on a page."""
    app.extensions["letters"] = sys.modules[__name__]
    app.extensions["message_adapter"] = None if settings.is_production else OnThePage()


def send(session: Session, /, *, fact: str, address: str, text: str, person_id: int | None = None) -> None:
    """Tell `address` a fact, once: a second message of the same fact is not written."""
    values = {"fact": fact, "address": address, "text": text, "person_id": person_id}
    keys = {"public_id": ids.public_id(), "address_fingerprint": fingerprint(address, "message"), "created_at": clock.now()}
    if insert_or_ignore(session, Message, values | keys):
        outbox.put(session, TOPIC, fact=fact)


def deliver(*, fact: str) -> None:
    """The outbox's listener: outside a transaction, since it may take seconds. Raises NoWayOut."""
    found = in_transaction(read, fact=fact)
    if found is None:
        return
    adapter: Adapter | None = current_app.extensions["message_adapter"]
    if adapter is None:
        raise NoWayOut(fact)
    adapter.deliver(*found)
    in_transaction(mark_sent, fact=fact)


def read(session: Session, *, fact: str) -> tuple[str, str] | None:
    """(address, text) of a message that was not sent yet."""
    row = session.scalar(select(Message).where(Message.fact == fact, Message.sent_at.is_(None)))
    return (row.address, row.text) if row else None


def mark_sent(session: Session, *, fact: str) -> None:
    session.scalars(select(Message).where(Message.fact == fact)).one().sent_at = clock.now()


def of_person(session: Session, person_id: int, limit: int = 20) -> Sequence[Message]:
    """What a person was told, latest first."""
    mine = select(Message).where(Message.person_id == person_id)
    return session.scalars(mine.order_by(Message.id.desc()).limit(limit)).all()


def text_of(session: Session, fact: str) -> str | None:
    """For the demonstration, whose pages show what would have been sent."""
    row = session.scalar(select(Message).where(Message.fact == fact))
    return row.text if row else None
