"""Files of a platform: read whatever the platform writes, taken once, differences put before a person, names never kept."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings, strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import giving
from crowdfund.campaigns.cash import taking as cash
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.mirrors import columns, comparing, taking, wording, working
from crowdfund.campaigns.mirrors.columns import Wrong, find_heading, read_row
from crowdfund.campaigns.mirrors.models import MirrorFile, MirrorRow
from crowdfund.campaigns.mirrors.platforms import is_address_of
from crowdfund.campaigns.mirrors.states import FileState as F
from listings.sheets import storing
from marketplace.core import clock, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from tests.auditing.naming import named
from tests.campaigns.conftest import STATION, post
from tests.factories import make_person, sign_in_as
from tests.mirrors.conftest import FIRST, HEADINGS, ON_PLATFORM, URL, Mirror, gifts, newest, sheet, total, work

TAKEN = [("T1", 1000, "王**"), ("T2", 120_000, ""), ("T3", 1, "")]


def test_a_file_is_looked_at_and_then_taken_once(mirror: Mirror) -> None:
    file = mirror.compared(sheet(*FIRST))
    assert (file.state, file.done, gifts(), total()) == (F.READY, 3, [], (0, 0))
    page = mirror.page(file)
    assert "新捐款 3 笔，共 ¥1,210.01" in page and "王**" in page and "王小雯" not in page
    assert not storing.path_of(file.kept_as).exists()

    for _twice in range(2):
        mirror.step(file, "taking")
        work()
    assert (newest().state, gifts(), total()) == (F.TAKEN, TAKEN, (121_001, 3))

    again = mirror.compared(sheet(*FIRST))
    assert (again.state, again.same) == (F.READY, 3) and "这份文件里没有新的捐款" in mirror.page(again)
    mirror.step(again, "taking")
    assert (newest().state, gifts()) == (F.READY, TAKEN)
    mirror.step(again, "dropping")

    newer = mirror.taken(sheet(*FIRST[1:], "T4,2026-10-04 08:00:00,5,赵四,否"))
    assert (newer.taken, newer.same) == (1, 2)
    assert (gifts(), total()) == ([*TAKEN, ("T4", 500, "赵**")], (121_501, 4))
    assert named(db.engine, mirror.fund.cashier.storage) == set()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_whatever_letters_the_platform_writes(mirror: Mirror, encoding: str) -> None:
    above = "项目捐赠明细,,\r\n导出时间：2026-10-05,,\r\n"
    file = mirror.taken((above + sheet(*FIRST).decode()).encode(encoding))
    assert (file.state, gifts()) == (F.TAKEN, TAKEN)


def test_a_difference_is_put_before_a_person(mirror: Mirror) -> None:
    mirror.taken(sheet(*FIRST))
    headings, back = f"{HEADINGS},状态", "T2,2026-10-02 09:30:00,1200,李承志,是,已退款"
    file = mirror.taken(
        sheet("T1,2026-10-01 08:00:00,11,王小雯,否,成功", back, "T4,2026-10-05,1,钱五,否,", headings=headings)
    )
    assert (gifts(), total()) == ([*TAKEN, ("T4", 100, "钱**")], (121_101, 4))
    page = mirror.page(file)
    assert "¥11.00" in page and "本站现有" in page and "以平台为准" in page

    for _twice in range(2):
        mirror.decide(file, 3, "followed")
    mirror.decide(file, 2, "kept")
    assert (gifts()[:2], total()) == ([("T1", 1000, "王**"), ("T2", 0, "")], (1101, 3))
    assert mirror.decide(file, 4, "followed").status_code == 404  # new, no difference
    once_more = mirror.compared(sheet("T1,2026-10-01 08:00:00,11,王小雯,否,成功", back, headings=headings))
    assert (once_more.same, once_more.state) == (2, F.READY)  # what was kept is not asked about again
    assert named(db.engine, mirror.fund.cashier.storage) == set()


def test_an_older_difference_does_not_undo_a_newer_word(mirror: Mirror) -> None:
    mirror.taken(sheet(*FIRST))
    older = mirror.compared(sheet("T1,2026-10-01 08:00:00,11,王小雯,否"))
    mirror.step(older, "dropping")
    assert mirror.decide(older, 2, "followed").status_code == 303
    assert total() == (121_001, 3)


def test_rows_that_cannot_be_read_are_named_and_left_out(mirror: Mirror) -> None:
    rows = ("T1,昨天,10,王", ",2026-10-01,10,王", "1.2E+27,2026-10-01,10,王", "T4,2026-10-01,-3,王", "T5,2026-10-01,5,王")
    file = mirror.taken(sheet(*rows, "T5,2026-10-01,6,王", "T5,2026-10-01,5,王", "T6,2098-12-31,5,王"))
    assert gifts() == [("T5", 500, "王**")]
    page = mirror.page(file, "?show=refused")
    for words in ("不是时间", "没有填", "近似数", "不是以元计的金额", "在文件里出现两次", "“2098-12-31” 还没到"):
        assert words in page
    assert page.count("import__wrong") == 6


def test_files_that_say_nothing_are_named(mirror: Mirror) -> None:
    for raw, words in (
        (b"a,b\r\n1,2\r\n", "找不到写着单号"),
        (b"PK\x03\x04x", "工作簿"),
        (sheet(), "没有捐款"),
        (b"\x00\x01\x02", "不是 CSV"),
    ):
        file = mirror.compared(raw)
        assert (file.state, words in mirror.page(file)) == (F.UNREADABLE, True), raw
    empty = post(mirror.client, mirror.files, {"idempotency_key": ids.public_id()})
    assert empty.status_code == 422 and "请选择平台导出的文件" in empty.text


def test_one_file_at_a_time_and_the_same_form_once(mirror: Mirror) -> None:
    key = ids.public_id()
    places = {mirror.send(sheet(*FIRST), idempotency_key=key).location for _twice in range(2)}
    assert len(places) == 1
    refused = mirror.send(sheet(*FIRST))
    assert refused.status_code == 409 and "还有一份文件没处理完" in refused.text
    assert db.session.scalar(select(func.count()).select_from(MirrorFile)) == 1


def test_a_killed_worker_goes_on_where_it_stood(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PORTION", 2)
    monkeypatch.setattr(taking, "PORTION", 2)
    rows = [f"T{number},2026-10-01 08:00:00,1,王,否" for number in range(5)]
    mirror.send(sheet(*rows))
    assert working.work() and newest().done == 2
    assert "已读 2 行" in mirror.page(newest())
    job = in_transaction(working.take)  # and killed
    assert job and not working.work()
    db.session.execute(update(MirrorFile).values(next_at=clock.now() - timedelta(seconds=1)))
    db.session.commit()
    lines = comparing.read_portion(job.kept_as, 0)
    in_transaction(comparing.keep_portion, job.id, 0, lines)  # the slow one comes after all
    work()
    file = newest()
    assert (file.state, file.done, len(db.session.scalars(select(MirrorRow.id)).all())) == (F.READY, 5, 5)
    mirror.step(file, "taking")
    assert working.work() and (newest().taken, total()) == (2, (200, 2))
    work()
    assert (newest().state, total()) == (F.TAKEN, (500, 5))


def test_nothing_can_be_given_here(mirror: Mirror) -> None:
    client, campaign = mirror.fund.browser(), mirror.campaign
    mirror.taken(sheet(*FIRST))
    page = client.get(f"/campaigns/{campaign}").text
    assert f'href="{URL.replace("&", "&amp;")}"' in page and "/gifts/new" not in page and "1,210" in page, page
    assert "李承志" not in page and "李**" not in page and "¥0.00" not in page
    refused = client.get(f"/campaigns/{campaign}/gifts/new?choice=660")
    assert refused.status_code == 409 and "请到腾讯公益捐赠" in refused.text
    with pytest.raises(giving.NotOpen):
        mirror.fund.begin(campaign)
    told: dict[str, Any] = {"amount": Money(100), "giver": Giver(), "station": STATION, "clerk_id": make_person().id}
    with pytest.raises(giving.NotOpen):
        in_transaction(cash.take, campaign=campaign, **told)
    number = db.session.execute(text("SELECT id FROM campaign")).scalar_one()
    with pytest.raises(IntegrityError, match="platform"):
        in_transaction(giving.keep, number, Money(100), Giver(), "test")
    db.session.rollback()
    item = client.get(f"/api/v1/campaigns/{campaign}").json
    assert item and (item["raised_fen"], item["gifts"]) == (0, 0)
    there = item["elsewhere"]
    assert (there["platform"], there["raised_fen"], there["gifts"], there["url"]) == ("腾讯公益", 121_001, 3, URL)
    assert "¥1,210.01" in client.get("/campaigns").text and "¥1,210.01" in client.get(f"/campaigns/{campaign}/embed").text
    assert "腾讯公益" in client.get(f"/campaigns/{campaign}/progress").text


def test_only_officers_of_the_organisation_send_files(mirror: Mirror) -> None:
    file = mirror.compared(sheet(*FIRST))
    approver = mirror.fund.browser()
    sign_in_as(approver, mirror.fund.approver)
    assert approver.get(mirror.files).status_code == 200
    assert post(approver, f"{mirror.files}/{file.public_id}/taking", {}).status_code == 403
    stranger = mirror.fund.browser()
    sign_in_as(stranger, make_person())
    assert stranger.get(mirror.files).status_code == 403
    assert newest().state == F.READY
    own_site = mirror.fund.open()
    with pytest.raises(taking.NotMirrored):
        in_transaction(taking.receive, campaign=own_site, person=1, file_name="x", kept_as="x")


def test_a_mirror_needs_its_page_and_keeps_its_channel(mirror: Mirror) -> None:
    for url in (
        "http://gongyi.qq.com/x",
        "https://gongyi.qq.com.evil.test/",
        "https://x@gongyi.qq.com/",
        "javascript:1",
        "",
    ):
        assert not is_address_of("tencent", url)
    assert is_address_of("lianquan", "https://www.lianquan.org.cn/p/1") and not is_address_of("", URL)
    draft = mirror.fund.draft(**ON_PLATFORM | {"platform_url": ""})
    answer = post(mirror.client, f"/charity/campaigns/{draft}/submission", {})
    assert answer.status_code == 422 and "哪个平台的哪个页面" in answer.text
    for change in ("channel = 'own_site'", "past_goal = 'stop'"):
        with pytest.raises(IntegrityError, match="locked when it opens"), db.engine.begin() as connection:
            connection.execute(text(f"UPDATE campaign SET {change} WHERE state = 'live'"))


def test_what_was_dropped_is_forgotten(mirror: Mirror) -> None:
    file = mirror.compared(sheet(*FIRST))
    mirror.step(file, "dropping")
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        in_transaction(working.forget_dropped)
    assert db.session.scalars(select(MirrorRow.id)).all() == []


TAMPERING = {
    "mirrored campaigns took nothing here": "UPDATE campaign SET channel = 'mirror'",
    "mirrored sums are those of their gifts": "UPDATE mirror_total SET fen = fen + 1",
    "mirrored gifts are as their files say": "UPDATE mirrored_gift SET shown_as = '王小雯' WHERE platform_number = 'T1'",
    "taken files were taken whole": "DELETE FROM mirrored_gift WHERE platform_number = 'T3'",
    "states have traces": "UPDATE mirror_file SET state = 'dropped'",
}


def test_whatever_was_tampered_with_is_named(mirror: Mirror) -> None:
    mirror.taken(sheet(*FIRST))
    mirror.fund.give(mirror.fund.open())
    db.session.remove()
    cashier = mirror.fund.cashier.storage
    assert named(db.engine, cashier) == set()
    found = {check: named(db.engine, cashier, ours=sql) for check, sql in TAMPERING.items()}
    assert {check: names for check, names in found.items() if check not in names} == {}


@given(st.lists(st.text(max_size=30), min_size=5, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_row_is_read_or_named(cells: list[str]) -> None:
    places = find_heading([HEADINGS.split(",")])
    assert places
    try:
        said = read_row(cells, places[1])
    except Wrong as wrong:
        problems = wrong.problems
    else:
        problems = []
        assert said.fen > 0 and said.at.tzinfo and (not said.shown_as or len(said.shown_as) == 3)
    assert all(column in wording.COLUMNS and code in wording.OF_ROWS for column, code, _typed in problems)


@given(st.integers(1, 10**9), st.sampled_from(["{}", "¥{}", "{}元", " {} "]))
def test_sums_are_read_to_the_fen(fen: int, form: str) -> None:
    assert columns.fen(form.format(f"{fen // 100}.{fen % 100:02d}")) == fen
    assert columns.fen(form.format(f"{fen // 100:,}.{fen % 100:02d}")) == fen
