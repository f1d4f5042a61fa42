"""What phones send is taken in: each act once, in whatever order it comes. Whoever sends it again gets the same outcome."""

import json
from datetime import datetime, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction, insert_or_ignore
from marketplace.core.errors import Refusal
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace
from marketplace.orders.offline import applying
from marketplace.orders.offline.applying import Verdict
from marketplace.orders.offline.models import DeskAct, DeskClient
from marketplace.orders.offline.sent import SentAct
from marketplace.orders.offline.states import ActState as A, Problem

PATIENCE: Final = timedelta(days=1)  # for the step before: until then another phone may still bring it
LONGEST_OFFSET: Final = 10**14  # milliseconds; a phone's clock may say anything


class OtherPhone(Refusal):
    message = _l("This phone works for another person or station. Open its desk page anew.")


class OtherAct(Refusal):
    message = _l("This was already sent with different content.")


@record
class Phone:
    """Who sends: a browser that named itself, the person and the station it works for."""

    client: str
    person_id: int
    station: str
    offset_milliseconds: int
    """Our clock less the phone's, as near as one journey tells."""


def offset(sent_at: int, received: datetime) -> int:
    """Milliseconds by which the phone's clock is slow."""
    return max(-LONGEST_OFFSET, min(LONGEST_OFFSET, int(received.timestamp() * 1000) - sent_at))


def greet(session: Session, *, phone: Phone) -> int:
    """The phone's id; it becomes known when it first sends something. Raises OtherPhone for one of somebody else."""
    now = clock.now()
    whose = {"public_id": phone.client, "person_id": phone.person_id, "station_code": phone.station}
    times = {"first_seen_at": now, "seen_at": now, "offset_milliseconds": phone.offset_milliseconds}
    if not insert_or_ignore(session, DeskClient, whose | times):
        seen = update(DeskClient).where(DeskClient.public_id == phone.client)
        session.execute(seen.values(seen_at=now, offset_milliseconds=phone.offset_milliseconds))
    row = session.scalars(select(DeskClient).where(DeskClient.public_id == phone.client)).one()
    if (row.person_id, row.station_code) != (phone.person_id, phone.station):
        raise OtherPhone(phone.client)
    return row.id


def take_in(session: Session, *, act: SentAct, phone: Phone, client_id: int) -> Verdict:
    """What became of the act, now or when it first came. Raises OtherAct where its key came with other content before."""
    mine = {"client_key": act.key, "client_id": client_id, "person_id": phone.person_id, "station_code": phone.station}
    content = {"step": act.step, "parcel": act.parcel, "after": act.after, "entered": json.dumps(dict(act.entered))}
    times = {"client_at": act.written_at, "offset_milliseconds": phone.offset_milliseconds, "received_at": clock.now()}
    given = {**mine, **content, **times, "sequence": act.sequence, "body_hash": act.digest, "state": A.RECEIVED}
    is_new = insert_or_ignore(session, DeskAct, given)
    row = session.scalars(select(DeskAct).where(DeskAct.client_key == act.key)).one()
    if is_new:
        leave_trace(session, row, None, A.RECEIVED, actor=f"person:{phone.person_id}", why=act.step, station=phone.station)
        return applying.apply(session, row)
    if (row.person_id, row.station_code, row.body_hash) != (phone.person_id, phone.station, act.digest):
        raise OtherAct(act.key)
    return Verdict(row.state, Problem(row.problem) if row.problem else None)


def is_known(session: Session, key: str) -> bool:
    return session.scalar(select(DeskAct.id).where(DeskAct.client_key == key)) is not None


def is_of_station(session: Session, key: str, station: str) -> bool:
    mine = select(DeskAct.id).where(DeskAct.client_key == key, DeskAct.station_code == station)
    return session.scalar(mine) is not None


def try_waiting(session: Session, *, key: str) -> A:
    """Look again at an act that waits for the step before it."""
    waiting = select(DeskAct).where(DeskAct.client_key == key, DeskAct.state == A.WAITING).with_for_update()
    act = session.scalar(waiting)
    return applying.apply(session, act).state if act else A.WAITING


def give_up(session: Session, *, key: str, problem: Problem) -> None:
    """What still waits is for a person."""
    act = session.scalar(select(DeskAct).where(DeskAct.client_key == key, DeskAct.state == A.WAITING).with_for_update())
    if act is not None:
        applying.move(session, act, Verdict(A.CONFLICT, problem))


def go_on(parcel: str) -> None:
    """Acts that waited for a step of this parcel, as long as one of them could be taken. For doors."""
    while any(in_transaction(try_waiting, key=key) is not A.WAITING for key in keys_waiting(db.session(), parcel=parcel)):
        pass


def keys_waiting(session: Session, *, parcel: str = "", before: datetime | None = None) -> list[str]:
    """Those of one parcel, or those received before a moment; by the place they want to take."""
    waiting = select(DeskAct.client_key).where(DeskAct.state == A.WAITING)
    if parcel:
        waiting = waiting.where(DeskAct.parcel == parcel)
    if before:
        waiting = waiting.where(DeskAct.received_at < before)
    return list(session.scalars(waiting.order_by(DeskAct.after, DeskAct.id)))


def look_again() -> None:
    """The worker's part: the step before may have been taken at the desk; after a day nobody waits for it any more."""
    for key in keys_waiting(db.session()):
        in_transaction(try_waiting, key=key)
    for key in keys_waiting(db.session(), before=clock.now() - PATIENCE):
        in_transaction(give_up, key=key, problem=Problem.NEVER_CAME)
