"""A message is a row, written with the fact it tells; it is sent once the fact is committed."""

import logging
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import clock, ids, outbox
from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.core.encryption import fingerprint
from marketplace.core.settings import Settings
from marketplace.notifications import preferences, ways
from marketplace.notifications.models import Message
from marketplace.notifications.preferences import MessageKind
from marketplace.notifications.ways import Letter, Undeliverable, Way

TOPIC: Final = "message.send"
TOO_LATE: Final = timedelta(days=3)  # what could not be sent by then is no news any more


def install(app: Flask, settings: Settings) -> None:
    """Who writes letters finds us here."""
    app.extensions["letters"] = sys.modules[__name__]
    app.extensions["message_way"] = ways.chosen(settings)
    outbox.listeners[TOPIC] = [deliver]
    outbox.slow.add(TOPIC)


def send(
    session: Session,
    /,
    *,
    fact: str,
    address: str,
    text: str,
    person_id: int | None = None,
    kind: MessageKind = MessageKind.ACCOUNT,
) -> None:
    """Tell `address` a fact, once: a second message of the same fact is not written.

    Who does not want to be told this `kind` of thing this way finds it on their page alone."""
    values = {"fact": fact, "address": address, "text": text, "person_id": person_id}
    keys = {"public_id": ids.public_id(), "address_fingerprint": fingerprint(address, "message"), "created_at": clock.now()}
    is_new = insert_or_ignore(session, Message, values | keys)
    if is_new and not preferences.is_silent(session, person_id=person_id, kind=kind, address=address):
        outbox.put(session, TOPIC, fact=fact)


def tell(session: Session, person: Person, /, *, fact: str, text: str, kind: MessageKind) -> None:
    """Tell a person a fact by the first way in which they want it: SMS, then e-mail. Nothing reaches who has no address."""
    addresses = (person.phone, person.email)
    if any(addresses):
        address = preferences.first_wanted(session, person_id=person.id, kind=kind, addresses=addresses)
        send(session, fact=fact, address=address, text=text, person_id=person.id, kind=kind)


def deliver(*, fact: str) -> None:
    """The outbox's listener: outside a transaction, since it may take seconds. Raises NoWayOut.

    What was refused for good, or could not be sent for days, stays unsent: the row says so."""
    letter = in_transaction(read, fact=fact)
    if letter is None or letter.written_at < clock.now() - TOO_LATE:
        return
    way: Way = current_app.extensions["message_way"]
    try:
        way.deliver(letter)
    except Undeliverable as refused:
        logging.getLogger(__name__).warning("message %s was refused for good: %s", letter.key, refused)
        return
    in_transaction(mark_sent, fact=fact)


def read(session: Session, *, fact: str) -> Letter | None:
    """A message that was not sent yet."""
    row = session.scalar(select(Message).where(Message.fact == fact, Message.sent_at.is_(None)))
    return Letter(row.public_id, row.address, row.text, row.created_at) if row else None


def mark_sent(session: Session, *, fact: str) -> None:
    session.scalars(select(Message).where(Message.fact == fact)).one().sent_at = clock.now()


def of_person(session: Session, person_id: int, limit: int = 20, *, before: str = "") -> Sequence[Message]:
    """What a person was told, latest first; `before`: earlier than this message of theirs."""
    mine = select(Message).where(Message.person_id == person_id)
    if before:
        known = select(Message.id).where(Message.person_id == person_id, Message.public_id == before)
        mine = mine.where(Message.id < known.scalar_subquery())
    return session.scalars(mine.order_by(Message.id.desc()).limit(limit)).all()


def text_of(session: Session, fact: str) -> str | None:
    """For the demonstration, whose pages show what would have been sent."""
    row = session.scalar(select(Message).where(Message.fact == fact))
    return row.text if row else None
