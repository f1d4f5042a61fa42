"""When a time is over somebody is asked, or told: from the outbox, once, and not where it was settled meanwhile."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from crowdfund.pledges import children, confirming, holding, mishaps, vouchers
from crowdfund.pledges.models import Pledge, Programme, Voucher
from crowdfund.pledges.states import CaseState, DeviceState, PledgeState as P, VoucherState
from marketplace.accounts.models import Person
from marketplace.core import clock, outbox
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.pledges.conftest import World, case_of, device_of, get, post, voucher_of
from tests.pledges.test_handover import hand_over


def work(at: datetime) -> None:
    """What the worker does, at this moment."""
    with time_machine.travel(at, tick=False):
        while outbox.deliver() or outbox.deliver_slow():
            pass


def told(person: Person) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Message.text).where(Message.person_id == person.id).order_by(Message.id)))


def test_a_bank_that_is_silent_for_ten_days_makes_work_for_a_person_and_never_a_delivery(world: World) -> None:
    code = world.pledged()
    began = clock.now()
    work(began + timedelta(days=10, seconds=-5))
    assert (get(code).state, told(world.people["programme"])) == (P.PROVISIONAL, [])

    work(began + timedelta(days=10, seconds=5))
    work(began + timedelta(days=11))
    assert (get(code).state, case_of(code).state) == (P.ON_HOLD, CaseState.HELD)
    assert len(told(world.people["programme"])) == 1 and "银行十天没有回音" in told(world.people["programme"])[0]
    office = world.signed_in("programme")
    assert "银行十天没有回音" in office.get("/programme").text
    path = f"/programme/pledges/{get(code).public_id}/decision"
    post(office, path, {"decision": "go-on", "reason": "等不及了"})
    assert get(code).state is P.ON_HOLD

    with time_machine.travel(began + timedelta(days=12)):
        world.confirm(code, issued_on=clock.local(began).date())
    assert get(code).state is P.ON_HOLD
    post(office, path, {"decision": "go-on", "reason": "银行补了"})
    assert get(code).state is P.CONFIRMED


def test_or_the_person_ends_it_and_the_child_keeps_its_place(world: World) -> None:
    code = world.pledged()
    waited = case_of(code).waiting_since
    work(clock.now() + timedelta(days=10, minutes=1))
    office, path = world.signed_in("programme"), f"/programme/pledges/{get(code).public_id}/decision"
    wrong = post(office, path, {"decision": "end", "reason": " "})
    assert wrong.status_code == 422 and wrong.text.count("写上原因") == 2 and get(code).state is P.ON_HOLD
    post(office, path, {"decision": "end", "reason": "打了三次电话"})
    states = (get(code).state, voucher_of(code).state, case_of(code).state, case_of(code).waiting_since)
    assert states == (P.REVOKED, VoucherState.CLAIMED, CaseState.LISTED, waited)


@pytest.mark.parametrize("meanwhile", ["confirmed", "cancelled"])
def test_what_was_settled_meanwhile_is_nobodys_work(world: World, meanwhile: str) -> None:
    code = world.pledged()
    if meanwhile == "confirmed":
        world.confirm(code)
    else:
        in_transaction(holding.cancel, code=code)
    before = get(code).state
    work(clock.now() + timedelta(days=11))
    assert get(code).state is before and told(world.people["programme"]) == []


def test_what_is_not_fetched_within_its_days_is_followed_up(world: World) -> None:
    code, device = world.at_station()
    last = clock.today() + timedelta(days=30)
    page = world.browser().get(f"/pledges/{code}").text
    assert f"{last.month}月{last.day}日" in page
    over, keeper = clock.start_of(last + timedelta(days=1)), world.people["children"]
    work(over - timedelta(seconds=1))
    assert told(keeper) == []
    work(over)
    work(over + timedelta(days=1))
    assert len(told(keeper)) == 1 and f"/children/{case_of(code).public_id}" in told(keeper)[0]
    desk = world.signed_in("children")
    assert "过期没来拿的" in desk.get("/children").text
    done = db.session.scalars(select(AuditRecord.action).where(AuditRecord.subject.startswith("child_case:")))
    assert list(done).count("device.uncollected") == 1

    hand_over(world, code, device)
    assert "过期没来拿的" not in desk.get("/children").text and get(code).state is P.HANDED_OVER


def test_nobody_is_called_for_a_watch_that_went_another_way(world: World) -> None:
    code, device = world.at_station()
    in_transaction(mishaps.report, device=device, there=DeviceState.LOST, actor="office", reason="x")
    work(clock.now() + timedelta(days=32))
    assert told(world.people["children"]) == [] and get(code).state is P.AT_STATION


@pytest.mark.parametrize("there", ["moved", "ineligible", "duplicate"])
def test_a_child_that_leaves_the_list_stops_its_pledge_and_leaves_nothing_behind(world: World, there: str) -> None:
    code, _device = world.at_station()
    case = case_of(code)
    keeper, path = world.signed_in("children"), f"/children/{case.public_id}"
    assert post(keeper, f"{path}/closing", {"there": "withdrawn", "reason": "x"}).status_code == 422
    wrong = post(keeper, f"{path}/closing", {"there": there, "reason": ""})
    assert wrong.status_code == 422 and "写上原因" in wrong.text and get(code).state is P.AT_STATION
    assert post(world.signed_in("verifier"), f"{path}/closing", {"there": there, "reason": "x"}).status_code == 403

    post(keeper, f"{path}/closing", {"there": there, "reason": "搬走了"})
    post(keeper, f"{path}/closing", {"there": there, "reason": "搬走了"})
    states = (get(code).state, voucher_of(code).state, case_of(code).state.value, device_of(code).state)
    assert states == (P.REASSIGNED, VoucherState.VERIFIED, there, DeviceState.AT_STATION)
    assert keeper.get(path).status_code == 200 and "打开保险柜" not in keeper.get(path).text
    page = world.browser().get(f"/pledges/{code}").text
    assert "你指的孩子不在名单上了" in page and case.alias_zh not in page and "吉县" not in page


def test_a_saver_with_an_account_is_told_at_once_that_the_child_has_changed(world: World) -> None:
    saver = world.signed_in("saver")
    code = world.choose(saver)
    world.declare(saver, code)
    alias = case_of(code).alias_zh
    in_transaction(children.withdraw, officer=world.keeper, case=case_of(code).public_id)
    work(clock.now() + timedelta(seconds=1))
    work(clock.now() + timedelta(days=1))
    message = told(world.people["saver"])
    assert len(message) == 1 and alias in message[0] and f"/pledges/{code}" in message[0]
    assert get(code).state is P.ON_HOLD and "你指的孩子不在名单上了" in saver.get(f"/pledges/{code}").text

    in_transaction(confirming.decide, pledge=get(code).public_id, goes_on=False, actor="office", reason="x")
    again = world.pledged()
    assert get(again).supersedes_id == get(code).id and get(again).case_id != get(code).case_id


def test_a_voucher_counts_to_the_last_second_of_its_last_day(world: World) -> None:
    saver = world.browser()
    code = world.pledged()
    world.confirm(code)
    post(saver, f"/pledges/{code}/cancellation", {})
    last = voucher_of(code).expires_on
    assert last == clock.today() + timedelta(days=60)
    over = clock.start_of(last + timedelta(days=1))
    with time_machine.travel(over - timedelta(seconds=1), tick=False):
        in_transaction(vouchers.expire_due)
        assert voucher_of(code).state is VoucherState.VERIFIED
        choice = world.type_voucher(saver, issued_on=(last - timedelta(days=60)).isoformat())
        assert choice.status_code == 303
    with time_machine.travel(over, tick=False):
        assert world.type_voucher(saver, issued_on=(last - timedelta(days=60)).isoformat()).status_code == 422
        other = world.type_voucher(saver)  # who says that it was issued today is not believed
        assert world.take(saver, other.headers["Location"]).status_code == 409
        assert voucher_of(code).state is VoucherState.VERIFIED
        in_transaction(vouchers.expire_due)
        assert voucher_of(code).state is VoucherState.EXPIRED
        assert world.take(saver, other.headers["Location"]).status_code == 409


def test_what_was_chosen_within_the_window_is_not_expired(world: World) -> None:
    code, _device = world.at_station()
    with time_machine.travel(clock.now() + timedelta(days=62)):
        in_transaction(vouchers.expire_due)
    assert voucher_of(code).state is VoucherState.VERIFIED and get(code).state is P.AT_STATION


def test_a_deposit_that_is_too_small_for_the_programme_is_not_taken_again(world: World) -> None:
    code = world.pledged()
    world.confirm(code, band="10k")
    in_transaction(holding.cancel, code=code)
    db.session.execute(update(Programme).values(minimum_band="50k"))
    db.session.commit()
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    assert world.take(saver, choice).status_code == 409
    assert voucher_of(code).state is VoucherState.VERIFIED


def test_a_programme_that_closed_between_card_and_press_takes_no_more(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    yesterday = clock.today() - timedelta(days=1)
    db.session.execute(update(Programme).values(closes_on=yesterday))
    db.session.commit()
    answer = world.take(saver, choice)
    assert answer.status_code == 409 and "没有开着的" in answer.text
    assert db.session.scalars(select(Pledge.id)).all() == [] == db.session.scalars(select(Voucher.id)).all()
