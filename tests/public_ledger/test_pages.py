"""The ledger as a stranger reads it: figures, rows, filters, files."""

import re
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from crowdfund.campaigns import export
from crowdfund.campaigns.models import PublicRow
from crowdfund.campaigns.states import CampaignState
from marketplace.core import clock, ids, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.payments.reconciliation.models import ReconciliationRun
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_disbursing import lay
from tests.public_ledger.test_receipts import give, of, send_back

DAY = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def rows(page: str) -> list[list[str]]:
    """The cells of each row of the table."""
    table = page[page.index('<table class="entries">') : page.index("</table>", page.index('<table class="entries">'))]
    found = table.split("<tbody>")[1].split("<tr")[1:]
    return [[plain(cell).strip(" >") for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in found]


def test_what_is_there_came_went_out_and_went_back(giving: Giving, client: FlaskClient) -> None:
    books, lights = giving.campaign(goal_fen=200_000_000), giving.campaign()
    giving.gift(books, 128_430_650, who="小杏子")
    gift = giving.gift(lights, 2000)
    giving.pay_out(books, 481_500)
    in_transaction(send_back, gift, 30)
    giving.seal()

    page = plain(client.get("/ledger").text)
    assert "现在账上 ¥1,279,511.20 收到 ¥1,284,326.50 拨出去 ¥4,815.00 退回 ¥0.30" in page
    assert "4 行首尾相扣。" in page
    assert "测试钱，不会真扣款" in page
    page = plain(client.get(f"/ledger/{lights.public_id}").text)
    assert "现在账上 ¥19.70 收到 ¥20.00 拨出去 ¥0.00 退回 ¥0.30" in page


def test_rows_newest_first_with_both_balances(giving: Giving, client: FlaskClient) -> None:
    books, lights = giving.campaign(), giving.campaign()
    with time_machine.travel(DAY, tick=False):
        giving.gift(books, 2000, who="小杏子")
        giving.gift(lights, 660)
        giving.pay_out(books, 815)
        giving.seal()
        shown = rows(client.get("/ledger").text)
    assert [row[:8] for row in shown] == [
        ["3", "10月18日 12:00", "拨付", "玉坪乡图书 214 册 临汾新华书店", books.title_zh, "−8.15", "余 11.85", "18.45"],
        ["2", "10月18日 12:00", "捐款", "匿名", lights.title_zh, "+6.60", "余 6.60", "26.60"],
        ["1", "10月18日 12:00", "捐款", "小杏子", books.title_zh, "+20.00", "余 20.00", "20.00"],
    ]
    assert shown[0][8] == "还没交" and re.fullmatch("[0-9a-f]{4}…[0-9a-f]{4}", shown[0][9])


def test_what_is_not_sealed_yet_is_shown_and_says_so(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 100)
    giving.seal()
    giving.gift(campaign, 7, who="王**")
    first, second = rows(client.get("/ledger").text)
    assert (first[0], first[3], first[5], first[6], first[9]) == ("", "王**", "+0.07", "", "链码马上就有")
    assert second[0] == "1"
    giving.seal()
    assert [row[0] for row in rows(client.get(f"/ledger/{campaign.public_id}").text)] == ["2", "1"]


def test_a_payment_shows_what_proves_it(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.pay_out(campaign, 815)
    lay(made, giving)
    giving.seal()
    assert rows(client.get("/ledger").text)[0][8] == "发票"
    page = client.get(f"/ledger/{campaign.public_id}/disbursements/{made}").text
    assert "¥8.15" in page and "ab" * 32 in page and "临汾新华书店" in page
    assert "周予安" not in page and "沈若谷" not in page and "/evidence/" not in page


def test_a_payment_that_is_not_paid_yet_is_nobodys_business(giving: Giving, client: FlaskClient) -> None:
    campaign, other = giving.campaign(), giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.request(campaign, 815)
    assert client.get(f"/ledger/{campaign.public_id}/disbursements/{made}").status_code == 404
    paid = giving.pay_out(campaign, 1)
    assert client.get(f"/ledger/{other.public_id}/disbursements/{paid}").status_code == 404


def test_overdue_evidence_is_said_on_top_and_can_be_listed(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    with time_machine.travel(DAY, tick=False) as moment:
        giving.gift(campaign, 400_000)
        giving.pay_out(campaign, 326_000)
        giving.gift(campaign, 1)
        giving.seal()
        assert "凭证" not in plain(client.get("/ledger").text).split("流水")[0]
        moment.shift(timedelta(days=31))
        db.session.remove()
        page = plain(client.get("/ledger").text)
        assert "1 笔拨付过了 30 天还没交凭证 ，共 ¥3,260.00：吉县站。交齐以前，这些项目不再拨付。" in page
        assert [row[5] for row in rows(client.get("/ledger?kind=overdue").text)] == ["−3,260.00"]
        assert "凭证" in plain(client.get(f"/ledger/{campaign.public_id}").text).split("流水")[0]
        assert "30 天" not in client.get(f"/ledger/{giving.campaign().public_id}").text


def test_filters(giving: Giving, client: FlaskClient) -> None:
    books, lights = giving.campaign(), giving.campaign()
    with time_machine.travel(DAY, tick=False) as moment:
        giving.gift(books, 100, who="小杏子")
        moment.shift(timedelta(days=1))
        gift = in_transaction(give, lights.public_id, fen=200)
        moment.shift(timedelta(days=1))
        giving.pay_out(books, 50)
        in_transaction(send_back, gift, 20)
        giving.seal()

        def numbers(query: str, place: str = "/ledger") -> list[str]:
            answer = client.get(f"{place}?{query}")
            assert answer.status_code == 200
            return [row[0] for row in rows(answer.text)] if '<table class="entries">' in answer.text else []

        assert numbers("kind=gift") == ["2", "1"]
        assert numbers("kind=disbursement") == ["3"]
        assert numbers("since=2026-10-19") == ["4", "3", "2"]
        assert numbers("since=2026-10-19&until=2026-10-19") == ["2"]
        assert numbers("q=小杏") == ["1"]
        assert numbers("q=匿名") == ["4", "2"]
        assert numbers("q=214") == []
        assert numbers("q=玉坪") == ["3"]
        assert numbers("q=%25") == []
        assert numbers("q=4") == ["4"]
        assert numbers("q=９" * 1) == []
        receipt = of(gift)[-1][0]
        assert numbers(f"q={receipt}") == ["4", "2"]
        assert numbers(f"q={receipt.lower()}&kind=refund") == ["4"]
        assert numbers("q=nobody' OR 1=1 --") == []
        assert numbers("", f"/ledger/{books.public_id}") == ["3", "1"]
    answer = client.get(f"/ledger?campaign={books.public_id}&kind=gift&q=")
    assert answer.headers["Location"] == f"/ledger/{books.public_id}?kind=gift"


@pytest.mark.parametrize(
    "query",
    [
        "until=9999-12-31",
        "since=0001-01-01",
        "since=yesterday",
        "since=2026-02-30",
        "kind=bribe",
        "campaign=nobody",
        "until=2026-01-01&since=2026-01-02",
    ],
)
def test_bad_filters_are_said_and_kept(giving: Giving, client: FlaskClient, query: str) -> None:
    answer = client.get(f"/ledger?{query}&q=abc")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and 'value="abc"' in answer.text


@pytest.mark.parametrize("before", ["-1", "x", "9" * 40, "1.5"])
def test_a_page_that_nobody_numbered_is_the_first(giving: Giving, client: FlaskClient, before: str) -> None:
    giving.gift(giving.campaign(), 100)
    giving.seal()
    assert [row[0] for row in rows(client.get("/ledger", query_string={"before": before}).text)] == ["1"]


def test_who_is_shown_is_never_markup(giving: Giving, client: FlaskClient) -> None:
    giving.gift(giving.campaign(), 100, who="<script>alert(1)</script>")
    giving.seal()
    shown = client.get("/ledger").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and "<script>alert" not in shown


def test_campaigns_that_are_not_public(giving: Giving, client: FlaskClient) -> None:
    draft = giving.campaign(state=CampaignState.DRAFT)
    for place in (draft.public_id, "nobody", "verify.txt"):
        assert client.get(f"/ledger/{place}").status_code == 404


def test_empty(giving: Giving, client: FlaskClient) -> None:
    page = client.get("/ledger").text
    assert "还没有记录。第一笔捐款会写在这里。" in page and "¥0.00" in page
    assert client.get("/ledger.csv").data.count(b"\n") == 2
    assert client.get("/ledger/verify").status_code == 200


def test_what_does_not_fit_is_said_on_top(giving: Giving, client: FlaskClient) -> None:
    giving.gift(giving.campaign(), 100)
    giving.seal()
    db.session.execute(text("INSERT INTO ledger_check (at, rows, broken_number) VALUES ('2026-10-18 00:00:00', 0, 1)"))
    db.session.commit()
    page = plain(client.get("/ledger").text)
    assert "第 1 行和它的链码对不上了。我们正在查。" in page and "核对无误" not in page


def fill(giving: Giving, count: int) -> None:
    """So many rows, written at once."""
    campaigns = [giving.campaign() for _each in range(3)]
    same = {"book": "test", "kind": "gift", "at": clock.now(), "what": "", "commitment": ""}
    made = [
        same
        | {
            "campaign_id": campaigns[number % 3].id,
            "fen": number % 50 + 1,
            "who": "",
            "reference": f"capture:{ids.public_id()}",
        }
        for number in range(count)
    ]
    db.session.execute(insert(PublicRow), made)
    learn()
    giving.seal()
    learn()


def learn() -> None:
    """The planner knows nothing of rows that were never committed, and would join thousands one by one."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE public_row, sealed_row, seal"))
    db.session.commit()


def test_pages_follow_each_other_to_the_first_row(giving: Giving, client: FlaskClient) -> None:
    fill(giving, 45)
    place, seen = "/ledger", list[int]()
    while place:
        page = client.get(place).text
        seen += [int(row[0]) for row in rows(page)]
        further = re.search(r'rel="next" href="([^"#]+)', page)
        place = unescape(further.group(1)) if further else ""
    assert seen == list(range(45, 0, -1))


def test_it_says_whether_the_payment_provider_agrees(giving: Giving, client: FlaskClient) -> None:
    giving.gift(giving.campaign(), 1000)
    giving.seal()
    assert "支付渠道" not in client.get("/ledger").text  # nobody has compared anything yet
    for is_red, ended_at, said in (
        (False, DAY, "10月18日 12:00 支付渠道和账本对过，两边相等。"),
        (True, DAY + timedelta(hours=1), "10月18日 13:00 支付渠道的记录和账本对不上，正在查。"),
        (False, None, "10月18日 13:00 支付渠道的记录和账本对不上，正在查。"),  # it has not ended
        (False, DAY + timedelta(hours=2), "10月18日 14:00 支付渠道和账本对过，两边相等。"),
    ):
        run = {"gateway": "sandbox", "actor": "worker", "is_whole": False, "is_dry": False}
        db.session.add(ReconciliationRun(**run, ended_at=ended_at, is_red=is_red))
        page_cache.expire(db.session(), "ledger")
        db.session.commit()
        page = client.get("/ledger").text
        assert said in page and ("正在查" in page) is ("对不上" in said)


def test_a_page_costs_the_same_however_long_the_ledger_is(
    giving: Giving, client: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def cost(place: str) -> int:
        with count_statements() as sent:
            assert client.get(place).status_code == 200
        return len(sent)

    fill(giving, 3)
    few = cost("/ledger"), cost("/ledger?q=小杏&kind=gift")
    fill(giving, 60)
    assert (cost("/ledger"), cost("/ledger?q=小杏&kind=gift")) == few
    assert few[0] <= 10


def test_nothing_of_the_shop(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    made = giving.pay_out(campaign, 10)
    giving.seal()
    number = of(in_transaction(give, campaign.public_id))[0][0]
    for place in (
        "/ledger",
        f"/ledger/{campaign.public_id}",
        f"/ledger/{campaign.public_id}/disbursements/{made}",
        "/ledger/verify",
        "/receipts",
        f"/receipts/{number}",
    ):
        for link in re.findall(r'href="(/[^"]*)"', client.get(place).text):
            assert not re.match(r"/(search|categories|listings|cart|checkout|orders|seller|stations|station|help)\b", link)


def test_in_english(giving: Giving, client: FlaskClient) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    giving.seal()
    client.set_cookie("lang", "en")
    page = plain(client.get("/ledger").text)
    assert "In the account now ¥10.00" in page and campaign.title_en in page and "Anonymous" in page


@pytest.mark.full
def test_the_file_is_sent_with_memory_flat(giving: Giving) -> None:
    def peak() -> int:
        tracemalloc.start()
        size = sum(map(len, export.lines(db.session())))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 150 * 2_000
        return held

    fill(giving, 4_100)  # the page before is held until the next is there
    peak()  # what is loaded once
    short = peak()
    fill(giving, 8_000)
    assert peak() < short * 1.5


@pytest.mark.parametrize("number", ["2147483647", "2147483648", "999999999999999", "9" * 40])
def test_no_number_is_too_large_to_be_asked_for(giving: Giving, client: FlaskClient, number: str) -> None:
    """PostgreSQL's whole numbers end before a reader's keyboard does."""
    campaign = giving.campaign()
    giving.gift(campaign, 100)
    giving.seal()
    place = f"/ledger/{campaign.public_id}"
    for page in ("/ledger", place):
        assert client.get(f"{page}?q={number}").status_code == 200
        assert client.get(f"{page}?before={number}").status_code == 200
    assert client.get(f"/ledger/proofs/{number}.json").status_code == 404
    for address in ("/ledger", f"/campaigns/{campaign.public_id}/ledger", f"/campaigns/{campaign.public_id}/gifts"):
        assert client.get(f"/api/v1{address}?before={number}").status_code == (422 if len(number) > 16 else 200)
