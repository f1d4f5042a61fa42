"""A directed campaign: given to by its list alone, and known to nobody else, by any door."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import giving, receipts
from crowdfund.campaigns.cash import taking as cash
from crowdfund.campaigns.giving import Giver, NotOpen
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.invited import gate, inviting
from crowdfund.campaigns.invited.models import Invitation
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.teams import joining
from marketplace.core import ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.money import Money
from tests.auditing.naming import named
from tests.campaigns.conftest import STATION, Fund, fund, gift_of, hidden, post, public_rows
from tests.factories import make_person, sign_in_as

__all__ = ["fund"]

TITLE = "校友们的一间图书室"
STORY = "只写给老校友的话。"
TYPED = {"how_often": "once", "name": "李承志"}


def directed(fund: Fund, **facts: Any) -> str:
    return fund.open(channel="directed", title_zh=TITLE, title_en="A room of books", story_zh=STORY, **facts)


def invite(fund: Fund, campaign: str, **told: str) -> str:
    return in_transaction(inviting.invite, campaign=campaign, person=fund.officer.id, **told)


def browser(fund: Fund, **person: Any) -> tuple[FlaskClient, int]:
    made, client = make_person(**person), fund.browser()
    sign_in_as(client, made)
    return client, made.id


def test_who_proved_an_invited_address_gives_and_no_row_names_them(fund: Fund) -> None:
    campaign = directed(fund)
    client, person = browser(fund, email="old.friend@example.test")
    assert client.get(f"/campaigns/{campaign}").status_code == 403
    invite(fund, campaign, address="Old.Friend@example.test", note="老校友")
    page = client.get(f"/campaigns/{campaign}")
    assert page.status_code == 200 and TITLE in page.text and "/share" not in page.text and "/teams" not in page.text
    form = client.get(f"/campaigns/{campaign}/gifts/new?choice=660")
    assert 'name="anonymity"' not in form.text and "每个月" not in form.text
    typed = {**TYPED, "amount": hidden(form, "amount"), "idempotency_key": hidden(form, "idempotency_key")}
    assert post(client, f"/campaigns/{campaign}/gifts", typed | {"anonymity": "named"}).status_code == 303
    gift = db.session.scalars(select(Contribution)).one()
    assert (gift.person_id, gift.shown_as, gift.anonymity, gift.giver) == (person, "", "anonymous", "李承志")
    fund.cashier.decide(fund.remote_of(gift.public_id), "succeeded")
    fund.work()
    assert (public_rows(campaign), fund.balance(campaign)) == ([("gift", 660, "")], 660)
    assert receipts.of(db.session(), contribution=gift.public_id)
    assert db.session.scalars(select(Invitation.person_id)).one() == person
    assert named(db.engine, fund.cashier.storage) == set()


def test_a_code_is_for_the_first_who_enters_it(fund: Fund) -> None:
    campaign, other = directed(fund), directed(fund)
    name = invite(fund, campaign, note="王老师")
    (shown,) = inviting.on_the_list(db.session(), db.session.scalars(select(Invitation.campaign_id)).one())
    assert re.fullmatch(r"[0-9A-F]{4}(-[0-9A-F]{4}){2}", shown.code)
    first, person = browser(fund)
    for wrong in ("", "0000-0000-0000", shown.code[:-1]):
        answer = post(first, f"/campaigns/{campaign}/invitation", {"code": wrong})
        assert answer.status_code == 422 and TITLE not in answer.text and (not wrong or wrong in answer.text)
    assert post(first, f"/campaigns/{other}/invitation", {"code": shown.code}).status_code == 422
    for _twice in range(2):
        entered = post(first, f"/campaigns/{campaign}/invitation", {"code": shown.code.lower().replace("-", " ")})
        assert (entered.status_code, entered.location) == (303, f"/campaigns/{campaign}")
    assert TITLE in first.get(f"/campaigns/{campaign}").text
    second, _other = browser(fund)
    assert post(second, f"/campaigns/{campaign}/invitation", {"code": shown.code}).status_code == 422
    fund.begin(campaign, person_id=person)

    in_transaction(inviting.withdraw, campaign=campaign, invitation=name, person=fund.officer.id)
    assert first.get(f"/campaigns/{campaign}").status_code == 403
    with pytest.raises(gate.NotInvited):
        fund.begin(campaign, person_id=person)
    with pytest.raises(StaleState):
        in_transaction(inviting.withdraw, campaign=campaign, invitation=name, person=fund.officer.id)
    assert post(first, f"/campaigns/{campaign}/invitation", {"code": shown.code}).status_code == 422


def test_a_circle_is_no_longer_than_its_list_whoever_leaves_it(fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inviting, "MOST", 2)
    campaign = directed(fund)
    taken, open_one = invite(fund, campaign), invite(fund, campaign)
    with pytest.raises(inviting.ListIsFull):
        invite(fund, campaign)
    code = inviting.code_of(taken)
    in_transaction(inviting.redeem, campaign=campaign, code=code, person_id=make_person().id)
    gone: dict[str, Any] = {"campaign": campaign, "person": fund.officer.id}
    in_transaction(inviting.withdraw, invitation=taken, **gone)
    with pytest.raises(inviting.ListIsFull):
        invite(fund, campaign)
    in_transaction(inviting.withdraw, invitation=open_one, **gone)  # nobody had been let in by it
    invite(fund, campaign)
    assert len(db.session.scalars(select(Invitation)).all()) == 3


def test_nobody_else_learns_anything(fund: Fund) -> None:
    """Neither by its own addresses nor by any list, ledger, answer or file."""
    campaign = directed(fund)
    _client, person = browser(fund)
    db.session.rollback()
    in_transaction(accept, fund, campaign, person)
    gift = fund.give(campaign, 4321, person_id=person, name="李承志", anonymity="named")
    found = receipts.of(db.session(), contribution=gift)
    assert found
    stranger, member = fund.browser(), browser(fund)[0]
    own = ("", "/progress", "/updates", "/comments/new", "/gifts/new?choice=660", "/teams/new")
    own_pages = [f"/campaigns/{campaign}{rest}" for rest in own] + [f"/ledger/{campaign}", f"/ledger?campaign={campaign}"]
    own_pages += [f"/ledger/progress?campaign={campaign}", f"/ledger/{campaign}/spent.csv"]
    for client in (stranger, member):
        for page in own_pages:
            answer = client.get(page)
            assert answer.status_code in {302, 303, 403}, page
            assert TITLE not in answer.text and STORY not in answer.text and "43.21" not in answer.text, page
            assert answer.status_code != 403 or answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        for page in ("/share", "/poster", "/poster.svg", "/embed"):
            assert client.get(f"/campaigns/{campaign}{page}").status_code == 404
        for page in ("", "/ledger"):
            assert client.get(f"/api/v1/campaigns/{campaign}{page}").status_code == 404
        everywhere = ("/", "/campaigns", "/ledger", "/ledger.csv", "/api/v1/campaigns", f"/receipts/{found[0]}", "/stations")
        for page in (*everywhere, f"/stations/{STATION}"):
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert TITLE not in answer.text and "李承志" not in answer.text and "李**" not in answer.text, page
    assert "定向募捐项目" in stranger.get("/ledger").text and "43.21" in stranger.get("/ledger").text
    assert TITLE in stranger.get(f"/receipts/{found[0]}?code={found[1]}").text
    assert campaign not in stranger.get("/api/v1/campaigns").text


def accept(session: Any, fund: Fund, campaign: str, person: int) -> None:
    name = inviting.invite(session, campaign=campaign, person=fund.officer.id, note="x")
    session.flush()
    inviting.redeem(session, campaign=campaign, code=inviting.code_of(name), person_id=person)


def test_no_other_way_in(fund: Fund) -> None:
    campaign = directed(fund)
    client, person = browser(fund, email="a@example.test")
    stranger = make_person()
    in_transaction(accept, fund, campaign, person)
    for giver in (Giver(), Giver(person_id=stranger.id), Giver(name="王", contact="a@example.test")):
        with pytest.raises(gate.NotInvited):
            in_transaction(giving.begin, campaign=campaign, amount=Money(100), giver=giver)
    with pytest.raises(gate.NoCards):
        fund.begin(campaign, person_id=person, honour=Honour("外婆"))
    told: dict[str, Any] = {"campaign": campaign, "amount": Money(100)}
    told["giver"] = Giver(person_id=person, contact="a@example.test")
    with pytest.raises(gate.GivenOnce):
        in_transaction(keeping.begin, **told)
    with pytest.raises(NotOpen):
        in_transaction(cash.take, **told, station=STATION, clerk_id=stranger.id)
    with pytest.raises(joining.NotRunning):
        in_transaction(joining.open_team, campaign=campaign, leader_id=person, shown_as="", name="队", words="")
    number = db.session.execute(text("SELECT id FROM campaign")).scalar_one()
    for giver in (Giver(), Giver(person_id=stranger.id), Giver(person_id=person, name="李承志", anonymity="named")):
        with pytest.raises(IntegrityError, match="on the list"):
            in_transaction(giving.keep, number, Money(100), giver, "test")
    assert db.session.scalars(select(Contribution)).all() == []
    form = {**TYPED, "amount": "6.60", "anonymity": "anonymous", "idempotency_key": ids.public_id()}
    refused = post(client, f"/campaigns/{campaign}/gifts", form | {"honoured": "外婆"})
    assert refused.status_code == 422 and "不能发贺卡" in refused.text and "外婆" in refused.text
    monthly = post(client, f"/campaigns/{campaign}/gifts", form | {"how_often": "monthly", "contact": "a@example.test"})
    assert monthly.status_code == 422 and "每次单笔捐赠" in monthly.text


def test_paying_again_asks_again(fund: Fund) -> None:
    campaign = directed(fund)
    _client, person = browser(fund)
    in_transaction(accept, fund, campaign, person)
    gift = fund.begin(campaign, person_id=person)
    fund.pay(gift, "failed")
    fund.work()
    name = db.session.scalars(select(Invitation.public_id)).one()
    in_transaction(inviting.withdraw, campaign=campaign, invitation=name, person=fund.officer.id)
    with pytest.raises(gate.NotInvited):
        in_transaction(giving.pay_again, gift=gift)
    assert gift_of(gift).state == "pending"


def test_the_list_at_the_desk(fund: Fund) -> None:
    campaign, client = directed(fund), fund.browser()
    sign_in_as(client, fund.officer)
    place = f"/charity/campaigns/{campaign}/list"
    assert TITLE in client.get(f"/campaigns/{campaign}").text  # officers see what they have made
    key = {"idempotency_key": ids.public_id()}
    refused = post(client, place, key | {"address": "nobody", "note": "老校友"})
    assert refused.status_code == 422 and "老校友" in refused.text
    assert post(client, place, key).status_code == 422
    for _twice in range(2):
        assert post(client, place, key | {"address": "13835172045", "note": "老校友"}).status_code == 303
    again = post(client, place, {"idempotency_key": ids.public_id(), "address": "138 3517 2045"})
    assert again.status_code == 422 and "名单上已有" in again.text
    post(client, place, {"idempotency_key": ids.public_id(), "note": "王老师"})
    page = client.get(place).text
    assert "老校友" in page and "邀请码" in page and "13835172045" not in page
    rows = db.session.execute(text("SELECT address, note FROM invitation ORDER BY id")).all()
    assert "13835172045" not in str(rows) and "老校友" not in str(rows) and len(rows) == 2
    approver = fund.browser()
    sign_in_as(approver, fund.approver)
    assert approver.get(place).status_code == 200
    assert post(approver, place, {"idempotency_key": ids.public_id(), "note": "x"}).status_code == 403
    with pytest.raises(inviting.NotDirected):
        invite(fund, fund.open(), note="x")


TAMPERING = {
    "directed gifts come from the list": "UPDATE invitation SET accepted_at = '2099-01-01 00:00:00'",
    "no public row names who gave to a closed list's campaign": "UPDATE public_row SET who = '李承志'",
}


def test_whatever_was_tampered_with_is_named(fund: Fund) -> None:
    campaign = directed(fund)
    _client, person = browser(fund)
    in_transaction(accept, fund, campaign, person)
    fund.give(campaign, person_id=person)
    db.session.remove()
    found = {check: named(db.engine, fund.cashier.storage, ours=sql) for check, sql in TAMPERING.items()}
    assert {check: names for check, names in found.items() if check not in names} == {}
    for change in ("person_id = NULL, accepted_at = NULL", "campaign_id = campaign_id + 1"):
        with pytest.raises(IntegrityError, match="stays whose it is"), db.engine.begin() as connection:
            connection.execute(text(f"UPDATE invitation SET {change}"))
