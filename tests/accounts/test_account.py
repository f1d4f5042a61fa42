import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import passwords, people, second_factor, sign_in
from marketplace.accounts.contact import masked
from marketplace.accounts.devices import described
from marketplace.accounts.models import Address, Person, RecoveryCode, SignInSession
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import AppEnvironment
from marketplace.notifications.models import Message
from tests.factories import STATION, make_person, make_shipping, make_station, sign_in_as, signed_in

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
OURS = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "millet and walnuts 58"
HOME = {"recipient": "郭晓芸", "phone": "13800002045", "province": "140000", "city": "太原市小店区", "street": "学府街 1 号"}


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


RUBBISH = ["", "1380000", "<script>alert(1)</script>", "🍎" * 60, "x" * 10_000, "'; DROP TABLE person"]


def count(session: Session, kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditRecord.action).order_by(AuditRecord.id)))


def send(client: FlaskClient, path: str, **data: str) -> tuple[int, str]:
    """Post a form with the token of the person's page; (status, page or where it leads)."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    answer = client.post(path, data={**data, "csrf_token": found[1] if found else ""}, headers=OURS)
    return answer.status_code, answer.headers.get("Location") or answer.text


def code_for(page: str) -> dict[str, str]:
    """What the page that was sent would send with the digits of the message."""
    code = re.search(r'name="code" type="hidden" value="(\w+)"', page)
    assert code
    sent = db.session.scalars(select(Message).where(Message.fact == f"code:{code[1]}")).one()
    digits = re.search(r"\d{6}", sent.text)
    assert digits
    return {"code": code[1], "digits": digits[0]}


def test_a_new_phone_counts_after_its_code_and_the_old_one_is_told(client: FlaskClient, session: Session) -> None:
    person = sign_in_as(client, make_person(address="13800002045"))

    status, page = send(client, "/account/contact", address="１３９ 0000 2046")
    assert status == 200 and person.phone == "13800002045"
    wrong = send(client, "/account/contact/confirmation", address="13900002046", code=code_for(page)["code"], digits="12")
    assert wrong[0] == 422 and person.phone == "13800002045"

    assert send(client, "/account/contact/confirmation", address="13900002046", **code_for(page)) == (303, "/account")

    assert person.phone == "13900002046" and people.find(session, "13900002046") is person
    told = session.scalars(select(Message).where(Message.fact.startswith("contact:"))).one()
    assert told.address == "13800002045" and "13900002046" not in told.text
    assert "contact.changed" in actions(session)


def test_the_code_of_one_account_changes_no_other(client: FlaskClient, app: Flask, session: Session) -> None:
    mine, theirs = make_person(address="13800002045"), make_person(address="13800002046")
    other = app.test_client()
    sign_in_as(client, mine)
    sign_in_as(other, theirs)
    _status, page = send(client, "/account/contact", address="13900002047")

    assert send(other, "/account/contact/confirmation", address="13900002047", **code_for(page))[0] == 422
    assert send(other, "/sign-in", address="13900002047", **code_for(page))[0] == 422

    assert (mine.phone, theirs.phone) == ("13800002045", "13800002046")


def test_an_address_of_another_is_refused_only_to_who_can_read_there(client: FlaskClient, session: Session) -> None:
    make_person(address="taken@example.test")
    person = sign_in_as(client, make_person(address="13800002045"))

    status, page = send(client, "/account/contact", address="taken@example.test")
    assert status == 200
    status, refused = send(client, "/account/contact/confirmation", address="taken@example.test", **code_for(page))

    assert status == 409 and "已经有账号了" in refused
    assert person.email is None


@pytest.mark.parametrize("typed", RUBBISH)
def test_rubbish_is_refused_by_the_field_and_kept(client: FlaskClient, session: Session, typed: str) -> None:
    signed_in(client)
    status, page = send(client, "/account/contact", address=typed)

    assert status == 422 and "field--wrong" in page and "<script>alert" not in page
    assert count(session, Message) == 0


@pytest.mark.parametrize(("typed", "kept"), [("  郭晓芸 ", "郭晓芸"), ("<b>Guo</b>", "<b>Guo</b>"), ("ＧＵＯ", "GUO")])
def test_a_name_is_kept_as_it_was_typed_and_shown_as_text(client: FlaskClient, typed: str, kept: str) -> None:
    person = signed_in(client)

    assert send(client, "/account/name", name=typed) == (303, "/account")

    assert person.name == kept
    assert "<b>Guo" not in client.get("/account").text


def test_addresses_are_added_changed_and_removed(client: FlaskClient, session: Session) -> None:
    make_shipping()
    person = signed_in(client)

    for _time in range(2):  # a repeated submit
        assert send(client, "/account/addresses/new", **HOME) == (303, "/account/addresses")
    row = session.scalars(select(Address)).one()
    assert (row.person_id, row.recipient, row.street) == (person.id, "郭晓芸", "学府街 1 号")
    page = client.get("/account/addresses").text
    assert "山西省 太原市小店区 学府街 1 号" in page and "138****2045" in page

    assert send(client, f"/account/addresses/{row.public_id}", **HOME | {"street": "学府街 2 号"})[0] == 303
    assert session.scalars(select(Address.street)).all() == ["学府街 2 号"]

    assert send(client, f"/account/addresses/{row.public_id}/removal")[0] == 303
    assert count(session, Address) == 0


@pytest.mark.parametrize(
    "wrong", [{"phone": "123"}, {"province": "999999"}, {"recipient": ""}, {"street": "x" * 121}, {"city": "x" * 10_000}]
)
def test_a_bad_postal_address_changes_nothing(client: FlaskClient, session: Session, wrong: dict[str, str]) -> None:
    make_shipping()
    signed_in(client)
    send(client, "/account/addresses/new", **HOME)
    row = session.scalars(select(Address)).one()

    for path in ("new", row.public_id):
        status, page = send(client, f"/account/addresses/{path}", **HOME | wrong)
        assert status == 422 and "field--wrong" in page

    assert session.scalars(select(Address.phone)).all() == ["13800002045"]


def test_an_address_of_another_does_not_exist(client: FlaskClient, app: Flask, session: Session) -> None:
    make_shipping()
    signed_in(client)
    send(client, "/account/addresses/new", **HOME)
    theirs = session.scalars(select(Address)).one().public_id
    signed_in(other := app.test_client())

    assert other.get(f"/account/addresses/{theirs}").status_code == 404
    assert send(other, f"/account/addresses/{theirs}", **HOME | {"street": "2"})[0] == 404
    assert send(other, f"/account/addresses/{theirs}/removal")[0] == 404
    assert session.scalars(select(Address.street)).all() == ["学府街 1 号"]


def test_the_current_password_must_be_known(client: FlaskClient, session: Session) -> None:
    person = sign_in_as(client, make_person(password_hash=passwords.hash_password(PASSWORD)))
    before = person.password_hash

    for current in ("", "wrong"):
        data = {"current_password": current, "password": "walnuts and millet 85"}
        status, page = send(client, "/account/password", **data)
        assert status == 422 and "walnuts" not in page
    assert person.password_hash == before

    assert send(client, "/account/password", current_password=PASSWORD, password="walnuts and millet 85")[0] == 303
    assert passwords.is_right("walnuts and millet 85", person.password_hash) and "password.set" in actions(session)


def test_sessions_are_listed_by_the_names_of_their_devices_and_ended(client: FlaskClient, app: Flask) -> None:
    person = sign_in_as(client, make_person())
    phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36 MicroMessenger/8.0"
    there = in_transaction(sign_in.begin, person_id=person.id, device=phone, cart=None)
    page = client.get("/account/sessions").text
    assert "WeChat · Android" in page and "这台设备" in page

    (other,) = [row for row in sign_in.sessions_of(db.session(), person.id) if row.device == phone]
    assert send(client, f"/account/sessions/{other.public_id}/end") == (303, "/account/sessions")
    assert "WeChat" not in client.get("/account/sessions").text
    with app.test_client() as stolen:
        with stolen.session_transaction() as cookie:
            cookie["token"] = there
        assert stolen.get("/account").status_code == 302


def test_staff_change_nothing_that_opens_their_account_without_the_second_factor(client: FlaskClient) -> None:
    person = make_person("station_clerk")
    token = in_transaction(sign_in.begin, person_id=person.id, device="", cart=None)
    with client.session_transaction() as cookie:
        cookie["token"] = token

    for path in ("/account/contact", "/account/password", "/station"):
        assert client.get(path).headers["Location"] == f"/sign-in/second-factor?next={path}"
    assert client.get("/account/second-factor").headers["Location"].startswith("/sign-in/second-factor")
    status, page = send(client, "/account/password", password="walnuts and millet 85")
    assert status == 401 and "walnuts" not in page


def test_an_authenticator_is_set_up_once_its_code_is_shown(client: FlaskClient, session: Session) -> None:
    person = make_person("station_clerk")
    person.totp_secret = None
    db.session.commit()
    with client.session_transaction() as cookie:
        cookie["token"] = in_transaction(sign_in.begin, person_id=person.id, device="", cart=None)
    page = client.get("/account/second-factor?next=/station").text
    found = re.search(r'name="secret" type="hidden" value="(\w{32})"', page)
    assert found and "<svg" in page and "data:" not in page
    form = {"secret": found[1], "next": "/station"}

    assert send(client, "/account/second-factor", **form, digits="000000")[0] == 422
    assert (person.totp_secret, count(session, RecoveryCode)) == (None, 0)

    digits = pyotp.TOTP(found[1]).at(NOON)
    status, page = send(client, "/account/second-factor", **form, digits=digits)

    shown = re.findall(r'class="code">([2-9A-Z]{4}-[2-9A-Z]{4})<', page)
    assert status == 201 and len(shown) == 8 and 'href="/station"' in page
    assert person.totp_secret == found[1] and "second_factor.set" in actions(session)
    stored = session.scalars(select(RecoveryCode.code_fingerprint)).all()
    assert not {code.replace("-", "") for code in shown} & set(stored)
    assert client.get("/account/password").status_code == 200  # it counts as given
    assert not second_factor.is_right(session, person_id=person.id, digits=digits)  # and is used up


@pytest.mark.parametrize("secret", ["", "A" * 16, "'" * 32, "0" * 32])
def test_a_secret_of_somebody_elses_making_is_refused(client: FlaskClient, session: Session, secret: str) -> None:
    person = signed_in(client, "operator")
    before = person.totp_secret

    status, _page = send(client, "/account/second-factor", secret=secret, digits="123456")

    assert status == 422 and person.totp_secret == before


def test_two_uses_of_one_code_at_once_let_one_through(real_app: Flask) -> None:
    person = make_person("operator")
    who, digits = person.id, pyotp.TOTP(person.totp_secret or "").at(NOON)
    db.session.rollback()
    start = Barrier(4)

    def use(_number: int) -> bool:
        with real_app.app_context():
            start.wait()
            return in_transaction(second_factor.is_right, person_id=who, digits=digits)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_a_demonstration_shows_a_code_that_can_still_be_used(session: Session, noon: time_machine.Traveller) -> None:
    person = make_person("operator")
    for _code in range(2):
        shown = second_factor.usable_code(session, person.id)
        assert shown and second_factor.is_right(session, person_id=person.id, digits=shown)
    assert second_factor.usable_code(session, person.id) is None
    noon.shift(timedelta(seconds=30))
    assert second_factor.usable_code(session, person.id)


@pytest.mark.parametrize(("environment", "is_shown"), [(AppEnvironment.DEMO, True), (AppEnvironment.PRODUCTION, False)])
def test_only_a_demonstration_shows_codes(
    client: FlaskClient, app: Flask, session: Session, environment: AppEnvironment, is_shown: bool
) -> None:
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(before, app_env=environment)
    try:
        page = client.post("/sign-in/codes", data={"address": "13800002045"}, headers=OURS).text
    finally:
        app.extensions["settings"] = before

    digits = re.search(r"\d{6}", session.scalars(select(Message)).one().text)
    assert digits and (digits[0] in page) is is_shown


def test_who_has_one_desk_goes_there_and_who_has_more_chooses(client: FlaskClient, app: Flask) -> None:
    make_station(STATION)
    make_station("140430", name_zh="沁县站", county_zh="沁县")

    def after_signing_in(*roles: str, **more: str) -> str:
        person = make_person(*roles, password_hash=passwords.hash_password(PASSWORD))
        for code in more.values():
            scope = {"scope_kind": "station", "scope_id": code}
            in_transaction(people.grant, person_id=person.id, role="station_clerk", actor="test", **scope)
        sign_in_as(fresh := app.test_client(), person)
        return str(fresh.get("/sign-in").headers["Location"]) if not more else fresh.get("/account/desks").text

    assert after_signing_in() == "/account"
    assert after_signing_in("seller") == "/seller"
    assert after_signing_in("station_manager") == "/station"
    assert after_signing_in("seller", "station_clerk") == "/account/desks"
    page = after_signing_in("station_clerk", second="140430")
    assert "吉县站" in page and "沁县站" in page and 'value="140430"' in page


def test_nobody_chooses_a_station_that_is_not_theirs(client: FlaskClient) -> None:
    signed_in(client, "station_clerk")

    assert send(client, "/account/station", station="140430")[0] == 404
    assert send(client, "/account/station", station=STATION) == (303, "/station")


def test_signing_out_ends_the_session_and_not_only_the_cookie(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    with client.session_transaction() as cookie:
        token = cookie["token"]

    assert send(client, "/sign-out") == (303, "/")
    with client.session_transaction() as cookie:
        assert "token" not in cookie
        cookie["token"] = token
    assert client.get("/account").status_code == 302
    assert session.scalars(select(SignInSession)).one().ended_at == NOON


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("13800002045", "138****2045"),
        ("guo@example.test", "gu***@example.test"),
        ("g@example.test", "***@example.test"),
        (None, ""),
    ],
)
def test_how_somebody_is_reached_is_shown_in_part(address: str | None, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0",
            "Edge · Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1", "Safari · iPhone"),
        ("curl/8.5.0", ""),
        ("<script>", ""),
    ],
)
def test_a_browser_is_named_in_words(agent: str, words: str) -> None:
    assert described(agent) == words


def test_pages_with_secrets_are_kept_by_nobody(client: FlaskClient) -> None:
    for path in ("/sign-in", "/sign-in/password"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    page = client.post("/sign-in/codes", data={"address": "13800002045"}, headers=OURS)
    assert page.headers["Cache-Control"] == "no-store"
    person = signed_in(client, "operator")
    assert "no-store" in client.get("/account/second-factor").headers["Cache-Control"]
    assert str(db.session.get_one(Person, person.id).totp_secret) not in client.get("/account/second-factor").text
