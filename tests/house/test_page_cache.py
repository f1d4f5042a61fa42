"""Strangers' pages are answered before Flask, and never show what has changed."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import count

import brotli
import pytest
import time_machine
from flask import Flask, abort, make_response, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from hypothesis import given, strategies as st
from werkzeug.http import parse_cookie

from marketplace.core import memory, outbox, page_cache, page_versions
from marketplace.core.db import in_transaction
from marketplace.core.page_cache import PageCache
from tests.tiers import in_full

Gathered = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def cached_app(own_app: Flask) -> Iterator[Flask]:
    """The application with pages that number their making, the cache on, and a glance at the versions at each request."""
    made = count(1)

    @own_app.get("/numbered")
    def numbered() -> str:
        page_cache.tags("numbers", f"lang:{request.cookies.get('lang')}")
        return f"<p>{next(made)}</p>" + "<p>long enough to be compressed</p>" * 40

    @own_app.get("/unmarked")
    def unmarked() -> str:
        return f"{next(made)}"

    @own_app.get("/with-cookie")
    def with_cookie() -> ResponseReturnValue:
        page_cache.tags("numbers")
        response = make_response(f"{next(made)}")
        response.set_cookie("seen", "1")
        return response

    @own_app.get("/gone")
    def gone() -> ResponseReturnValue:
        page_cache.tags("numbers")
        abort(410)

    cache: PageCache = own_app.extensions["page_cache"]
    cache.is_on = True
    yield own_app
    outbox.collectors[page_cache.TOPIC] = page_cache.collect


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)


@pytest.fixture
def stranger(cached_app: Flask) -> FlaskClient:
    return cached_app.test_client()


def number(client: FlaskClient, path: str = "/numbered", **more: str) -> str:
    return client.get(path, **more).text.partition("</p>")[0].removeprefix("<p>")


def test_a_page_is_made_once(stranger: FlaskClient) -> None:
    assert [number(stranger) for _ in range(3)] == ["1", "1", "1"]


def test_a_change_makes_it_anew_once_it_is_committed(cached_app: Flask, stranger: FlaskClient) -> None:
    assert number(stranger) == "1"

    in_transaction(page_cache.expire, "something else")
    outbox.deliver()
    assert number(stranger) == "1"

    in_transaction(page_cache.expire, "numbers")
    assert number(stranger) == "1"
    outbox.deliver()
    assert number(stranger) == "2"
    assert number(stranger) == "2"


def test_a_change_while_the_page_is_made_is_not_missed(cached_app: Flask, stranger: FlaskClient) -> None:
    @cached_app.get("/slow")
    def slow() -> str:
        page_cache.tags("slow")
        if not cached_app.config.setdefault("CHANGED", False):
            cached_app.config["CHANGED"] = True
            in_transaction(page_versions.raise_versions, tags=["slow"])
            return "old"
        return "new"

    assert stranger.get("/slow").text == "old"
    assert stranger.get("/slow").text == "new"


def test_every_second_change_is_seen_as_well(cached_app: Flask, stranger: FlaskClient) -> None:
    for expected in ("1", "2", "3"):
        assert number(stranger) == expected
        in_transaction(page_versions.raise_versions, tags=["numbers", "numbers"])


def test_language_and_size_of_text_are_told_apart(stranger: FlaskClient) -> None:
    assert number(stranger) == "1"
    stranger.set_cookie("lang", "en")
    assert number(stranger) == "2"
    stranger.set_cookie("elder", "1")
    assert number(stranger) == "3"
    stranger.delete_cookie("elder")
    assert number(stranger) == "2"


@pytest.mark.parametrize("cookie", ["session", "cart", "anything"])
def test_whoever_is_no_stranger_goes_past_it(stranger: FlaskClient, cookie: str) -> None:
    assert number(stranger) == "1"
    stranger.set_cookie(cookie, "x")
    assert number(stranger) == "2"
    assert number(stranger) == "3"
    stranger.delete_cookie(cookie)
    assert number(stranger) == "1"


def test_questions_are_told_apart_and_unexpected_ones_not_kept(stranger: FlaskClient) -> None:
    assert number(stranger, "/numbered?page=1&q=a") == "1"
    assert number(stranger, "/numbered?q=a&page=1") == "1"
    assert number(stranger, "/numbered?q=b&page=1") == "2"
    assert number(stranger, "/numbered?fbclid=1") == "3"
    assert number(stranger, "/numbered?fbclid=1") == "4"


def test_another_host_gets_a_page_of_its_own(stranger: FlaskClient) -> None:
    assert number(stranger) == "1"
    assert number(stranger, base_url="http://elsewhere.example") == "2"


@pytest.mark.parametrize("path", ["/unmarked", "/with-cookie"])
def test_what_is_not_marked_or_sets_a_cookie_is_not_kept(cached_app: Flask, path: str) -> None:
    assert cached_app.test_client().get(path).text != cached_app.test_client().get(path).text


def test_only_success_is_kept(cached_app: Flask, stranger: FlaskClient) -> None:
    assert stranger.get("/gone").status_code == 410
    assert not cached_app.extensions["page_cache"].pages


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"), [("gzip, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)]
)
def test_it_comes_compressed(stranger: FlaskClient, accepted: str, encoding: str, decode: Callable[[bytes], bytes]) -> None:
    plain = stranger.get("/numbered")
    small = stranger.get("/numbered", headers={"Accept-Encoding": accepted})

    assert small.headers["Content-Encoding"] == encoding
    assert decode(small.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert small.content_length == len(small.data) < plain.content_length == len(plain.data)
    assert small.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in small.headers["Vary"] and "Cookie" in small.headers["Vary"]


def test_a_browser_that_has_it_gets_no_body(stranger: FlaskClient) -> None:
    first = stranger.get("/numbered", headers={"Accept-Encoding": "br"})
    again = stranger.get("/numbered", headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    other = stranger.get("/numbered", headers={"Accept-Encoding": "br", "If-None-Match": '"else"'})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Content-Length" not in again.headers
    assert other.status_code == 200


def test_head_is_the_same_without_a_body(stranger: FlaskClient) -> None:
    fresh, page, kept = stranger.head("/numbered"), stranger.get("/numbered"), stranger.head("/numbered")

    assert fresh.data == kept.data == b""
    assert fresh.headers["ETag"] == kept.headers["ETag"] == page.headers["ETag"]
    assert fresh.headers["Content-Length"] == kept.headers["Content-Length"] == page.headers["Content-Length"]


def test_head_of_what_is_not_kept_has_no_body_either(stranger: FlaskClient) -> None:
    assert (stranger.head("/unmarked").status_code, stranger.head("/unmarked").data) == (200, b"")


def test_a_kept_answer_says_all_that_a_fresh_one_says(stranger: FlaskClient) -> None:
    fresh, kept = stranger.get("/numbered"), stranger.get("/numbered")

    assert len(fresh.headers.pop("X-Request-ID")) == 16  # a line of the log tells of it; of the kept one none does
    assert "X-Request-ID" not in kept.headers
    assert sorted(fresh.headers) == sorted(kept.headers)
    assert "default-src 'none'" in kept.headers["Content-Security-Policy"]
    assert kept.headers["Cache-Control"] == "no-cache"


def test_it_stays_within_its_bounds(cached_app: Flask, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    cache: PageCache = cached_app.extensions["page_cache"]
    number(stranger, "/numbered?page=99")
    monkeypatch.setattr(cache.pages, "most", cache.pages.weight * 3 + 10)

    for page in range(10):
        number(stranger, f"/numbered?page={page}")

    assert len(cache.pages) == 3
    assert cache.pages.weight <= cache.pages.most
    assert number(stranger, "/numbered?page=9") == "11"


def test_nothing_lives_longer_than_a_minute(stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert number(stranger) == "1"
    monkeypatch.setattr(memory, "LONGEST_LIFE", 0.0)
    assert number(stranger) == "2"


def test_the_versions_cost_one_statement_a_second(
    stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch, count_statements: Gathered
) -> None:
    number(stranger)
    monkeypatch.setattr(page_versions, "GLANCE", 3600.0)
    with count_statements() as sent:
        number(stranger)
    assert sent == []
    monkeypatch.setattr(page_versions, "GLANCE", 0.0)
    with count_statements() as sent:
        number(stranger)
    assert len(sent) == 1


ODD_COOKIES: tuple[str, ...] = (
    'lang="en"',
    "lang=e\\156",
    "lang=en; lang=zh_CN",
    "elder=1; elder=1",
    "lang=en;elder=1",
    "lang=xx",
)
ODD_COOKIES += ("to=14000", "to=1400000", 'to="140000"', "to=140000; to=110000", "to=１４００００")


@pytest.mark.parametrize("cookie", [*ODD_COOKIES[:4], *in_full(*ODD_COOKIES[4:])])
def test_a_cookie_written_in_another_way_decides_for_nobody_else(
    cached_app: Flask, stranger: FlaskClient, cookie: str
) -> None:
    cached_app.test_client(use_cookies=False).get("/numbered", headers={"Cookie": cookie})

    assert number(stranger) == "2"
    assert number(stranger) == "2"


@pytest.mark.parametrize(("one", "other"), [("q=b&q=a", "q=a&q=b"), ("q=%FF", "q=%FE"), ("q=%FF", "q=%EF%BF%BD")])
def test_questions_that_a_view_reads_otherwise_are_told_apart(stranger: FlaskClient, one: str, other: str) -> None:
    assert number(stranger, f"/numbered?{one}") == "1"
    assert number(stranger, f"/numbered?{other}") == "2"


@given(st.text(alphabet='lange=rdzh_CNto1; "\\0156', max_size=24))
def test_strangers_share_a_page_only_if_flask_reads_the_same_of_them(cookies: str) -> None:
    shown = page_cache.preferences_of(cookies)

    read = parse_cookie(cookies)
    assert shown is None or shown == (read.get("lang", "zh_CN"), read.get("elder", ""), read.get("to", ""))


def test_a_province_has_a_page_of_its_own_where_the_page_speaks_of_it(cached_app: Flask, stranger: FlaskClient) -> None:
    made = count(1)

    @cached_app.get("/listings/numbered")
    def good() -> str:
        page_cache.tags("numbers")
        return f"<p>{next(made)}</p>"

    def numbers(province: str) -> tuple[str, str]:
        stranger.set_cookie("to", province)
        return number(stranger, "/listings/numbered"), number(stranger)

    assert numbers("140000") == ("1", "1")
    assert numbers("610000") == ("2", "1")
    assert numbers("140000") == ("1", "1")
    assert number(stranger, "/listings/numbered?to=610000") == "3"


def test_after_midnight_nothing_is_promised_as_it_was_before(stranger: FlaskClient) -> None:
    with time_machine.travel(datetime(2026, 10, 18, 15, 59, 59, tzinfo=UTC), tick=False) as clock:
        assert [number(stranger), number(stranger)] == ["1", "1"]
        clock.shift(1)  # midnight in Shanghai
        assert [number(stranger), number(stranger)] == ["2", "2"]
