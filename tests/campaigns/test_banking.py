"""Cash out of the drawer into the bank: by two people, to the fen, and only then to be spent."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.banking import depositing
from crowdfund.campaigns.banking.models import CashDeposit, DepositedGift
from crowdfund.campaigns.banking.states import DepositState as S
from crowdfund.campaigns.cash import drawers, giving_back
from crowdfund.campaigns.disbursing import Bill, NotEnough
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.notifications.models import Message
from marketplace.orders.closing import drawer as drawer_of_station, ending
from tests.auditing.naming import named
from tests.campaigns.conftest import STATION, Fund, fund, get, hidden, post
from tests.campaigns.test_cash import back, drawer, take
from tests.campaigns.test_receiving import differences
from tests.factories import make_person, make_station, sign_in_as

__all__ = ["fund"]


def clerk() -> int:
    return make_person("station_clerk", station=STATION).id


def pay_in(fen: int, slip: str = "S1", person: int = 0, days_ago: int = 0) -> str:
    day = clock.today() - timedelta(days=days_ago)
    told: dict[str, Any] = {"slip_number": slip, "paid_on": day, "clerk_id": person or clerk()}
    return in_transaction(depositing.pay_in, station=STATION, fen=fen, **told)


def confirm(deposit: str, fen: int, why: str = "", person: int = 0) -> S:
    finance = person or make_person("finance_operator").id
    return in_transaction(depositing.confirm, deposit=deposit, found_fen=fen, why=why, person_id=finance)


def balances() -> tuple[int, int, int]:
    """(in the drawer, on its way, at the bank)"""
    db.session.rollback()
    session = db.session()
    accounts = (("cash_desk", STATION), ("cash_in_transit", STATION), ("bank_account", ""))
    return tuple(books.balance(session, kind, owner, book="test") for kind, owner in accounts)  # type: ignore[return-value]


def free(campaign: str) -> int:
    row = get(campaign)
    session = db.session()
    return disbursing.free_fen(session, row, "test") - drawers.of_campaign(session, row.id, book="test")


def test_it_is_spent_only_once_another_person_has_found_it(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 5000), take(campaign, 300)
    person = clerk()
    deposit = pay_in(5300, person=person)
    assert (balances(), free(campaign), fund.balance(campaign)) == ((0, 5300, 0), 0, 5300)
    with pytest.raises(depositing.SamePerson):
        confirm(deposit, 5300, person=person)
    assert confirm(deposit, 5300) is S.CONFIRMED
    assert (balances(), free(campaign)) == ((0, 0, 5300), 5300)
    with pytest.raises(IllegalTransition):
        confirm(deposit, 5300)
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")
    told: dict[str, Any] = {"campaign": campaign, "budget_line": 1, "requester_id": fund.officer.id}
    with pytest.raises(NotEnough):
        in_transaction(disbursing.request, bill=Bill(Money(5301), "书", "店", "9114", "INV-0"), **told)
    bill = Bill(Money(5300), "书", "新华书店", "9114000011112222XX", "INV-1")
    assert in_transaction(disbursing.request, bill=bill, **told)
    assert differences(fund) == [] and named(db.engine, fund.cashier.storage) == set()


def test_a_slip_is_no_older_than_the_cash(fund: Fund) -> None:
    campaign = fund.open()
    with time_machine.travel(clock.now() - timedelta(days=2), tick=False):
        take(campaign, 5000)
    with pytest.raises(depositing.SlipTooOld):
        pay_in(5000, days_ago=3)
    assert balances() == (5000, 0, 0) and db.session.scalar(select(CashDeposit.id)) is None
    pay_in(5000, days_ago=2)
    assert balances() == (0, 5000, 0)


def test_another_sum_is_named_and_stays_unspendable(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 5000)
    with pytest.raises(depositing.OtherSum) as refused:
        pay_in(4900)
    assert "¥50.00" in str(refused.value.message) and "¥49.00" in str(refused.value.message)
    assert balances() == (5000, 0, 0)
    deposit = pay_in(5000)
    with pytest.raises(depositing.NoReason):
        confirm(deposit, 4900)
    assert confirm(deposit, 4900, "柜台点钞少一百分") is S.DIFFERS
    with pytest.raises(StaleState):
        confirm(deposit, 4900, "还是少")
    assert (balances(), free(campaign)) == ((0, 5000, 0), 0)
    assert confirm(deposit, 5000) is S.CONFIRMED  # the rest was brought
    assert (balances(), free(campaign), differences(fund)) == ((0, 0, 5000), 5000, [])


def test_a_mistake_is_withdrawn_and_the_cash_lies_there_again(fund: Fund) -> None:
    campaign = fund.open()
    gift = take(campaign, 700)
    deposit = pay_in(700)
    with pytest.raises(giving_back.AtTheBank):
        back(gift)
    with pytest.raises(depositing.NothingThere):
        pay_in(700, "S2")
    take(campaign, 1)
    with pytest.raises(depositing.SlipUsed):
        pay_in(1)
    with pytest.raises(NotFound):
        in_transaction(depositing.withdraw, deposit=deposit, station="140430", person_id=clerk())
    in_transaction(depositing.withdraw, deposit=deposit, station=STATION, person_id=clerk())
    assert balances() == (701, 0, 0)
    pay_in(701)  # with the slip of before
    assert (balances(), free(campaign), differences(fund)) == ((0, 701, 0), 0, [])
    confirmed = db.session.scalars(select(CashDeposit.public_id).where(CashDeposit.state == "paid_in")).one()
    confirm(confirmed, 701)
    with pytest.raises(IllegalTransition):
        in_transaction(depositing.withdraw, deposit=confirmed, station=STATION, person_id=clerk())


def test_called_off_the_bank_sends_it_back_to_the_drawer(fund: Fund) -> None:
    campaign = fund.open()
    gift = take(campaign, 900, contact="13835172045")
    confirm(pay_in(900), 900)
    finance, person = make_person("finance_operator").id, clerk()
    with pytest.raises(NotFound):
        in_transaction(depositing.draw, gift=gift, number="B1", person_id=finance)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="学校停办")
    fund.work()
    (told,) = letters()
    assert "你的 ¥9.00 现金已存进银行" in told and "钱到了再告诉你" in told
    with pytest.raises(giving_back.AtTheBank):
        back(gift)
    with pytest.raises(NotFound):
        in_transaction(depositing.arrive, gift=gift, station=STATION, person_id=person)
    in_transaction(depositing.draw, gift=gift, number="B1", person_id=finance)
    with pytest.raises(depositing.SamePerson):
        in_transaction(depositing.arrive, gift=gift, station=STATION, person_id=finance)
    in_transaction(depositing.arrive, gift=gift, station=STATION, person_id=person)
    with pytest.raises(StaleState):
        in_transaction(depositing.arrive, gift=gift, station=STATION, person_id=person)
    assert balances() == (900, 0, 0)
    fund.work()
    assert ["等你来取" in each for each in letters()] == [False, True]
    back(gift)
    assert (balances(), fund.balance(campaign), differences(fund)) == ((0, 0, 0), 0, [])


def test_called_off_what_was_not_paid_in_after_all_waits_at_the_counter(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 700, contact="13835172045")
    deposit = pay_in(700)
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="学校停办")
    fund.work()
    in_transaction(depositing.withdraw, deposit=deposit, station=STATION, person_id=clerk())
    fund.work()
    assert ["等你来取" in each for each in letters()] == [False, True]


def letters() -> list[str]:
    db.session.rollback()
    told = Message.fact.like("gift_returned:%") | Message.fact.like("gift_at_the_bank:%")
    return list(db.session.scalars(select(Message.text).where(told).order_by(Message.id)))


def test_closing_counts_what_is_left_and_tells_what_was_taken(fund: Fund) -> None:
    take(fund.open(), 5000)
    pay_in(5000)
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False):
        day = in_transaction(ending.close, station=STATION, book="test", actor="person:1", counted_fen=0)
    count = drawer_of_station.count_of(db.session(), STATION, "test", day)
    assert count and (count.ledger_fen, count.counted_fen) == (0, 0)
    assert [closed.cash_fen for closed in ending.closed(db.session(), STATION, "test")] == [5000]
    assert differences(fund) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["take", "pay", "confirm", "differ", "withdraw"]), min_size=3, max_size=10))
def test_whatever_happens_the_three_places_hold_the_gifts(own_fund: Fund, steps: list[str]) -> None:
    campaign, person, finance = own_fund.open(), clerk(), make_person("finance_operator").id
    taken, begun = 0, balances()
    for step in steps:
        db.session.rollback()
        waiting = db.session.scalars(select(CashDeposit).where(CashDeposit.state.in_(("paid_in", "differs")))).first()
        if step == "take":
            take(campaign, 100 + taken)
            taken += 100 + taken
        elif step == "pay" and balances()[0]:
            pay_in(balances()[0], ids.public_id(), person)
        elif waiting and step == "confirm":
            confirm(waiting.public_id, waiting.fen, person=finance)
        elif waiting and step == "differ" and waiting.state is S.PAID_IN:
            confirm(waiting.public_id, waiting.fen + 1, "x", person=finance)
        elif waiting and step == "withdraw":
            in_transaction(depositing.withdraw, deposit=waiting.public_id, station=STATION, person_id=person)
        assert sum(balances()) == sum(begun) + taken == sum(begun) + own_fund.balance(campaign)
        assert 0 <= free(campaign) <= balances()[2]
    assert named(db.engine, own_fund.cashier.storage) == set()


def test_both_desks(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 5000)
    station, province = fund.browser(), fund.browser()
    sign_in_as(station, make_person("station_clerk", station=STATION))
    sign_in_as(province, make_person("finance_operator"))
    here, there = "/station/cash-gifts/deposits", "/operator/cash-deposits"
    page = station.get(here)
    assert "抽屉里有 1 笔捐款，共 ¥50.00" in page.text
    typed = {"idempotency_key": hidden(page, "idempotency_key"), "slip_number": "s-7", "paid_on": f"{clock.today()}"}
    wrong = post(station, here, typed | {"amount": "49"})
    assert wrong.status_code == 422 and "一分不差地全部存入" in wrong.text and 'value="s-7"' in wrong.text
    late = post(station, here, typed | {"amount": "50", "paid_on": "2999-01-01"})
    assert late.status_code == 422 and drawer() == 5000
    for _twice in range(2):
        assert post(station, here, typed | {"amount": "50"}).status_code == 303
    deposit = db.session.scalars(select(CashDeposit)).one()
    assert "S-7" in station.get(here).text and "S-7" in province.get(there).text
    place, prefix = f"{there}/{deposit.public_id}/confirmation", deposit.public_id
    differs = post(province, place, {f"{prefix}-found": "49"})
    assert differs.status_code == 422 and "银行的金额不一样" in differs.text and 'value="49"' in differs.text
    post(province, place, {f"{prefix}-found": "49", f"{prefix}-why": "少一元"})
    assert "银行记录为 ¥49.00：少一元" in station.get(here).text
    post(province, place, {f"{prefix}-found": "50"})
    assert balances() == (0, 0, 5000) and "已在银行" in station.get("/station/cash-gifts").text
    operator = fund.browser()
    sign_in_as(operator, make_person("operator"))
    assert operator.get(there).status_code == 200 and "银行对账单金额" not in operator.get(there).text
    assert post(operator, place, {f"{prefix}-found": "50"}).status_code == 403
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="学校停办")
    gift = db.session.scalars(select(DepositedGift.gift)).one()
    post(province, f"{there}/gifts/{gift}/drawing", {f"{gift}-number": "b9"})
    assert "B9" in station.get(here).text
    assert "省里会先转回" in station.get(f"/station/cash-gifts/{gift}").text
    post(station, f"/station/cash-gifts/{gift}/arrival", {})
    assert balances() == (5000, 0, 0) and "省里会先转回" not in station.get(f"/station/cash-gifts/{gift}").text


TAMPERING = {
    "deposits are their gifts": "UPDATE deposited_gift SET stands = FALSE",
    "cash on its way was paid in": "UPDATE cash_deposit SET station_code = '140430' WHERE state = 'paid_in'",
    "cash in the bank was found there": "UPDATE ledger_account SET kind = 'bank_fees' WHERE kind = 'bank_account'",
}


def test_whatever_was_tampered_with_is_named(fund: Fund) -> None:
    make_station("140430")
    campaign = fund.open()
    take(campaign, 5000)
    confirm(pay_in(5000), 5000)
    take(campaign, 100)
    pay_in(100, "S2")
    db.session.remove()
    cashier = fund.cashier.storage
    assert named(db.engine, cashier) == set()
    found = {check: named(db.engine, cashier, ours=sql) for check, sql in TAMPERING.items()}
    assert {check: names for check, names in found.items() if check not in names} == {}
    with pytest.raises(IntegrityError, match="two_people"), db.engine.begin() as connection:
        connection.execute(text("UPDATE cash_deposit SET decider_id = clerk_id WHERE state = 'confirmed'"))
    with pytest.raises(IntegrityError, match="written down once"), db.engine.begin() as connection:
        connection.execute(text("UPDATE cash_deposit SET fen = 1"))
