"""The independent reader of the desk without a network: silent where all is well, naming what is not."""

import pytest
from flask import Flask

from marketplace.auditing import offline
from marketplace.auditing.checks import Difference, run
from marketplace.auditing.lives import LIVES, differences as broken_lives
from marketplace.core.db import db, in_transaction
from marketplace.orders.offline import conflicts
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.states import ActState, Decision
from tests.auditing.test_giving import tampered
from tests.factories import STATION
from tests.offline.conftest import TO_THE_SHELF, MakePhone, make_parcel, phones_at_a_station, take

APPLIED = "SELECT MIN(client_key) FROM desk_act WHERE state = 'applied'"
TAMPERING = {
    "offline acts were applied once": (
        f"DELETE FROM event WHERE subject LIKE 'parcel:%' AND client_key = ({APPLIED})",
        f"UPDATE desk_act SET parcel = '0000000000000000' WHERE client_key = ({APPLIED})",
        "UPDATE desk_act SET state = 'already_so' WHERE state = 'applied'",
    ),
    "steps of phones have their act": (
        f"DELETE FROM desk_act WHERE client_key = ({APPLIED})",
        "UPDATE event SET client_key = '0' WHERE client_key IS NOT NULL",
        "UPDATE desk_act SET client_at = '2000-01-01 00:00:00+00:00'",
    ),
    "decisions about phones are recorded": (
        "DELETE FROM audit_record WHERE action = 'desk_act.decided'",
        "UPDATE desk_act SET decided_by = person_id WHERE decided_by IS NULL",
    ),
    "phones are their persons'": (
        "UPDATE desk_client SET person_id = (SELECT MAX(id) FROM person)",
        "UPDATE desk_act SET person_id = (SELECT MAX(id) FROM person)",
    ),
    "pickup numbers are of parcels that are fetched": (
        "UPDATE parcel SET delivery = 'courier'",
        "UPDATE parcel SET pickup_code = NULL",
        "UPDATE pickup_number SET number = '12'",
    ),
    "states have traces": ("UPDATE desk_act SET state = 'dismissed' WHERE state = 'corrected'",),
}


@pytest.fixture
def desk(real_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A parcel brought to the shelf and handed over by a phone, one act that was so already, one decided, one undecided."""
    monkeypatch.setattr("marketplace.auditing.lives.LIVES", tuple(life for life in LIVES if life.table == "desk_act"))
    bring(phones_at_a_station(real_app))
    db.session.remove()
    return real_app


def bring(make: MakePhone) -> None:
    phone, other = make(), make()
    parcel, shelved = make_parcel(), make_parcel(*TO_THE_SHELF)
    code = shelved.pickup_code or ""
    phone.send(*(phone.act(step, parcel.public_id, place) for place, step in enumerate(TO_THE_SHELF[:2])))
    twice = [hand.act("pickup", shelved.public_id, 4, code=code) for hand in (phone, other)]
    phone.send(twice[0], phone.act("acceptance", shelved.public_id, 0))
    other.send(twice[1])
    shelf = phone.act("packing", parcel.public_id, 2, shelf="A-1")
    take(parcel, "packing")
    phone.send(shelf)
    person = db.session.query(DeskAct).where(DeskAct.client_key == shelf["key"]).one().person_id
    decided = {"act": shelf["key"], "station": STATION, "person_id": person, "decision": Decision.MINE, "note": ""}
    in_transaction(conflicts.decide, **decided)


def named(statements: str = "") -> set[str]:
    with tampered(statements) as connection:
        found = [*run(connection, offline.OFFLINE), *broken_lives(connection)]
    return {each.check for each in found if isinstance(each, Difference)}


def test_an_honest_desk_has_no_differences(desk: Flask) -> None:
    states = {row.state for row in db.session.query(DeskAct)}
    assert states == {ActState.APPLIED, ActState.ALREADY_SO, ActState.CONFLICT, ActState.CORRECTED}
    assert named() == set()


def test_whatever_was_tampered_with_is_named(desk: Flask) -> None:
    for check, statements in TAMPERING.items():
        for each in statements:
            assert check in named(each), each
    assert {check.name for check in offline.OFFLINE} | {"states have traces"} == TAMPERING.keys()
    assert named() == set()
