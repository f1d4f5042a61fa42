"""What of a campaign goes elsewhere: figures for pages that stay open, a poster, a card on other people's pages."""

import re
from typing import Any

import pytest

from crowdfund.campaigns import posters
from crowdfund.campaigns.teams import joining
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from tests.campaigns.conftest import Fund
from tests.campaigns.test_pages import SHOP
from tests.factories import make_person, sign_in_as

SOLD = re.compile(r"购物车|加入购物车|优惠券|促销|广告|赞助商品")


def test_an_open_page_is_told_only_what_has_changed(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    for path in (f"/campaigns/{campaign}/progress", "/ledger/progress", f"/ledger/progress?campaign={campaign}"):
        sign_in_as(client, make_person())  # whom no page cache answers
        first = client.get(path)
        tag = first.headers["ETag"]
        again = client.get(path, headers={"If-None-Match": tag})
        assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
        assert "<html" not in first.text
    path = f"/campaigns/{campaign}/progress"
    tag = client.get(path).headers["ETag"]
    fund.give(campaign, 660)
    db.session.rollback()
    moved = client.get(path, headers={"If-None-Match": tag})
    assert moved.status_code == 200 and "¥6.60" in re.sub(r"<[^>]+>", "", moved.text)
    assert f'data-live="{path}"' in client.get(f"/campaigns/{campaign}").text


def test_a_card_for_other_pages_runs_nothing_and_knows_nobody(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 660, name="李承志", anonymity="named")
    answer = fund.browser().get(f"/campaigns/{campaign}/embed")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert "frame-ancestors *" in policy and "script-src" not in policy and "form-action 'none'" in policy
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin" and "X-Frame-Options" not in answer.headers
    assert "<script" not in answer.text and "<form" not in answer.text and "李承志" not in answer.text
    assert "¥6.60" in answer.text and f'/campaigns/{campaign}"' in answer.text
    assert "frame-ancestors 'none'" in fund.browser().get(f"/campaigns/{campaign}").headers["Content-Security-Policy"]


def test_a_poster_has_the_code_on_paper_and_as_a_picture(fund: Fund) -> None:
    campaign, client = fund.open(title_zh="给临县添一架书 & <书>"), fund.browser()
    share, poster = (client.get(f"/campaigns/{campaign}/{name}") for name in ("share", "poster"))
    assert share.text.count('class="segno"') == 1 == poster.text.count('class="segno"')
    assert "DEMO-0417" in poster.text and "¥18,000.00" in poster.text
    picture = client.get(f"/campaigns/{campaign}/poster.svg")
    assert picture.mimetype == "image/svg+xml" and "&lt;书&gt;" in picture.text and "<书>" not in picture.text
    assert picture.headers["Content-Disposition"] == f"attachment; filename=poster-{campaign}.svg"
    draft = fund.approved()
    for name in ("progress", "share", "poster", "poster.svg", "embed"):
        assert client.get(f"/campaigns/{draft}/{name}").status_code == 404


@pytest.mark.parametrize(
    ("language", "title", "purpose"),
    [
        ("zh", "临县玉坪乡公共冷库（二期），" * 4 + "末", "补足公共冷库的电费和温湿度监测。" * 12 + "完"),
        ("en", "Linxian Yuping Public Cold Store: Free Storage for Smallholders and Beekeepers of Three Townships", "短"),
        ("en", "W" * 120, "https://example.test/" + "a" * 170),
    ],
)
def test_the_posters_picture_cuts_nothing_off(fund: Fund, language: str, title: str, purpose: str) -> None:
    """And breaks no English word that fits into a line."""
    campaign = fund.open(title_zh=title[:60], title_en=title if language == "en" else "", purpose_zh=purpose)
    client = fund.browser()
    client.set_cookie("lang", language)
    picture = client.get(f"/campaigns/{campaign}/poster.svg").text
    groups = re.findall(r'<g font-family="[a-z-]+"[^>]* font-size="(\d+)">(.*?)</g>', picture, re.S)
    assert len(groups) == 2
    lowest = 0
    for (size, group), words in zip(groups, (title, purpose), strict=True):
        lines = re.findall(r'<text x="40" y="(\d+)">([^<]*)</text>', group)
        assert "".join(line for _y, line in lines).replace(" ", "") == words.replace(" ", "")
        assert all(posters.width(line) * int(size) <= posters.ACROSS + int(size) for _y, line in lines)
        heights = [int(y) for y, _line in lines]
        assert heights == sorted(heights) and heights[0] > lowest
        lowest = heights[-1]
    assert lowest < 486  # where the code begins
    beside = re.findall(r'<text x="40" y="(\d+)" font-size="(\d+)">([^<]*)<', picture)
    widths = [posters.width(line) * int(size) for y, size, line in beside if 490 < int(y) < 674]
    assert widths and max(widths) <= posters.BESIDE_THE_CODE  # nothing stands on the code
    assert " ".join(re.findall(r'y="\d+">([^<]*)</text>', groups[0][1])) == title or " " not in title


def test_no_page_of_giving_together_sells_anything(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    told: dict[str, Any] = {"leader_id": make_person().id, "shown_as": "", "name": "队", "words": ""}
    team = in_transaction(joining.open_team, campaign=campaign, **told)
    for name in (f"teams/{team}", "share", "poster", "embed", "gifts/new?choice=500000"):
        page = client.get(f"/campaigns/{campaign}/{name}").text
        links = re.findall(r'(?:href|action|src)="([^"#]*)"', page)
        assert not [link for link in links if link.startswith(SHOP)], name
        assert not [link for link in links if "//" in link and not link.startswith(settings().base_url)], name
        assert not SOLD.search(re.sub(r"<[^>]+>", " ", page)), name
        assert not re.search(r'name="(tip|fee|round_up)"', page), name


def test_what_is_beyond_the_goal_is_said_to_the_fen(fund: Fund) -> None:
    campaign = fund.open(past_goal="next_project", next_project_zh="下学期补书")
    fund.give(campaign, 1_800_000)
    assert "用于下一个项目" not in fund.browser().get(f"/campaigns/{campaign}/progress").text
    fund.give(campaign, 7)
    page = fund.browser().get(f"/campaigns/{campaign}/progress").text
    assert "其中 ¥0.07 超出目标，用于下一个项目：下学期补书" in page
