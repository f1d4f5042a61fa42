"""The list of the day: what a phone of this station needs to go on without a network, and nothing that names a person.

Neither buyers nor where their parcels go are in it: labels say that. What it holds is said in docs/offline.md."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session
from wtforms import Field
from wtforms.validators import Length, Regexp

from marketplace.core import clock
from marketplace.core.encryption import fingerprint
from marketplace.core.formats import in_language
from marketplace.core.transitions import EventRow
from marketplace.orders import desk, disputed
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.cases.states import AppealState
from marketplace.orders.models import Order, Parcel
from marketplace.orders.offline import pickup_keys
from marketplace.orders.offline.models import DeskAct, PickupNumber
from marketplace.orders.offline.states import OPEN
from marketplace.orders.offline.steps import STEPS
from marketplace.orders.offline.words import DONE_WORDS, FIELD_WORDS, STATE_WORDS, STEP_WORDS
from marketplace.orders.queries import lines_by_parcel
from marketplace.orders.receiving import offered
from marketplace.orders.receiving.substituting import WAITING
from marketplace.orders.states import GOES_AHEAD, ParcelState as S
from marketplace.stations.models import Station

FORMAT: Final = 1
DAY: Final = timedelta(days=1)
MOST: Final = 500
HANDED_OVER_BY_CODE: Final = (S.READY_FOR_PICKUP, S.UNCOLLECTED)
WAITING_STATES: Final = tuple(state for queue in desk.QUEUES for state in queue.states)


def of_day(session: Session, *, station: str, person_id: int, person: str) -> dict[str, Any]:
    """As JSON: the parcels a station has to do with, the steps they can take, the keys of their codes. Eight statements.

    A list is of use until midnight and can be worked with for a day more; then the phone drops it, with its keys."""
    rows = parcels(session, station)
    numbers = [row.id for row in rows]
    lines, instead = lines_by_parcel(session, numbers), offered.packed_instead(session, numbers)
    notes = notes_on(session, rows)
    today = clock.today()
    days = {today, *(row.day for row in rows if row.day and row.state in HANDED_OVER_BY_CODE)}
    here = session.get_one(Station, station)
    return {
        "format": FORMAT,
        "day": today.isoformat(),
        "now": milliseconds(clock.now()),
        "fresh_until": milliseconds(clock.start_of(today + DAY)),
        "until": milliseconds(clock.start_of(today + 2 * DAY)),
        "owner": owner(person, station),
        "station": in_language(here.name_zh, here.name_en),
        "seal": encoded(pickup_keys.derived("desk acts", person)),
        "pickup_keys": {day.isoformat(): encoded(pickup_keys.key_of(station, day)) for day in days},
        "steps": steps(),
        "queues": [
            {
                "word": str(queue.word),
                "states": [state.value for state in queue.states],
                "dated": not desk.NO_DAY.issuperset(queue.states),
            }
            for queue in desk.QUEUES
        ],
        "words": {state: str(word) for state, word in desk.WORDS.items()},
        "marks": {state: str(word) for state, word in STATE_WORDS.items()},
        "parcels": [
            shown(row, (*lines.get(row.id, ()), *instead.get(row.id, ()))) | {"note": notes.get(row.id, "")} for row in rows
        ],
        "left_out": left_out(session, station, len(rows)),
        "open": open_acts(session, station, person_id),
    }


def owner(person: str, station: str) -> str:
    """Whose list it is, for a phone that may pass from hand to hand: it tells nothing, and is alike only for one person."""
    return fingerprint(f"{person}:{station}", "desk.owner")[:32]


def steps() -> list[dict[str, Any]]:
    """The steps that can be written without a network, the usual one of a state first: where they lead, what is entered."""
    return [
        {
            "name": name,
            "here": step.here.value,
            "there": step.there.value,
            "delivery": step.delivery,
            "fields": [{"name": each.name, "label": str(FIELD_WORDS[each.name]), **rules(each)} for each in step.form()],
            "words": str(STEP_WORDS[name]),
            "done": str(DONE_WORDS[name]),
        }
        for name, step in STEPS.items()
    ]


def rules(field: Field) -> dict[str, Any]:
    """The desk's own, so that a phone says at once what the house would not take."""
    found: dict[str, Any] = {}
    for rule in field.validators:
        if isinstance(rule, Length):
            found |= {"least": rule.min, "most": rule.max}
        elif isinstance(rule, Regexp):
            found["pattern"] = rule.regex.pattern
    return found


def parcels(session: Session, station: str) -> list[Any]:
    """With how many steps each has taken since it was born: the place that the next act takes. State and place are read in
    one statement, so that they belong together whatever is done meanwhile."""
    walked = select(func.count()).where(EventRow.subject == literal("parcel:") + Parcel.public_id, EventRow.from_state != "")
    wanted = (
        select(
            Parcel.id, Parcel.public_id, Parcel.number, Parcel.state, Parcel.delivery, Parcel.shelf, desk.due().label("due")
        )
        .add_columns(Parcel.station_code, Parcel.pickup_code, Order.number.label("order_number"))
        .add_columns(PickupNumber.day, PickupNumber.number.label("pickup_number"))
        .add_columns(walked.correlate(Parcel).scalar_subquery().label("taken"))
        .join(Order, Order.id == Parcel.order_id)
        .outerjoin(PickupNumber, PickupNumber.parcel_id == Parcel.id)
        .where(*waiting_at(station))
        .order_by(desk.due(), Parcel.id)
    )
    return list(session.execute(wanted.limit(MOST)))


def waiting_at(station: str) -> tuple[ColumnElement[bool], ...]:
    return Parcel.station_code == station, Parcel.state.in_(WAITING_STATES), Order.state.in_(GOES_AHEAD)


def left_out(session: Session, station: str, listed: int) -> int:
    """So many wait that the list has no place for."""
    if listed < MOST:
        return 0
    counted = select(func.count()).select_from(Parcel).join(Order, Order.id == Parcel.order_id)
    return max(int(session.scalar(counted.where(*waiting_at(station))) or 0) - listed, 0)


def shown(row: Any, lines: Any) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "label": f"{row.order_number}-{row.number}",
        "state": row.state.value,
        "steps": row.taken,
        "delivery": row.delivery,
        "shelf": row.shelf,
        "by": row.due.isoformat(),
        "lines": [
            {
                "title": in_language(line.title_zh, line.title_en),
                "unit": in_language(line.unit_zh, line.unit_en),
                "left": line.left,
            }
            for line in lines
            if line.left
        ],
        "pickup": proof(row) if row.state in HANDED_OVER_BY_CODE and row.pickup_code else None,
    }


def notes_on(session: Session, rows: Sequence[Any]) -> dict[int, str]:
    """What is to be known before anything is done with a parcel; what weighs most, where there is more. Three statements.

    A step that the note warns of may still be written down: it becomes a conflict that says the same."""
    numbers = [row.id for row in rows]
    asked, again, stopped = (offered.unanswered(session, numbers), under_appeal(session, numbers), disputed.stopped(session))
    found = {
        row.id: str(_("Wait before you pack it: the buyer has not said yet what to send instead."))
        for row in rows
        if row.id in asked and row.state in WAITING
    }
    found |= {number: str(_("The province still decides about the case that this replacement is for.")) for number in again}
    disputes = str(_("Keep it here: the buyer's bank disputes the payment. Neither send it nor hand it over."))
    return found | {row.id: disputes for row in rows if row.order_number in stopped}


def under_appeal(session: Session, parcels: Sequence[int]) -> set[int]:
    """Replacements about whose first case the province was asked: one statement."""
    cases = select(Parcel.id).join(Order, Order.id == Parcel.order_id)
    cases = cases.join(AfterSalesCase, AfterSalesCase.exchange_number == Order.number)
    cases = cases.join(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    return set(session.scalars(cases.where(Parcel.id.in_(parcels), CaseAppeal.state == AppealState.ASKED)))


def proof(row: Any) -> dict[str, str]:
    """How the phone knows the parcel's code: by its number and the key of its day, or by a verifier under today's key."""
    if row.day and pickup_keys.is_proved(row.station_code, row.day, row.pickup_code):
        return {"number": row.pickup_number, "day": row.day.isoformat()}
    key = pickup_keys.key_of(row.station_code, clock.today())
    return {"verifier": pickup_keys.verifier(key, row.public_id, row.pickup_code)}


def open_acts(session: Session, station: str, person_id: int) -> dict[str, str]:
    """What this person's phones have sent and is not done with, by key."""
    mine = select(DeskAct.client_key, DeskAct.state).where(DeskAct.station_code == station, DeskAct.state.in_(OPEN))
    return {key: state.value for key, state in session.execute(mine.where(DeskAct.person_id == person_id))}


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
