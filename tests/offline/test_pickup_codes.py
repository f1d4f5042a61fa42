"""Codes that a phone can check: proved by the key of their station and day, good once, and those of before stay good."""

import hashlib
import hmac
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.models import Parcel
from marketplace.orders.offline import pickup_keys
from marketplace.orders.offline.models import PickupNumber
from marketplace.orders.states import ParcelState as S
from tests import factories
from tests.offline.conftest import TO_THE_SHELF, MakePhone, make_parcel, make_places, state_of

DAY = date(2026, 11, 26)


def hand_over(parcel: Parcel, code: str) -> None:
    given = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": "person:0"}
    in_transaction(fulfilment.hand_over, code=code, **given)


def test_a_key_is_what_rfc_5869_derives(app: Flask) -> None:
    secret = app.extensions["settings"].fingerprint_key.reveal().encode()
    extracted = hmac.new(b"pavilion desk", secret, hashlib.sha256).digest()
    expanded = hmac.new(extracted, b"pickup\x00141028\x002026-11-26\x01", hashlib.sha256).digest()

    assert pickup_keys.key_of("141028", DAY) == expanded
    others = {pickup_keys.key_of("141028", DAY + timedelta(days=1)), pickup_keys.key_of("140430", DAY)}
    assert expanded not in others and len(others) == 2


def test_the_proof_is_six_digits_of_the_mac() -> None:
    assert pickup_keys.proof(bytes(32), "482") == "139900"
    assert pickup_keys.proof(bytes(32), "483") != pickup_keys.proof(bytes(32), "482")


def test_a_shelved_parcel_gets_a_code_that_its_days_key_proves(app: Flask, session: Session) -> None:
    make_places()
    with time_machine.travel("2026-11-26 04:00:00+00:00", tick=False):
        parcel = make_parcel(*TO_THE_SHELF)

    code = parcel.pickup_code or ""
    assert len(code) == 9 and code.isdecimal()
    assert pickup_keys.day_of(session, parcel) == DAY
    assert pickup_keys.is_proved(parcel.station_code, DAY, code)
    assert not pickup_keys.is_proved(parcel.station_code, DAY + timedelta(days=1), code)
    assert not pickup_keys.is_proved("140430", DAY, code)
    wrong = f"{code[:8]}{(int(code[8]) + 1) % 10}"
    with pytest.raises(fulfilment.WrongPickupCode):
        hand_over(parcel, wrong)
    assert state_of(parcel) is S.READY_FOR_PICKUP
    hand_over(parcel, code)
    assert state_of(parcel) is S.PICKED_UP


def test_a_code_of_before_stays_good(app: Flask, session: Session) -> None:
    make_places()
    parcel = make_parcel(*TO_THE_SHELF)
    session.query(PickupNumber).delete()
    parcel.pickup_code = "042917"
    session.commit()

    hand_over(parcel, "042917")

    assert state_of(parcel) is S.PICKED_UP


def test_numbers_are_given_once_a_day_and_then_codes_are_drawn_by_lot(app: Flask, session: Session) -> None:
    make_places()
    parcels = [make_parcel(*TO_THE_SHELF[:-1]) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marketplace.core.ids.digits", lambda length: "7" * length)
        first, second = (in_transaction(pickup_keys.new_code, parcel) for parcel in parcels)

    assert first.startswith("777") and len(first) == 9
    assert second == "777777"
    numbers = [(row.station_code, row.day, row.number) for row in session.query(PickupNumber)]
    assert numbers == [(parcels[0].station_code, clock.today(), "777")]


def test_the_desk_takes_a_code_as_it_is_read_aloud(make_phone: MakePhone) -> None:
    client = make_phone().client
    parcel = make_parcel(*TO_THE_SHELF)
    token = client.get("/station/offline/day").json["token"]  # type: ignore[index]
    shown = pickup_keys.in_groups(parcel.pickup_code)
    assert len(shown) == 11

    path = f"/station/parcels/{parcel.public_id}/pickup"
    answer = client.post(path, data={"code": shown, "csrf_token": token}, headers={"Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 303
    assert state_of(parcel) is S.PICKED_UP


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345678", "1234567890", "12345a", ""])
def test_what_can_be_no_code_is_said_by_the_field(make_phone: MakePhone, typed: str) -> None:
    client = make_phone().client
    parcel = make_parcel(*TO_THE_SHELF)
    token = client.get("/station/offline/day").json["token"]  # type: ignore[index]

    path = f"/station/parcels/{parcel.public_id}/pickup"
    answer = client.post(path, data={"code": typed, "csrf_token": token}, headers={"Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 422
    assert ("取货码是九位数字" if typed else "填上取货码") in answer.text
    assert state_of(parcel) is S.READY_FOR_PICKUP


def test_another_station_has_its_own_numbers(app: Flask, session: Session) -> None:
    make_places()
    factories.make_station("140430", county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    here, there = make_parcel(*TO_THE_SHELF[:-1]), make_parcel(*TO_THE_SHELF[:-1], station="140430")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marketplace.core.ids.digits", lambda length: "7" * length)
        codes = {in_transaction(pickup_keys.new_code, parcel) for parcel in (here, there)}

    assert {code[:3] for code in codes} == {"777"} and len(codes) == 2
