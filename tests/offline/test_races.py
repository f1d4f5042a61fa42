"""Sent at the same moment: the same act from one phone, the same hand-over from two."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask

from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from marketplace.orders.offline import syncing
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.sent import SentAct, read_act
from marketplace.orders.offline.syncing import Phone
from marketplace.orders.states import ParcelState as S
from tests import factories
from tests.factories import STATION
from tests.offline.conftest import TO_THE_SHELF, make_parcel, make_places, state_of

AT_ONCE = 6


def send_at_once(app: Flask, acts: list[tuple[SentAct, Phone]]) -> Counter[str]:
    """What became of acts that were all sent at the same moment."""
    start = Barrier(len(acts))

    def send(each: tuple[SentAct, Phone]) -> str:
        act, phone = each
        with app.app_context(), app.test_request_context():
            client = in_transaction(syncing.greet, phone=phone)
            start.wait()
            return str(in_transaction(syncing.take_in, act=act, phone=phone, client_id=client).state)

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(send, acts))


def a_phone() -> Phone:
    person = factories.make_person("station_clerk").id
    return Phone(str(uuid.uuid4()), person, STATION, 0)


def hand_over(parcel: str, code: str) -> SentAct:
    given = {"key": str(uuid.uuid4()), "sequence": 1, "step": "pickup", "parcel": parcel, "after": 4, "at": 0}
    act = read_act(given | {"entered": {"code": code}})
    assert act is not None
    return act


def steps_of(parcel: str) -> list[str]:
    db.session.rollback()
    return [row.to_state for row in db.session.query(EventRow).filter_by(subject=f"parcel:{parcel}").order_by(EventRow.id)]


def test_the_same_act_sent_many_times_at_once_is_taken_once(real_app: Flask) -> None:
    make_places()
    parcel, phone = make_parcel(*TO_THE_SHELF), a_phone()
    act = hand_over(parcel.public_id, parcel.pickup_code or "")

    assert send_at_once(real_app, [(act, phone)] * AT_ONCE) == {"applied": AT_ONCE}
    assert steps_of(parcel.public_id).count("picked_up") == 1
    assert db.session.query(DeskAct).count() == 1


def test_of_phones_that_hand_one_parcel_over_one_does_it(real_app: Flask) -> None:
    make_places()
    parcel = make_parcel(*TO_THE_SHELF)
    sent = [(hand_over(parcel.public_id, parcel.pickup_code or ""), a_phone()) for _ in range(AT_ONCE)]

    assert send_at_once(real_app, sent) == {"applied": 1, "conflict": AT_ONCE - 1}
    assert state_of(parcel) is S.PICKED_UP
    assert steps_of(parcel.public_id).count("picked_up") == 1
    assert {row.problem for row in db.session.query(DeskAct)} == {"", "handed_over_twice"}
