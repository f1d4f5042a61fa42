"""Who may send a form, and what happens to one whose sender is not known."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from marketplace.core import forgery
from tests.factories import signed_in

OURS = "http://localhost"


@pytest.fixture(scope="module")
def app_with_a_form(module_app: Flask) -> Flask:
    """The application with a form that says what it got."""

    @module_app.post("/form")
    def post_form() -> str:
        return f"got {request.form.get('name')}"

    @module_app.post("/hook")
    @forgery.exempt
    def hook() -> str:
        return "heard"

    @module_app.get("/token")
    def token() -> str:
        return str(module_app.jinja_env.globals["csrf_token"]())  # type: ignore[operator]

    return module_app


@pytest.fixture
def form_app(app_with_a_form: Flask) -> Iterator[Flask]:
    with app_with_a_form.app_context():
        yield app_with_a_form


@pytest.fixture
def stranger(form_app: Flask) -> FlaskClient:
    return form_app.test_client()


@pytest.fixture
def member(form_app: Flask) -> FlaskClient:
    client = form_app.test_client()
    signed_in(client)
    return client


OUR_OWN = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": OURS},
    {"Referer": f"{OURS}/cart?page=2"},
    {"Origin": "null", "Referer": f"{OURS}/cart"},
]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": OURS},
    {"Origin": "https://evil.example"},
    {"Origin": "https://localhost"},
    {"Origin": f"{OURS}.evil.example"},
    {"Referer": "https://evil.example/localhost"},
    {"Referer": f"https://evil.example/?{OURS}"},
    {"Referer": "http://localhost@evil.example/"},
    {"Origin": "http://[bad"},
    {"Origin": "null", "Referer": "http://[::1"},
]
UNKNOWN: list[dict[str, str]] = [{}, {"Origin": "null"}]


@pytest.mark.parametrize("headers", OUR_OWN)
def test_a_strangers_form_from_our_pages_is_taken(stranger: FlaskClient, headers: dict[str, str]) -> None:
    assert stranger.post("/form", data={"name": "小米"}, headers=headers).text == "got 小米"


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_sites_form_is_refused(stranger: FlaskClient, member: FlaskClient, headers: dict[str, str]) -> None:
    token = member.get("/token").text
    assert stranger.post("/form", data={"name": "x"}, headers=headers).status_code == 403
    assert member.post("/form", data={"name": "x", "csrf_token": token}, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", UNKNOWN)
def test_where_nothing_is_known_a_page_asks_to_send_it_once_more(stranger: FlaskClient, headers: dict[str, str]) -> None:
    typed = {"name": '<b>"小米"', "count": ["1", "2"], "csrf_token": "old"}
    asked = stranger.post("/form?step=2", data=typed, headers=headers)

    assert asked.status_code == 400
    assert re.findall(r'type="hidden" name="(?!csrf_token)(\w+)" value="([^"]*)"', asked.text) == [
        ("name", "&lt;b&gt;&#34;小米&#34;"),
        ("count", "1"),
        ("count", "2"),
    ]
    assert 'action="/form?step=2"' in asked.text

    token = re.findall(r'name="csrf_token" value="([^"]+)"', asked.text)[0]
    assert stranger.post("/form", data={"name": "小米", "csrf_token": token}, headers=headers).text == "got 小米"


def test_the_token_of_another_browser_is_worth_nothing(form_app: Flask, stranger: FlaskClient) -> None:
    page = form_app.test_client().post("/form").text
    stolen = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    assert stranger.post("/form", data={"csrf_token": stolen}).status_code == 400


def test_a_session_needs_its_token_as_well(member: FlaskClient) -> None:
    here = {"Sec-Fetch-Site": "same-origin"}
    token = member.get("/token").text

    assert member.post("/form", data={"name": "a"}, headers=here).status_code == 400
    assert member.post("/form", data={"name": "a", "csrf_token": token}, headers=here).text == "got a"
    assert member.post("/form", data={"name": "a"}, headers={**here, "X-CSRF-Token": token}).text == "got a"


def test_a_token_that_is_too_old_leads_back_with_what_was_typed(
    member: FlaskClient, form_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = member.get("/token").text
    monkeypatch.setitem(form_app.config, "WTF_CSRF_TIME_LIMIT", -1)
    asked = member.post("/form", data={"name": "小米", "csrf_token": token}, headers={"Origin": OURS})
    assert asked.status_code == 400
    assert 'name="name" value="小米"' in asked.text


def test_passwords_and_files_are_not_written_into_the_page(stranger: FlaskClient) -> None:
    typed = {"name": "小米", "password": "hunter2 hunter2"}
    with open(__file__, "rb") as file:
        asked = stranger.post("/form", data={**typed, "picture": (file, "a.png")})

    assert "hunter2" not in asked.text
    assert 'type="password"' in asked.text and 'type="file"' in asked.text
    assert 'enctype="multipart/form-data"' in asked.text


def test_a_webhook_is_known_by_its_signature_alone(stranger: FlaskClient) -> None:
    assert stranger.post("/hook", headers={"Sec-Fetch-Site": "cross-site"}).text == "heard"


def test_strangers_pages_carry_no_token_and_begin_no_session(stranger: FlaskClient) -> None:
    answer = stranger.get("/token")
    assert answer.text == ""
    assert "Set-Cookie" not in answer.headers


def test_reading_needs_nothing(member: FlaskClient) -> None:
    assert member.get("/token", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
