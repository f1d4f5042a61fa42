"""Gifts in cash: received in the drawer's own account, back only as the books allow, closed with the day."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import disbursing, drafting, lifecycle, receipts
from crowdfund.campaigns.cash import giving_back, taking
from crowdfund.campaigns.cash.giving_back import KeptByTheCampaign, NoReason
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.disbursing import Bill, NotEnough
from crowdfund.campaigns.giving import Giver, NotOpen
from crowdfund.campaigns.room import GoalReached
from crowdfund.campaigns.teams import joining
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.notifications.models import Message
from marketplace.orders.closing import drawer as drawer_of_station, ending
from tests.auditing.naming import named
from tests.campaigns.conftest import STATION, Fund, gift_of, hidden, post, public_rows
from tests.campaigns.test_receiving import differences
from tests.campaigns.test_thanking import letters
from tests.factories import make_person, make_station, sign_in_as
from tests.payments.conftest import booked, moved


def take(campaign: str, fen: int = 5000, **giver: Any) -> str:
    clerk = make_person("station_clerk", station=STATION)
    told: dict[str, Any] = {"amount": Money(fen), "giver": Giver(**giver), "station": STATION, "clerk_id": clerk.id}
    return in_transaction(taking.take, campaign=campaign, **told)


def back(gift: str, why: str = "多写了一个零", station: str = STATION) -> None:
    person = make_person("station_manager", station=STATION)
    in_transaction(giving_back.give_back, gift=gift, station=station, person_id=person.id, why=why)


def drawer() -> int:
    db.session.rollback()
    return books.balance(db.session(), "cash_desk", STATION, book="test")


@pytest.fixture
def clerk(fund: Fund) -> FlaskClient:
    client = fund.browser()
    sign_in_as(client, make_person("station_clerk", station=STATION))
    return client


def test_cash_is_received_at_once_with_row_and_receipt(fund: Fund) -> None:
    campaign = fund.open()
    gift = take(campaign, 5000, name="李承志", anonymity="masked", contact="giver@example.test")
    fund.work()

    assert booked(gift) == moved("cash", f"cash_desk:{STATION}", f"restricted:{campaign}", 5000)
    assert (fund.balance(campaign), drawer(), gift_of(gift).state) == (5000, 5000, "received")
    assert public_rows(campaign) == [("gift", 5000, "李**")]
    assert receipts.of(db.session(), contribution=gift)
    assert [address for _fact, address, _text in letters()] == ["giver@example.test"]
    assert differences(fund) == []


def test_the_days_closing_counts_the_drawer(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 5000)
    wrong = take(campaign, 700)
    back(wrong)
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False):
        told: dict[str, Any] = {"station": STATION, "book": "test", "actor": "person:1"}
        with pytest.raises(drawer_of_station.NotCounted):
            in_transaction(ending.close, **told)
        with pytest.raises(drawer_of_station.NoReason):
            in_transaction(ending.close, **told, counted_fen=4900)
        assert ending.closed(db.session(), STATION, "test") == []
        in_transaction(ending.close, **told, counted_fen=4900, why="找零少收了一元")
    db.session.rollback()
    (day,) = ending.closed(db.session(), STATION, "test")
    assert day.cash_fen == 5000 == drawer()
    assert ending.booked_late(db.session(), day) == {}
    count = drawer_of_station.count_of(db.session(), STATION, "test", day.day)
    assert count and (count.ledger_fen, count.counted_fen, count.why) == (5000, 4900, "找零少收了一元")
    assert differences(fund) == []


def test_what_was_written_wrongly_goes_back_today_and_its_receipt_is_void(fund: Fund) -> None:
    campaign = fund.open()
    gift = take(campaign, 50_000)
    with pytest.raises(NoReason):
        back(gift, " ")
    make_station("140430")
    with pytest.raises(NotFound):
        back(gift, station="140430")
    assert drawer() == 50_000
    back(gift)
    with pytest.raises(StaleState):
        back(gift)
    assert (drawer(), fund.balance(campaign)) == (0, 0)
    assert public_rows(campaign) == [("gift", 50_000, ""), ("refund", -50_000, "")]
    assert receipts.of(db.session(), contribution=gift) is None
    assert differences(fund) == []


def test_tomorrow_it_stays_unless_the_campaign_is_called_off(fund: Fund) -> None:
    campaign = fund.open()
    gift, paid = take(campaign, 5000, contact="13835172045"), fund.give(campaign, 300)
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        with pytest.raises(KeptByTheCampaign):
            back(gift)
        in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
        fund.work()
        assert fund.balance(campaign) == 5000  # the other is on its way; this one waits at the counter
        (told,) = db.session.scalars(select(Message.text).where(Message.fact == f"gift_returned:{gift}")).all()
        assert "你的 ¥50.00 现金在" in told and "等你来取" in told
        back(gift, "")
        assert (fund.balance(campaign), drawer()) == (0, 0)
    assert gift_of(paid).state == "received"
    assert differences(fund) == []


def test_no_bank_pays_a_provider_out_of_a_drawer(fund: Fund) -> None:
    campaign = fund.open()
    take(campaign, 5000)
    bill = Bill(Money(5000), "书", "示例书店", "91140000000000000X", "INV-1")
    with pytest.raises(NotEnough):
        in_transaction(disbursing.request, campaign=campaign, budget_line=1, bill=bill, requester_id=fund.officer.id)
    db.session.rollback()
    assert disbursing.free_fen(db.session(), drafting.get(db.session(), campaign), "test") == 5000


def test_cash_keeps_to_the_goal_and_to_what_is_open(fund: Fund) -> None:
    full = fund.open(past_goal="stop")
    take(full, 1_800_000)
    with pytest.raises(GoalReached):
        take(full, 1)
    with pytest.raises(NotOpen):
        take(fund.approved())
    assert len(db.session.scalars(select(CashGift.gift)).all()) == 1
    assert drawer() == 1_800_000


TAMPERING = {
    "drawers hold the gifts taken there": "UPDATE cash_gift SET station_code = '140430' WHERE returned_at IS NULL",
    "gifts in cash are booked at their station": "UPDATE ledger_account SET owner = 'x' WHERE kind = 'cash_desk'",
    "what went back over the counter is booked": "UPDATE cash_gift SET returned_at = NULL, returned_by = NULL",
    "counted drawers had what the ledger said": "UPDATE cash_count SET ledger_fen = 1",
    "goals that stop are not passed": "UPDATE campaign SET goal_fen = 1, past_goal = 'stop'",
    "teams have gifts of their campaign alone": "UPDATE team SET campaign_id = campaign_id + 1",
    "gifts received are captured": "UPDATE entry SET reference = 'nobody' WHERE kind = 'cash'",
}


def test_whatever_was_tampered_with_is_named(fund: Fund) -> None:
    make_station("140430")
    campaign, _other = fund.open(), fund.open()
    told: dict[str, Any] = {"leader_id": fund.officer.id, "shown_as": "", "name": "队", "words": ""}
    team = in_transaction(joining.open_team, campaign=campaign, **told)
    take(campaign, 5000, team=team)
    back(take(campaign, 700))
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False):
        in_transaction(ending.close, station=STATION, book="test", actor="person:1", counted_fen=5000)
    db.session.remove()
    found = {check: named(db.engine, fund.cashier.storage, ours=sql) for check, sql in TAMPERING.items()}
    assert {check: names for check, names in found.items() if check not in names} == {}
    assert named(db.engine, fund.cashier.storage) == set()


def test_a_clerk_takes_it_with_one_form_and_prints_the_receipt(fund: Fund, clerk: FlaskClient) -> None:
    campaign = fund.open()
    key = hidden(clerk.get("/station/cash-gifts"), "idempotency_key")
    typed = {"idempotency_key": key, "campaign": campaign, "amount": "50", "again": "50", "anonymity": "anonymous"}
    differs = post(clerk, "/station/cash-gifts", typed | {"again": "500", "name": "李承志"})
    assert differs.status_code == 422 and "两次数的不一样" in differs.text and "李承志" in differs.text
    assert drawer() == 0
    places = [post(clerk, "/station/cash-gifts", typed).location for _twice in range(2)]
    assert places[0] == places[1] and drawer() == 5000
    page = clerk.get(places[0]).text
    number = receipts.of(db.session(), contribution=places[0].rpartition("/")[2])
    assert number and f"/receipts/{number[0]}?code={number[1]}" in page
    assert "¥50.00" in clerk.get("/station/cash-gifts").text

    elsewhere = fund.browser()
    make_station("140430")
    sign_in_as(elsewhere, make_person("station_clerk", station="140430"))
    assert elsewhere.get(places[0]).status_code == 404
    assert post(elsewhere, f"{places[0]}/return", {"why": "我要"}).status_code == 404
    without = post(clerk, f"{places[0]}/return", {"why": ""})
    assert without.status_code == 422
    assert drawer() == 5000
    assert post(clerk, f"{places[0]}/return", {"why": "多写了"}).status_code == 303
    assert drawer() == 0 and "已经退了" in clerk.get(places[0]).text
