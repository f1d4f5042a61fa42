"""The worker's part: one delivery after the other is sent, and what came of it is written down.

A delivery is tried for three days, later each time. A machine that fails rests, and one that is slow lets others go first,
so that nobody else waits for it; one that has failed for three days is switched off, and its person is told."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import clock, outbox
from marketplace.core.db import Instant, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.transitions import PASSING, EventRow, transition
from marketplace.notifications import messages, signing
from marketplace.notifications.endpoints import secrets_of
from marketplace.notifications.models import Delivery, DeliveryTry, Endpoint
from marketplace.notifications.preferences import MessageKind
from marketplace.notifications.reaching import Answer, Courier
from marketplace.notifications.states import DeliveryState as D, EndpointState

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=6)
LONGEST_REST: Final = timedelta(hours=1)
SLOW: Final = timedelta(seconds=1)
TRIED_FOR: Final = timedelta(days=3)
KEPT_FOR: Final = timedelta(days=30)
TRACES_KEPT_FOR: Final = timedelta(days=90)
SYSTEM: Final = "system"
AWAKE: Final = (
    select(Endpoint.id)
    .join(Person, Person.id == Endpoint.person_id)
    .where(Endpoint.state == EndpointState.ON, Endpoint.rests_until <= bindparam("now", type_=Instant), Person.is_active)
)
DUE: Final = outbox.due(Delivery, (Delivery.state == D.WAITING) & Delivery.endpoint_id.in_(AWAKE))


class Parcel(NamedTuple):
    """What is sent, and where to."""

    delivery: int
    message: str
    address: str
    body: bytes
    secrets: list[str]


def deliver_one() -> bool:
    """The worker's step: True if one was due."""
    taken = in_transaction(take)
    if taken is None:
        return False
    at = clock.now()
    courier: Courier = current_app.extensions["courier"]
    signed = signing.headers(taken.message, taken.body, taken.secrets, at=at)
    answer = courier.post(taken.address, taken.body, {**signed, "User-Agent": "Pavilion-Webhooks/1"})
    in_transaction(note, delivery=taken.delivery, answer=answer, at=at)
    return True


def take(session: Session) -> Parcel | None:
    """Lease the next one whose machine does not rest. What was written down for a closed account stays here."""
    found = outbox.take(session, DUE)
    if not found:
        return None
    row = found[0]
    endpoint = session.get_one(Endpoint, row.endpoint_id)
    return Parcel(row.id, row.public_id, endpoint.address, row.body.encode(), secrets_of(endpoint))


def note(session: Session, *, delivery: int, answer: Answer, at: datetime) -> None:
    """What came of one try. Somebody may have ended the endpoint meanwhile: what was sent was sent all the same."""
    row = session.scalars(select(Delivery).where(Delivery.id == delivery).with_for_update()).one()
    endpoint = session.scalars(select(Endpoint).where(Endpoint.id == row.endpoint_id).with_for_update()).one()
    known = {"status": answer.status, "answer": answer.text, "trouble": answer.trouble}
    session.add(DeliveryTry(delivery_id=row.id, at=at, milliseconds=answer.milliseconds, **known))
    if row.state is not D.WAITING:
        return
    if answer.is_good:
        transition(session, row, D.DELIVERED, expected=D.WAITING, actor=SYSTEM, why=f"status {answer.status}")
        took = timedelta(milliseconds=answer.milliseconds)
        endpoint.failures, endpoint.failing_since = 0, None
        endpoint.rests_until = at + 2 * took if took > SLOW else at  # it rests as long as it kept us
        return
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or at
    endpoint.rests_until = at + min(wait(endpoint.failures), LONGEST_REST)
    row.next_at = at + wait(row.tries)
    if at - row.since >= TRIED_FOR:
        transition(session, row, D.GIVEN_UP, expected=D.WAITING, actor=SYSTEM, why="tried for three days")
    if endpoint.state is EndpointState.ON and at - endpoint.failing_since >= TRIED_FOR:
        switch_off(session, endpoint, at)


def wait(failures: int) -> timedelta:
    """30 seconds after the first, twice as long each time, at most six hours."""
    return min(FIRST_WAIT * (1 << min(max(failures, 1) - 1, 20)), LONGEST_WAIT)


def switch_off(session: Session, endpoint: Endpoint, at: datetime) -> None:
    why = "failed for three days"
    transition(session, endpoint, EndpointState.OFF, expected=EndpointState.ON, actor=SYSTEM, why=why)
    person = session.get_one(Person, endpoint.person_id)
    words = _("Your address for events has not answered for three days, so we switched it off. Switch it on again under Me.")
    fact = f"endpoint_off:{endpoint.public_id}:{int(at.timestamp())}"
    if where := person.phone or person.email:
        about: dict[str, Any] = {"person_id": person.id, "kind": MessageKind.ACCOUNT}
        messages.send(session, fact=fact, address=where, text=str(words), **about)


def replay(session: Session, *, delivery: str, person_id: int) -> None:
    """Once more, under the same id. Raises NotFound for another's; nothing is done for one that waits anyway."""
    row = get_own(session, delivery, person_id)
    if row.state is not D.WAITING:
        again: dict[str, Any] = {"since": clock.now(), "next_at": clock.now(), "tries": 0}
        transition(session, row, D.WAITING, expected=row.state, actor=f"person:{person_id}", why="replayed", **again)


def get_own(session: Session, delivery: str, person_id: int) -> Delivery:
    mine = select(Delivery).join(Endpoint, Endpoint.id == Delivery.endpoint_id).where(Endpoint.person_id == person_id)
    living = mine.where(Delivery.public_id == delivery, Endpoint.state != EndpointState.ENDED)
    row = session.scalar(living.with_for_update(of=Delivery))
    if row is None:
        raise NotFound(delivery)
    return row


def sweep(session: Session) -> None:
    """What came of it a month ago is of no more use, and what waits for a machine that is switched off is no news. Traces of
    what was told stay longer; those of one that is still here, since it was sent once more, as long as it does."""
    old = Delivery.since < clock.now() - KEPT_FOR
    session.execute(delete(DeliveryTry).where(DeliveryTry.delivery_id.in_(select(Delivery.id).where(old))))
    session.execute(delete(Delivery).where(old))
    subject = EventRow.subject
    gone = (subject >= PASSING, subject < f"{PASSING[:-1]};", EventRow.at < clock.now() - TRACES_KEPT_FOR)
    living = select(Delivery.id).where(PASSING + Delivery.public_id == subject)
    session.execute(delete(EventRow).where(*gone, ~living.exists()))
