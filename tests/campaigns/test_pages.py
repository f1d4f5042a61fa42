"""The pages of gifts: what they say, that they lead nowhere into the shop, and giving in three screens."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update

from crowdfund.campaigns import giving, lifecycle, moderation
from crowdfund.campaigns.models import Contribution
from marketplace.core import clock, outbox, page_versions, sealing
from marketplace.core.db import db, in_transaction
from marketplace.payments.models import Attempt
from tests import statements
from tests.campaigns.conftest import Fund, gift_of, hidden, latest_gift, post, public_rows
from tests.factories import make_person, sign_in_as

SHOP = ("/search", "/categories", "/listings", "/cart", "/checkout", "/orders", "/seller", "/station", "/presales", "/help")


def give(client: FlaskClient, campaign: str, **typed: str) -> str:
    """Through the second screen to the cashier; returns the address of the gift's page."""
    page = client.get(f"/campaigns/{campaign}/gifts/new?choice={typed.pop('choice', '660')}")
    assert page.status_code == 200, page.text
    form = {"amount": hidden(page, "amount"), "idempotency_key": hidden(page, "idempotency_key"), "anonymity": "masked"}
    answer = post(client, f"/campaigns/{campaign}/gifts", form | typed)
    assert answer.status_code == 303, answer.text
    assert "/sandbox-cashier/pay/" in answer.location
    return f"/campaigns/{campaign}/gifts/{giving.link_token(latest_gift().public_id)}"


def decide(fund: Fund, outcome: str) -> str:
    """Press a button on the cashier's page of the latest gift; where that leads."""
    remote = fund.remote_of(latest_gift().public_id)
    return post(fund.browser(), f"/sandbox-cashier/pay/{remote}/decision", {"outcome": outcome}).location or ""


def test_a_campaign_says_all_that_the_law_wants(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 660, name="王晓雯", anonymity="masked")
    page = fund.browser().get(f"/campaigns/{campaign}", headers={"Accept-Language": "zh"}).text

    for words in (
        "示例青少年基金会",
        "DEMO-0417",
        "为村小添置图书和书架",
        "六个村小图书角",
        "县教育局公布的教学点",
        "周予安",
        "53140000DEMO000001",
        "公开募捐资格证书",
        "DEMO-C-1",
        "有效期到 2099年1月1日",
    ):
        assert words in page
    assert '<p class="timeline__text">示例青少年基金会 DEMO-0417</p>' in page
    for words in ("示例银行 尾号 0417", "用于下学期补书", "图书 300 册", "¥12,000.00", "¥40.00 是一册书", "9 天", "临县站"):
        assert words in page
    assert "目标 ¥18,000.00，已到 0%" in page
    assert re.search(r"王\*\* 捐</td><td[^>]*>\+¥6.60", page)
    assert re.search(r"余额</td><td[^>]*>¥6.60", page)
    assert re.findall(r'name="choice" value="(\w+)"( checked)?', page) == [
        ("660", ""),
        ("4000", " checked"),
        ("5000", ""),
        ("own", ""),
    ]


def test_the_list_never_mixes_gifts_and_student_aid(fund: Fund) -> None:
    fund.open(title_zh="一架书")
    fund.open(title_zh="路费包", kind="student_aid")
    over = fund.open(title_zh="早先的书")
    fund.give(over, 5000)
    in_transaction(lifecycle.end, campaign=over, person=fund.officer.id, why="够了")
    client = fund.browser()

    both = client.get("/campaigns").text
    gifts, aid = both.split('id="student_aid"')
    assert "一架书" in gifts and "路费包" not in gifts and "路费包" in aid and "一架书" not in aid
    assert gifts.index("一架书") < gifts.index("早先的书")
    assert "¥50.00" in gifts.split("早先的书")[1]
    only = client.get("/campaigns?kind=student_aid").text
    assert "路费包" in only and "一架书" not in only and 'aria-current="page">助学 1+1' in only


def test_drafts_are_nobodys_business(fund: Fund) -> None:
    campaign = fund.approved(title_zh="还没开的书")
    client = fund.browser()

    assert client.get(f"/campaigns/{campaign}").status_code == 404
    assert "还没开的书" not in client.get("/campaigns").text
    assert client.get(f"/api/v1/campaigns/{campaign}").status_code == 404


def test_no_page_of_gifts_leads_into_the_shop(fund: Fund) -> None:
    """From the list on, along every link of giving; the way home is the house's own door."""
    live, paused, over = fund.open(), fund.open(), fund.open()
    in_transaction(lifecycle.pause, campaign=paused, person=fund.officer.id, why="查一下")
    in_transaction(lifecycle.end, campaign=over, person=fund.officer.id, why="够了")
    client = fund.browser()
    waiting = ["/campaigns", f"/campaigns/{live}/gifts/new?choice=100", f"/campaigns/{over}/gifts/new", give(client, live)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        page = client.get(path)
        if page.status_code == 302:
            assert page.location.startswith("/sign-in"), path
            continue
        assert page.status_code in {200, 303, 409, 422}, path
        found = {urlsplit(link).path for link in re.findall(r'(?:href|action)="([^"#]*)"', page.text)} - {""}
        inside = {link for link in found if not link.startswith("/static/")}
        assert not [link for link in inside if link.startswith(SHOP)], path
        assert 'class="tabs"' not in page.text and 'role="search"' not in page.text, path
        waiting += [link for link in inside if link.startswith("/campaigns") and "/gifts" not in link and link not in seen]
    assert {f"/campaigns/{live}", f"/campaigns/{paused}", f"/campaigns/{over}"} <= seen


def test_a_guest_gives_in_three_screens(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    own = client.get(f"/campaigns/{campaign}/gifts/new?choice=own&amount=１")
    assert "捐 ¥1.00" in own.text and hidden(own, "amount") == "1"

    address = give(client, campaign, name="王晓雯", message="小时候村里来过一车书", contact="13835172045")
    assert "¥6.60 还没付" in client.get(address).text
    back = decide(fund, "approve")
    assert urlsplit(back).path == address
    assert "正在向收款方核实" in client.get(back).text or "还没付" in client.get(back).text
    fund.work()
    page = client.get(back)

    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    assert "谢谢，¥6.60 已经进了项目的账" in page.text and "测试钱" in page.text
    assert re.search(r"王\*\* 捐</td><td[^>]*>\+¥6.60", page.text)
    gift = latest_gift()
    assert (gift.giver, gift.contact, gift.message_state) == ("王晓雯", "13835172045", "waiting")
    assert "13835172045" not in page.text
    assert client.get(f"/campaigns/{campaign}/gifts/wrong").status_code == 404


def test_not_paid_is_said_plainly_and_trying_again_keeps_the_gift(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    address = give(client, campaign)
    decide(fund, "decline")
    fund.work()
    assert "没付成，没有扣钱" in client.get(address).text

    again = post(client, f"{address}/payment", {})
    assert "/sandbox-cashier/pay/" in again.location
    decide(fund, "approve")
    fund.work()
    assert "谢谢" in client.get(address).text
    assert public_rows(campaign) == [("gift", 660, "")]
    assert len(db.session.scalars(select(Attempt.id)).all()) == 2


def test_not_now_leaves_a_gift_that_can_be_paid_later(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    address = give(client, campaign)
    back = client.get(decide(fund, "later")).text  # the gateway's word may be on its way
    assert "正在向收款方核实，别重复付" in back and "还没付？回收银台" in back and f'action="{address}/payment"' in back
    assert "正在向收款方核实" not in client.get(address).text
    assert "/sandbox-cashier/pay/" in post(client, f"{address}/payment", {}).location
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1)):
        fund.work()
    assert "这笔没付，已经过期" in client.get(address).text
    assert post(client, f"{address}/payment", {}).location == address


def test_a_gift_that_went_back_says_so(fund: Fund) -> None:
    campaign = fund.open()
    client = fund.browser()
    address = give(client, campaign)
    decide(fund, "approve")
    fund.work()
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()

    assert "¥6.60 正在退回" in client.get(address).text
    assert "这个项目撤了" in client.get(f"/campaigns/{campaign}").text


def test_a_signed_in_person_finds_their_gifts_again(fund: Fund) -> None:
    campaign = fund.open()
    client, other = fund.browser(), fund.browser()
    person = sign_in_as(client, make_person(name="王晓雯"))
    address = give(client, campaign)
    decide(fund, "approve")
    fund.work()

    assert gift_of(latest_gift().public_id).person_id == person.id
    mine = client.get("/account/gifts").text
    assert address in mine and "已到账" in mine and "¥6.60" in mine
    sign_in_as(other, make_person())
    assert address not in other.get("/account/gifts").text
    assert fund.browser().get("/account/gifts").status_code == 302


def test_words_are_shown_once_an_officer_has_read_them(fund: Fund) -> None:
    campaign = fund.open()
    good = fund.give(campaign, message="替我爸捐的", name="李承志", anonymity="masked")
    bad = fund.give(campaign, message="加微信发财")
    client = fund.browser()
    assert "替我爸捐的" not in client.get(f"/campaigns/{campaign}").text

    told: dict[str, Any] = {"organisations": ["test-foundation"], "person": fund.officer.id}
    in_transaction(moderation.decide, gift=good, is_shown=True, **told)
    in_transaction(moderation.decide, gift=bad, is_shown=False, **told)
    page = client.get(f"/campaigns/{campaign}").text
    assert "替我爸捐的" in page and "李**" in page and "加微信发财" not in page


def test_a_list_costs_the_same_however_long_it_is(fund: Fund) -> None:
    client = fund.browser()
    costs = []
    for _more in range(2):
        fund.give(fund.open(), 100)
        with statements.gathered() as sent:
            client.get("/campaigns")
        costs.append(len(sent))
    assert costs[0] == costs[1] <= 6
    with statements.gathered() as sent:
        client.get(f"/campaigns/{fund.open()}")
    assert len(sent) > 0


def test_a_campaigns_page_costs_the_same_however_many_have_given(fund: Fund) -> None:
    campaign, costs = fund.open(), []
    for more in (1, 12):
        for number in range(more):
            fund.give(campaign, 100 + number, name="王晓雯", message="加油")
        db.session.execute(update(Contribution).values(message_state="shown"))
        db.session.commit()
        for chain in sealing.chains:
            in_transaction(sealing.seal, chain=chain)
        fund.app.extensions["memory"].clear()
        with statements.gathered() as sent:
            page = fund.browser().get(f"/campaigns/{campaign}", headers={"Cookie": "one=1"})
        assert page.status_code == 200
        costs.append(len(sent))
    assert costs[0] == costs[1] <= 14


def test_a_strangers_page_is_kept_until_somebody_gives(own_fund: Fund, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)
    fund, app = own_fund, own_fund.app
    app.config["PAGE_CACHE"] = True
    cache = app.extensions["page_cache"]
    cache.is_on = True
    campaign = fund.open()
    fund.work()
    client = fund.browser()
    pages = (f"/campaigns/{campaign}", "/campaigns?kind=donation", f"/api/v1/campaigns/{campaign}")
    before = [client.get(path).text for path in pages]
    hits = cache.hits
    assert [client.get(path).text for path in pages] == before and cache.hits == hits + 3

    fund.give(campaign, 123_456)
    while outbox.deliver():
        pass
    after = [client.get(path).text for path in pages]
    assert "¥1,234" in after[0] and "¥1,234.56" in after[1] and '"raised_fen":123456' in after[2]


def test_the_form_of_another_site_gives_nothing(fund: Fund) -> None:
    campaign = fund.open()
    answer = fund.browser().post(
        f"/campaigns/{campaign}/gifts", data={"amount": "1", "anonymity": "masked"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert public_rows(campaign) == []
