"""A fact is told to the machines of those whom it concerns: written down once for each, to be delivered by the worker.

What is told names things by their public ids. Whoever wants to know more asks the API, which knows what they may see."""

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from marketplace.accounts.models import Grant, Person
from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.models import Delivery, Endpoint
from marketplace.notifications.states import DeliveryState, EndpointState

AT_THE_STATION: Final = ("station_manager", "station_clerk")
IN_THE_PROVINCE: Final = ("operator", "finance_operator")


@record
class Audience:
    """Whom a fact concerns: these people, who works at these stations, and always the province; or, where it is public,
    whoever asked to be told."""

    people: frozenset[int] = field(default_factory=frozenset)
    stations: frozenset[str] = field(default_factory=frozenset)
    is_public: bool = False

    def hears(self) -> ColumnElement[bool]:
        """Of an endpoint: its person is one of them. What staff hear needs a second factor, and a role that its person has
        now and had when they made it: whoever was no clerk then has not had the desk's events sent there."""
        if self.is_public:
            return true()
        here = and_(Grant.role.in_(AT_THE_STATION), Grant.scope_kind == "station", Grant.scope_id.in_(self.stations))
        theirs = and_(Grant.person_id == Endpoint.person_id, Grant.granted_at <= Endpoint.created_at)
        as_staff = exists().where(theirs, or_(here, Grant.role.in_(IN_THE_PROVINCE)))
        return or_(Endpoint.person_id.in_(self.people), and_(Endpoint.has_second_factor, as_staff))


def is_anybody_listening(session: Session) -> bool:
    """Where no machine is on, nobody needs to look up whom a fact concerns."""
    return session.scalar(select(Endpoint.id).where(Endpoint.state == EndpointState.ON).limit(1)) is not None


def publish(
    session: Session, *, kind: EventKind, fact: str, at: datetime, audience: Audience, data: Mapping[str, Any]
) -> None:
    """Once for each endpoint, however often this is called: `fact` is its name."""
    for endpoint in listening(session, kind, audience):
        write(session, endpoint, kind=kind, fact=fact, at=at, data=data)


def listening(session: Session, kind: EventKind, audience: Audience) -> list[Endpoint]:
    """The endpoints of those whom it concerns that are on and want to hear of this kind, in a fixed order: one statement."""
    living = select(Endpoint).join(Person, Person.id == Endpoint.person_id).where(Person.is_active)
    told = living.where(Endpoint.state == EndpointState.ON, audience.hears()).order_by(Endpoint.id)
    found = session.scalars(told).all()
    return [endpoint for endpoint in found if kind in endpoint.kinds]


def write(
    session: Session, endpoint: Endpoint, *, kind: str, fact: str, at: datetime, data: Mapping[str, Any]
) -> str | None:
    """The public id of the delivery; None where this fact was written down before."""
    message = ids.public_id()
    content = {"id": message, "type": kind, "timestamp": at.isoformat(), "data": dict(data)}
    row = {"public_id": message, "state": DeliveryState.WAITING, "endpoint_id": endpoint.id, "kind": kind, "fact": fact}
    now = clock.now()
    times = {"next_at": now, "since": now, "created_at": now, "tries": 0}
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if not insert_or_ignore(session, Delivery, row | times | {"body": body}):
        return None
    leave_trace(session, Delivery(public_id=message), None, DeliveryState.WAITING, actor="system", why=fact)
    return message
