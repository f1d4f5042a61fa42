"""What phones may not send, what cannot be read, and what holds up nothing else."""

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.core.db import db
from marketplace.orders.offline.models import DeskAct, DeskClient
from marketplace.orders.states import OrderState, ParcelState as S
from tests import factories
from tests.offline.conftest import TO_THE_SHELF, MakePhone, make_parcel, state_of, stored


def test_a_phone_belongs_to_one_person_and_one_station(make_phone: MakePhone) -> None:
    mine, other = make_phone(), make_phone()
    mine.send()
    other.name = mine.name

    other.list()
    for owner in (mine.owner, other.owner):  # what another wrote; a browser that is another's
        answer = other.post({"client": mine.name, "owner": owner, "sent_at": 0, "acts": []})
        assert answer.status_code == 409 and answer.json
        assert "这部手机现在归别人或别的站用" in answer.json["title"]


def test_another_stations_parcel_is_none_and_tells_nothing(make_phone: MakePhone) -> None:
    phone = make_phone()
    factories.make_station("140430", county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    parcel = make_parcel(station="140430")

    theirs = phone.send_one(phone.act("acceptance", parcel.public_id, 0))
    nobodys = phone.send_one(phone.act("acceptance", "0" * 16, 0))

    assert theirs == nobodys == ("conflict", "no_such_parcel")
    assert state_of(parcel) is S.AWAITING_ACCEPTANCE


def test_an_order_that_is_not_paid_is_not_touched(make_phone: MakePhone, session: Session) -> None:
    phone = make_phone()
    parcel = make_parcel()
    parcel.order.state = OrderState.PENDING_PAYMENT
    session.commit()

    assert phone.send_one(phone.act("acceptance", parcel.public_id, 0)) == ("conflict", "not_possible")
    assert state_of(parcel) is S.AWAITING_ACCEPTANCE


@pytest.mark.parametrize(
    "change",
    [
        {"key": "1"},
        {"key": None},
        {"sequence": -1},
        {"sequence": 2**31},
        {"sequence": "1"},
        {"step": 7},
        {"parcel": "x"},
        {"parcel": "0" * 16 + "\n"},
        {"after": -1},
        {"after": 1.5},
        {"at": -1},
        {"at": 10**18},
        {"entered": {"shelf": 7}},
        {"entered": {"shelf": "\0"}},
        {"entered": {"shelf": "x" * 201}},
        {"entered": {str(number): "x" for number in range(9)}},
        {"more": 1},
    ],
)
def test_rubbish_holds_up_nothing_else(make_phone: MakePhone, change: dict[str, Any]) -> None:
    phone = make_phone()
    parcel = make_parcel()
    bad, good = phone.act("packing", parcel.public_id, 0), phone.act("acceptance", parcel.public_id, 0)

    assert {state for state, _problem in phone.send(bad | change, good).values()} == {"unreadable", "applied"}
    assert db.session.query(DeskAct).count() == 1


@pytest.mark.parametrize("document", [None, 7, [], {}, {"client": "x", "sent_at": 0, "acts": []}, "\0"])
def test_a_batch_that_cannot_be_read_is_said(make_phone: MakePhone, document: Any) -> None:
    answer = make_phone().post(document)

    assert answer.status_code == 422
    assert db.session.query(DeskClient).count() == 0


@pytest.mark.parametrize(
    ("step", "entered"),
    [("refusal", {"reason": "x"}), ("packing", {"shelf": ""}), ("pickup", {"code": "12"}), ("x", {"a": "b"})],
)
def test_what_the_desk_would_not_take_is_kept_for_a_person(
    make_phone: MakePhone, step: str, entered: dict[str, str]
) -> None:
    phone = make_phone()
    parcel = make_parcel("acceptance", "collection")
    act = phone.act(step, parcel.public_id, 2, **entered)

    assert phone.send_one(act) == ("conflict", "not_understood")
    assert json.loads(stored(act["key"]).entered) == entered
    assert state_of(parcel) is S.COLLECTING


def test_codes_cannot_be_guessed_by_sending_many(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    acts = [phone.act("pickup", parcel.public_id, 4, code=f"{number:09d}") for number in range(21)]

    states = [state for state, _problem in phone.send(*acts).values()]

    assert states.count("later") == 1 and states.count("conflict") == 20
    assert state_of(parcel) is S.READY_FOR_PICKUP


def test_json_of_any_depth_is_said_to_be_unreadable(make_phone: MakePhone) -> None:
    phone = make_phone()
    phone.list()
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": phone.token, "Content-Type": "application/json"}
    for body in ("[" * 200_000, "{", "", '{"client": ' + "[" * 5000 + "]" * 5000 + "}"):
        assert phone.client.post("/station/offline/acts", data=body, headers=headers).status_code == 422


@pytest.mark.parametrize("slow", [-(10**13), 0, 1_700_000_000_000])
def test_any_clock_of_a_phone_will_do(make_phone: MakePhone, slow: int) -> None:
    phone = make_phone(slow=slow)
    parcel = make_parcel()
    act = phone.act("acceptance", parcel.public_id, 0)
    assert phone.send_one(act) == ("applied", None)
    assert abs(stored(act["key"]).offset_milliseconds - slow) < 60_000


def test_strangers_buyers_and_other_roles_send_nothing(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    document = {"client": phone.name, "owner": "", "sent_at": 0, "acts": [phone.act("acceptance", parcel.public_id, 0)]}
    headers = {"Sec-Fetch-Site": "same-origin"}
    stranger = phone.client.application.test_client()

    assert stranger.post("/station/offline/acts", json=document, headers=headers).status_code == 401
    assert stranger.get("/station/offline/day").status_code == 302
    factories.signed_in(stranger, "seller")
    assert stranger.get("/station/offline/day").status_code == 403
    assert phone.client.post("/station/offline/acts", json=document, headers=headers).status_code == 400  # no token
    assert db.session.query(DeskAct).count() == 0
