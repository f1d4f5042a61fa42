"""At the station: two people, the guardian's code, the right device; and nothing happens when one of them is wrong."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from crowdfund.pledges import handover
from crowdfund.pledges.models import Device, Handover
from crowdfund.pledges.refusals import TookPart, VerifierHandsOver
from crowdfund.pledges.states import DeviceState, PledgeState
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.pledges.conftest import JIXIAN, World, case_of, device_of, get, post


def hand_over(world: World, code: str, device: str, **changes: Any) -> None:
    given: dict[str, Any] = {"clerk_id": world.people["clerk"].id, "actor": "clerk", "station": JIXIAN}
    given |= {"witness": world.people["manager"].public_id, "recipient": "mother"}
    guardian = world.code_for_guardian(code)
    given |= {"code": guardian, "witness_digits": world.witness_digits("manager")}
    in_transaction(handover.hand_over, device=device, **given | changes)


def form(world: World, guardian: str, **changes: str) -> dict[str, str]:
    known = {"code": guardian, "recipient": "mother", "witness": world.people["manager"].public_id}
    return known | {"witness_digits": world.witness_digits("manager")} | changes


def try_it(world: World, device: str, data: dict[str, str], who: str = "clerk") -> TestResponse:
    return post(world.signed_in(who), f"/station/devices/{device}/handover", data)


def nothing_happened(code: str) -> bool:
    handed = db.session.scalar(select(func.count()).select_from(Handover))
    return (get(code).state, device_of(code).state, handed) == (PledgeState.AT_STATION, DeviceState.AT_STATION, 0)


def test_the_clerk_is_no_witness_to_themselves(world: World) -> None:
    code, device = world.at_station()
    data = form(world, world.code_for_guardian(code), witness=world.people["clerk"].public_id)

    answer = try_it(world, device, data | {"witness_digits": world.witness_digits("clerk")})

    assert answer.status_code == 422 and "站员和见证人要是两个人" in answer.text
    assert data["code"] in answer.text and nothing_happened(code)


def test_a_code_may_be_typed_as_it_was_read_aloud(world: World) -> None:
    code, device = world.at_station()
    guardian = world.code_for_guardian(code)
    data = form(world, f"{guardian[:3]} {guardian[3:]}")
    page = world.signed_in("clerk").get(f"/station/devices/{device}").text
    room = [int(found) for found in re.findall(r'maxlength="(\d+)" name="(?:code|witness_digits)"', page)]
    assert len(room) == 2 and min(room) > len("200 798")
    digits = data["witness_digits"]
    short = try_it(world, device, data | {"code": guardian[:5], "witness_digits": digits[:5]})
    assert "监护人的验证码是六位数字。" in short.text and "验证器上是六位数字。" in short.text

    answer = try_it(world, device, data | {"witness_digits": f"{digits[:3]}-{digits[3:]}"})

    assert answer.status_code == 303 and get(code).state is PledgeState.HANDED_OVER


def test_the_database_itself_wants_two_people(world: World) -> None:
    code, device = world.at_station()
    row = {"case_id": case_of(code).id, "verifier_id": world.verifier.person_id, "recipient": "mother", "method": "code"}
    clerk = world.people["clerk"].id
    hand_over(world, code, device)
    done = db.session.scalars(select(Handover)).one()
    for clerk_id, witness_id in ((clerk, clerk), (world.verifier.person_id, clerk), (clerk, world.people["manager"].id)):
        twice = Handover(assignment_id=done.assignment_id, clerk_id=clerk_id, witness_id=witness_id, is_final=True, **row)
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.add(twice)


@pytest.mark.parametrize("witness", ["elsewhere", "saver", "nobody"])
def test_a_witness_works_at_this_station(world: World, witness: str) -> None:
    code, device = world.at_station()
    who = world.people[witness].public_id if witness in world.people else "nobody"

    answer = try_it(world, device, form(world, world.code_for_guardian(code), witness=who))

    assert answer.status_code == 422 and nothing_happened(code)


def test_the_witness_must_be_there(world: World) -> None:
    code, device = world.at_station()

    answer = try_it(world, device, form(world, world.code_for_guardian(code), witness_digits="000000"))

    assert answer.status_code == 422 and "见证人自己的验证码不对" in answer.text and nothing_happened(code)


def test_the_guardians_code_is_good_once_and_for_a_week(world: World) -> None:
    code, device = world.at_station()
    first = world.code_for_guardian(code)
    second = world.code_for_guardian(code)
    if first != second:
        assert try_it(world, device, form(world, first)).status_code == 422
    assert try_it(world, device, form(world, "12345")).status_code == 422
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert try_it(world, device, form(world, second)).status_code == 422
    assert nothing_happened(code)
    assert try_it(world, device, form(world, second)).status_code == 303
    assert get(code).state is PledgeState.HANDED_OVER
    try_it(world, device, form(world, second))
    assert db.session.scalar(select(func.count()).select_from(Handover)) == 1


def test_at_the_wrong_station_nothing_is_received_or_handed_over(world: World) -> None:
    code, device = world.at_station()
    elsewhere = world.signed_in("elsewhere")

    scanned = elsewhere.get(f"/station/devices?code={device_of(code).imei}")
    assert scanned.status_code == 404 and "不是发给你们站的" in scanned.text
    assert elsewhere.get(f"/station/devices/{device}").status_code == 404
    assert post(elsewhere, f"/station/devices/{device}/receipt", {}).status_code == 409
    answer = try_it(world, device, form(world, world.code_for_guardian(code)), who="elsewhere")
    assert answer.status_code in {404, 409} and nothing_happened(code)


def test_whoever_verified_the_case_takes_no_part(world: World) -> None:
    code, device = world.at_station()
    verifier = world.people["verifier"]
    grant = {"role": "station_clerk", "scope_kind": "station", "scope_id": JIXIAN}
    in_transaction(people.grant, person_id=verifier.id, actor="test", **grant)

    with pytest.raises(VerifierHandsOver):
        hand_over(world, code, device, clerk_id=verifier.id)
    assert nothing_happened(code)


def test_whoever_handed_it_over_does_not_confirm_the_call(world: World) -> None:
    code, device = world.at_station()
    hand_over(world, code, device)
    clerk = world.people["clerk"]
    same = world.keeper.__class__(clerk.id, "clerk", frozenset({"children_officer"}), frozenset(), reaches_all=True)

    with pytest.raises(TookPart):
        in_transaction(handover.confirm_first_call, officer=same, case=case_of(code).public_id)
    assert get(code).state is PledgeState.HANDED_OVER


def test_an_unknown_imei_is_no_device(world: World) -> None:
    clerk = world.signed_in("clerk")
    assert "没有这个号的手表" in clerk.get("/station/devices?code=359999000580002").text
    assert "没有这个号的手表" in clerk.get("/station/devices?code=rubbish").text


@pytest.mark.parametrize("number", ["359999000580002", "35999900058000", "3599990005800010"])
def test_the_database_refuses_an_imei_without_its_check_digit(world: World, number: str) -> None:
    known = db.session.scalars(select(Device).limit(1)).one()
    wrong = Device(imei=number, iccid="8986x", model_code="watch-a1", agreement_id=known.agreement_id, lot="1")
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.add(wrong)
