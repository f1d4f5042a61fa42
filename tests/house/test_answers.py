"""What stands on every answer, what a failure shows, and what is written about both."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, abort, flash
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, TimeoutError as NoPlaceInPool

from marketplace.app import create_app
from marketplace.core import encodings, headers, logs
from marketplace.core.db import db
from marketplace.core.errors import StaleState, TooMany
from marketplace.core.settings import Settings, load_settings


@pytest.fixture(scope="module")
def app_that_fails(module_app: Flask) -> Flask:
    """The application with views that refuse and fail, answering as it would in earnest."""
    module_app.config["PROPAGATE_EXCEPTIONS"] = False

    @module_app.get("/stale")
    @module_app.get("/api/v1/stale", endpoint="api_stale")
    def stale() -> str:
        raise StaleState("parcel:1")

    @module_app.get("/too-many")
    def too_many() -> str:
        raise TooMany("sign-in", 30)

    @module_app.get("/broken/<who>")
    def broken(who: str) -> str:
        raise ZeroDivisionError

    @module_app.get("/aborted")
    def aborted() -> str:
        abort(418)

    @module_app.get("/silent")
    @module_app.get("/api/v1/silent", endpoint="api_silent")
    def silent() -> str:
        raise OperationalError("SELECT 1", {}, ConnectionRefusedError("nobody there"))

    @module_app.get("/crowded")
    def crowded() -> str:
        raise NoPlaceInPool("QueuePool limit of size 8 overflow 8 reached")

    @module_app.get("/flashed")
    def flashed() -> str:
        flash("x")
        return "long enough to be compressed " * 100

    return module_app


@pytest.fixture
def failing(app_that_fails: Flask) -> Iterator[FlaskClient]:
    with app_that_fails.app_context():
        yield app_that_fails.test_client()


def test_policies(client: FlaskClient) -> None:
    headers = client.get("/no-such-page").headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; form-action 'self' https://checkout.stripe.com "
        "https://connect.stripe.com; frame-ancestors 'none'; "
        "base-uri 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_cookies_of_a_session(failing: FlaskClient) -> None:
    cookie = failing.get("/flashed").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_in_earnest_everything_is_secure(settings_in_production: Settings) -> None:
    app = create_app(settings_in_production, TESTING=True)
    assert app.config["SESSION_COOKIE_SECURE"] is True
    headers = app.test_client().get("/static/none", base_url="https://shop.example").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_files_say_the_same_as_pages(app: Flask, client: FlaskClient) -> None:
    page = client.get("/no-such-page").headers
    address = app.jinja_env.globals["static_url"]("js/site.js")  # type: ignore[operator]
    for path in (address, "/robots.txt", "/favicon.ico", "/favicon.svg"):
        with client.get(path) as file:
            assert file.status_code == 200, path
            for name in headers.ALWAYS.keys() - {"Content-Security-Policy"}:
                assert file.headers[name] == page[name], (path, name)
            assert file.headers["Content-Security-Policy"] == "default-src 'none'"
            assert "Access-Control-Allow-Origin" not in file.headers


def test_in_earnest_files_insist_on_https_as_well(settings_in_production: Settings) -> None:
    app = create_app(settings_in_production, TESTING=True)
    address = app.jinja_env.globals["static_url"]("css/site.css")  # type: ignore[operator]
    with app.test_client().get(address, base_url="https://shop.example") as file:
        assert file.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/static/css/site/10-tokens.css", "/static/js/site/30-busy.js", "/static/favicon.svg"])
def test_sources_are_served_to_nobody(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_robots_read_the_shelves_and_nobodys_own_pages(client: FlaskClient) -> None:
    with client.get("/robots.txt") as answer:
        lines = answer.get_data(as_text=True).splitlines()
        assert answer.mimetype == "text/plain"
    assert "User-agent: *" in lines and "Disallow: /account" in lines and "Disallow: /search" not in lines


def test_whoever_asks_for_the_icon_by_its_old_name_gets_one(client: FlaskClient) -> None:
    with client.get("/favicon.ico") as answer:
        assert answer.data[:4] == b"\0\0\1\0" and len(answer.data) < 5000


@pytest.fixture
def settings_in_production(tmp_path: Any) -> Settings:
    return load_settings(
        app_env="production",
        data=tmp_path,
        base_url="https://shop.example",
        secret_key="k" * 40,
        fingerprint_key="f" * 40,
        field_keys=f"k1:{'ab' * 32}",
    )


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/no-such-page", 404, "没找到这个。"),
        ("/stale", 409, "有人先动了一步"),
        ("/too-many", 429, "歇一会儿"),
        ("/broken/somebody", 500, "我们这边出了错"),
        ("/aborted", 418, "没看懂"),
    ],
)
def test_a_failure_says_so_in_the_visitors_words(failing: FlaskClient, path: str, status: int, words: str) -> None:
    answer = failing.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "<h1" in answer.text


def test_who_asks_for_help_has_a_number_to_name(failing: FlaskClient) -> None:
    broken, refused = failing.get("/broken/x"), failing.get("/stale")
    assert f"报这个编号：{broken.headers['X-Request-ID']}" in broken.text
    assert refused.headers["X-Request-ID"] not in refused.text


@pytest.mark.parametrize("path", ["/silent", "/crowded", "/api/v1/silent"])
def test_a_database_that_does_not_answer_is_a_moment_to_wait(
    failing: FlaskClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    failing.set_cookie("cart", "somebody's")
    answer = failing.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "这会儿有点忙，再试一次。" in answer.text


def test_who_is_too_quick_learns_when_to_come_back(failing: FlaskClient) -> None:
    assert failing.get("/too-many").headers["Retry-After"] == "30"


def test_what_an_address_takes_is_said(failing: FlaskClient) -> None:
    answer = failing.put("/stale")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(("path", "status"), [("/api/v1/stale", 409), ("/api/v1/nothing", 404)])
def test_programs_get_a_problem_document(failing: FlaskClient, path: str, status: int) -> None:
    answer = failing.get(path, headers={"Cookie": "lang=en"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json(force=True)["status"] == status
    assert answer.headers["X-Request-ID"] in answer.text


def test_when_even_the_page_fails_there_are_words(failing: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.core.error_pages.render_template", lambda *_args, **_more: 1 / 0)
    answer = failing.get("/broken/x")
    assert (answer.status_code, answer.content_type) == (500, "text/plain; charset=utf-8")
    assert "我们这边出了错" in answer.text


def test_a_line_tells_the_view_and_nothing_of_the_visitor(
    failing: FlaskClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        logs.configure(as_json=True)
        answer = failing.get("/broken/wang-fang?phone=13800002045", headers={"X-Request-ID": "forged"})
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [line["event"] for line in lines] == ["failed", "answered"]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-ID"]} != {"forged"}
    assert (lines[1]["view"], lines[1]["method"], lines[1]["status"]) == ("broken", "GET", 500)
    assert "wang-fang" not in str(lines)
    assert "13800002045" not in str(lines)


def test_a_failure_shown_to_a_person_holds_no_values(failing: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    root, who = logging.getLogger(), "-".join(("wang", "fang"))  # the source itself stands in a traceback
    level, handlers = root.level, root.handlers[:]
    try:
        logs.configure(as_json=False)
        failing.get(f"/broken/{who}")
        with pytest.raises(IntegrityError) as wrong:
            db.session.execute(text("INSERT INTO person (name) VALUES (:name)"), {"name": who})
        logging.getLogger("x").error("failed", exc_info=wrong.value)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        db.session.rollback()
    said = capsys.readouterr().err

    assert "ZeroDivisionError" in said and "IntegrityError" in said and "Traceback" in said
    assert who not in said


def test_pages_made_for_one_visitor_come_compressed_too(failing: FlaskClient) -> None:
    small = failing.get("/flashed", headers={"Accept-Encoding": "gzip, br;q=1.0"})
    assert small.headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert len(small.data) < 100


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("BR", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000, gzip; q=0", ""),
        ("identity", ""),
        ("brotli", ""),
    ],
)
def test_which_encoding_a_browser_prefers(header: str, encoding: str) -> None:
    assert encodings.preferred(header) == encoding
