"""Phones of stations synchronised a second: `python -m benchmarks.syncing [NUMBER]`, on SQLite and on PostgreSQL.

Each deed is what one phone brings back of one parcel: four acts, taken on, collected, packed, given to the courier, through
the commands that POST /station/offline/acts runs, each act in a transaction of its own. What is measured beside it, the same
statements replayed, says benchmarks/replay.py."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from benchmarks import packing, replay
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.db import add_rows, in_transaction
from marketplace.demo import places
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.offline import syncing
from marketplace.orders.offline.sent import SentAct
from marketplace.orders.offline.states import ActState
from marketplace.orders.offline.syncing import Phone
from marketplace.orders.states import ParcelState
from tests.factories import STATION

PARCELS: Final = 2000
"""More than are measured: each is brought back once."""
PHONES: Final = 8
STEPS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("acceptance", {}),
    ("collection", {}),
    ("packing", {"shelf": "B-03"}),
    ("dispatch", {"carrier": "邮政", "tracking_number": "YT123456"}),
)
CLERKS: list[int] = []
"""The clerk whose phones they are; the same in every copy of the database."""


def measure(number: int = replay.NUMBER) -> dict[str, replay.Pace]:
    return replay.on_both(open_station, synchronise, number)


def open_station(session: Session) -> None:
    places.load(session)
    clerk = people.register(session, address="clerk@example.test", name="武秀兰")
    session.flush()
    CLERKS[:] = [clerk.id]
    numbers = range(1, PARCELS + 1)
    add_rows(session, Order, *(packing.order(number) for number in numbers))
    waiting = {"state": ParcelState.AWAITING_ACCEPTANCE, "shelf": ""}
    add_rows(session, Parcel, *({**packing.parcel(number), **waiting, "public_id": name(number)} for number in numbers))
    add_rows(session, OrderLine, *packing.lines(PARCELS))


def name(number: int) -> str:
    return f"{number:016x}"


def synchronise(which: int) -> None:
    """Everything that one phone wrote of one parcel, and once more its greeting."""
    phone = Phone(str(uuid.UUID(int=which % PHONES)), CLERKS[0], STATION, 0)
    client = in_transaction(syncing.greet, phone=phone)
    for act in acts(which):
        verdict = in_transaction(syncing.take_in, act=act, phone=phone, client_id=client)
        if verdict.state is not ActState.APPLIED:
            raise RuntimeError(f"{act.step}: {verdict}")
        syncing.go_on(act.parcel)


def acts(which: int) -> Iterator[SentAct]:
    moment = int((clock.now() - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    for place, (step, entered) in enumerate(STEPS):
        told: dict[str, Any] = {"step": step, "parcel": name(which + 1), "after": place, "entered": entered}
        key = str(uuid.UUID(int=which * len(STEPS) + place + 1))
        yield SentAct(key=key, sequence=which * len(STEPS) + place, at=moment, **told)


def report(paces: dict[str, replay.Pace]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Phones of a station",
        "",
        f"A second: what one phone brings back of one parcel, {len(STEPS)} acts, each in a transaction of its own, through"
        f" the commands that its POST runs, by one client and by {replay.CLIENTS}. Beside it, in the same run, the SQL that"
        f" one client sent, replayed through Core with as many commits. Medians of {replay.ROUNDS} rounds.",
        "",
        f"| database | 1 client | {replay.CLIENTS} clients | the same SQL replayed | ratio of 1 client to it |",
        "| --- | --- | --- | --- | --- |",
    ]
    for database, pace in paces.items():
        figures = f"{pace.one:,.0f} | {pace.many:,.0f} | {pace.replayed:,.0f} | {pace.ratio:.2f}"
        lines.append(f"| {database} | {figures} |")
    return [*lines, ""]


if __name__ == "__main__":
    replay.main(measure)
