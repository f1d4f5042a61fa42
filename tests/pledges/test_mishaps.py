"""Watches that are lost, faulty or given back: the child gets another, the books follow, and so does the partner's debt."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from crowdfund.pledges import children, devices, handover, mishaps
from crowdfund.pledges.models import Assignment, Device
from crowdfund.pledges.refusals import NoDevice, WrongStation
from crowdfund.pledges.states import CaseState, DeviceState as D, PledgeState as P
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition
from tests.pledges.conftest import JIXIAN, QINXIAN, World, case_of, get, make_case, post
from tests.pledges.test_handover import hand_over
from tests.pledges.test_story import piece_at


def report(device: str, there: D = D.FAULTY) -> None:
    in_transaction(mishaps.report, device=device, there=there, actor="office", reason="x")


def assign(code: str) -> str:
    return in_transaction(devices.assign, pledge=get(code).public_id, actor="office")


def bring(code: str, device: str) -> None:
    in_transaction(devices.send, device=device, actor="office")
    in_transaction(devices.arrive, device=device, station=case_of(code).station_code, actor="clerk")


def state(device: str) -> D:
    db.session.rollback()
    return db.session.scalars(select(Device.state).where(Device.public_id == device)).one()


def places() -> dict[str, int]:
    """Pieces by place; the world begins with six in the warehouse and fourteen owed."""
    kinds = {"warehouse": "", "in_transit": JIXIAN, "station": JIXIAN, "delivered": JIXIAN, "lost": "", "faulty": ""}
    return {kind: count for kind, owner in kinds.items() if (count := piece_at(f"device_{kind}", owner))}


def on_its_way(world: World) -> tuple[str, str]:
    code = world.pledged()
    world.confirm(code)
    device = assign(code)
    in_transaction(devices.send, device=device, actor="office")
    return code, device


def test_what_is_lost_on_its_way_is_replaced_for_the_same_child(world: World) -> None:
    code, lost = on_its_way(world)
    child = case_of(code).id
    report(lost, D.LOST)
    assert (state(lost), get(code).state, case_of(code).state) == (D.LOST, P.ALLOCATED, CaseState.MATCHED)
    assert places() == {"warehouse": 5, "lost": 1}
    assert "要换一只" in world.browser().get(f"/pledges/{code}").text

    office = world.signed_in("programme")
    assert "顶替丢了或坏了的那只" in office.get("/programme").text
    post(office, f"/programme/pledges/{get(code).public_id}/assignment", {})
    second = db.session.scalars(select(Device.public_id).join(Assignment).where(Assignment.released_at.is_(None))).one()
    assert second != lost
    bring(code, second)
    hand_over(world, code, second)
    assert (get(code).state, case_of(code).id, case_of(code).state) == (P.HANDED_OVER, child, CaseState.DELIVERED)
    assert places() == {"warehouse": 4, "lost": 1, "delivered": 1}
    with pytest.raises(IllegalTransition):
        assign(code)


def test_what_is_faulty_at_the_station_is_replaced_and_its_code_is_void(world: World) -> None:
    code, device = world.at_station()
    guardian = world.code_for_guardian(code)
    clerk = world.signed_in("clerk")
    report_it = {"there": "faulty", "reason": "屏幕不亮"}
    assert post(clerk, f"/station/devices/{device}/reports", report_it | {"reason": " "}).status_code == 422
    assert state(device) is D.AT_STATION
    assert post(clerk, f"/station/devices/{device}/reports", report_it).status_code == 303
    assert (state(device), get(code).state, case_of(code).state) == (D.FAULTY, P.AT_STATION, CaseState.READY)
    assert places() == {"warehouse": 5, "faulty": 1}
    with pytest.raises(IllegalTransition):
        world.code_for_guardian(code)

    bring(code, second := assign(code))
    assert get(code).state is P.AT_STATION and "到了县站" in world.browser().get(f"/pledges/{code}").text
    digits = {"witness_digits": world.witness_digits("manager"), "witness": world.people["manager"].public_id}
    old_code = post(clerk, f"/station/devices/{second}/handover", digits | {"code": guardian, "recipient": "mother"})
    assert old_code.status_code == 422
    hand_over(world, code, second)
    assert get(code).state is P.HANDED_OVER


@pytest.mark.parametrize("called", [False, True])
def test_what_breaks_within_seven_days_is_replaced(world: World, called: bool) -> None:
    code, device = world.at_station()
    hand_over(world, code, device)
    if called:
        in_transaction(handover.confirm_first_call, officer=world.keeper, case=case_of(code).public_id)
    before = (get(code).state, case_of(code).state)
    evening = clock.start_of(clock.today() + timedelta(days=8)) - timedelta(seconds=1)
    with time_machine.travel(evening, tick=False):
        report(device)
        assert "要换一只" in world.browser().get(f"/pledges/{code}").text
        if not called:
            with pytest.raises(IllegalTransition):
                in_transaction(handover.confirm_first_call, officer=world.keeper, case=case_of(code).public_id)
        bring(code, second := assign(code))
        hand_over(world, code, second)
    assert (get(code).state, case_of(code).state) == before
    assert places() == {"warehouse": 4, "faulty": 1, "delivered": 1}
    if not called:
        in_transaction(handover.confirm_first_call, officer=world.keeper, case=case_of(code).public_id)
    assert get(code).state is P.VERIFIED


def test_what_breaks_on_the_eighth_day_is_for_its_maker(world: World) -> None:
    code, device = world.at_station()
    hand_over(world, code, device)
    with time_machine.travel(clock.start_of(clock.today() + timedelta(days=8)), tick=False):
        report(device)
    assert state(device) is D.FAULTY
    with pytest.raises(IllegalTransition):
        assign(code)


def test_the_partner_owes_what_it_takes_back(world: World) -> None:
    device = db.session.scalars(select(Device).where(Device.state == D.CHECKED).limit(1)).one()
    number = device.public_id
    assert "<dt>还欠</dt><dd><strong>14</strong></dd>" in world.browser().get("/pledges").text
    office = world.signed_in("programme")
    post(office, f"/programme/devices/{number}/reports", {"there": "faulty", "reason": "开不了机"})
    page = office.get(f"/programme/devices/{number}").text
    assert "开不了机" in page
    post(office, f"/programme/devices/{number}/replacement", {})
    post(office, f"/programme/devices/{number}/replacement", {})
    assert state(number) is D.REPLACED and places() == {"warehouse": 5}
    assert "<dt>还欠</dt><dd><strong>15</strong></dd>" in world.browser().get("/pledges").text


def test_a_number_is_never_used_again_not_even_after_a_replacement(world: World) -> None:
    device = db.session.scalars(select(Device).limit(1)).one()
    again = Device(imei=device.imei, iccid="8986-new", model_code="watch-a1", agreement_id=device.agreement_id, lot="2")
    report(device.public_id)
    in_transaction(mishaps.send_back, device=device.public_id, actor="office")
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.add(again)


def test_what_is_given_back_goes_on_with_proof_of_wiping_only(world: World) -> None:
    code, device = world.at_station()
    hand_over(world, code, device)
    office = world.signed_in("programme")
    assert post(office, f"/programme/devices/{device}/return", {"reason": ""}).status_code == 422
    post(office, f"/programme/devices/{device}/return", {"reason": "不用了"})
    assert state(device) is D.RETURNED and places() == {"warehouse": 6}
    assert (get(code).state, case_of(code).state) == (P.HANDED_OVER, CaseState.DELIVERED)
    silent = update(Device).where(Device.public_id == device).values(state=D.CHECKED)
    with pytest.raises(DBAPIError, match="wiped"), db.session.begin_nested():
        db.session.execute(silent)
    assert post(office, f"/programme/devices/{device}/wiping", {"proof": "　"}).status_code == 422
    assert state(device) is D.RETURNED
    post(office, f"/programme/devices/{device}/wiping", {"proof": "清除单 20261125-3"})
    assert state(device) is D.CHECKED
    with pytest.raises(IllegalTransition):
        assign(code)

    second = world.pledged("QQ2026000002")
    world.confirm(second)
    assert assign(second) == device
    bring(second, device)
    hand_over(world, second, device)
    assert places() == {"warehouse": 5, "delivered": 1}


def test_a_station_speaks_of_its_own_devices_only(world: World) -> None:
    code, device = world.at_station()
    with pytest.raises(WrongStation):
        in_transaction(mishaps.report, device=device, there=D.LOST, actor="x", reason="x", station=QINXIAN)
    elsewhere = world.signed_in("elsewhere")
    assert post(elsewhere, f"/station/devices/{device}/reports", {"there": "lost", "reason": "x"}).status_code == 409
    assert post(world.signed_in("saver"), f"/programme/devices/{device}/reports", {}).status_code == 403
    assert (state(device), get(code).state) == (D.AT_STATION, P.AT_STATION)


@pytest.mark.parametrize("there", ["handed_over", "returned", "", "rubbish"])
def test_rubbish_is_no_mishap(world: World, there: str) -> None:
    _code, device = world.at_station()
    office = world.signed_in("programme")
    answer = post(office, f"/programme/devices/{device}/reports", {"there": there, "reason": "屏幕碎了"})
    assert answer.status_code == 422 and "屏幕碎了" in answer.text and state(device) is D.AT_STATION


def test_what_is_handed_over_cannot_be_lost(world: World) -> None:
    code, device = world.at_station()
    desks = {"programme": f"/programme/devices/{device}", "clerk": f"/station/devices/{device}"}
    clients = {name: world.signed_in(name) for name in desks}
    assert all('value="lost"' in clients[name].get(path).text for name, path in desks.items())
    hand_over(world, code, device)
    for name, path in desks.items():
        page = clients[name].get(path).text
        assert 'value="faulty"' in page and 'value="lost"' not in page
    with pytest.raises(IllegalTransition):
        report(device, D.LOST)
    assert places() == {"warehouse": 5, "delivered": 1}


@pytest.mark.parametrize("arrives", ["before", "after", "meanwhile"])
def test_a_device_whose_child_left_goes_to_the_next_child_of_the_station(world: World, arrives: str) -> None:
    code, device = on_its_way(world)
    there = {"device": device, "station": JIXIAN, "actor": "clerk"}
    if arrives == "before":
        in_transaction(devices.arrive, **there)
    in_transaction(children.withdraw, officer=world.keeper, case=case_of(code).public_id)
    assert get(code).state is P.REASSIGNED
    clerk = world.signed_in("clerk")
    assert "还没有指给谁" in clerk.get(f"/station/devices/{device}").text
    if arrives == "after":
        in_transaction(devices.arrive, **there)

    second = world.pledged("QQ2026000002")
    world.confirm(second)
    assert assign(second) == device
    if arrives == "meanwhile":
        assert get(second).state is P.ALLOCATED
        in_transaction(devices.arrive, **there)
    assert (state(device), get(second).state, case_of(second).state) == (D.AT_STATION, P.AT_STATION, CaseState.READY)
    assert places() == {"warehouse": 5, "station": 1}
    hand_over(world, second, device)


def test_it_does_not_go_to_a_child_of_another_station(world: World) -> None:
    code, device = world.at_station()
    in_transaction(children.withdraw, officer=world.keeper, case=case_of(code).public_id)
    for number in range(200, 206):
        make_case(world, number, county=QINXIAN)
    second = world.pledged("QQ2026000002", wish=QINXIAN)
    world.confirm(second)
    assert case_of(second).station_code == QINXIAN and assign(second) != device


def test_without_a_free_device_nothing_is_promised(world: World) -> None:
    code, device = on_its_way(world)
    db.session.execute(update(Device).where(Device.state == D.CHECKED).values(state=D.LOST))
    db.session.commit()
    report(device, D.LOST)
    with pytest.raises(NoDevice):
        assign(code)
    assert get(code).state is P.ALLOCATED


def test_the_office_finds_a_device_by_its_number_however_it_is_typed(world: World) -> None:
    device = db.session.scalars(select(Device).limit(1)).one()
    office = world.signed_in("programme")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in device.imei)
    assert office.get(f"/programme/devices?code={wide}").headers["Location"] == f"/programme/devices/{device.public_id}"
    unknown = office.get("/programme/devices?code=1")
    assert unknown.status_code == 404 and "没有这个号的手表" in unknown.text
    assert office.get("/programme/devices").status_code == 200
    assert office.get("/programme/devices/nothing").status_code == 404
