import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import codes, passwords, second_factor, sign_in
from marketplace.accounts.models import OneTimeCode, Person, SignInSession
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.factories import make_person, sign_in_as

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
OURS = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "millet and walnuts 58"


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def count(session: Session, kind: type) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def ask_for_code(client: FlaskClient, address: str) -> tuple[str, str]:
    """(the code's id, its digits)"""
    page = client.post("/sign-in/codes", data={"address": address}, headers=OURS)
    assert page.status_code == 200, page.text
    found = re.search(r'name="code" type="hidden" value="(\w+)"', page.text)
    assert found
    sent = db.session.scalars(select(Message).where(Message.fact == f"code:{found[1]}")).one()
    digits = re.search(r"\d{6}", sent.text)
    assert digits
    return found[1], digits[0]


def enter(client: FlaskClient, address: str, code: str, digits: str, **more: str) -> tuple[int, str]:
    answer = client.post("/sign-in", data={"address": address, "code": code, "digits": digits, **more}, headers=OURS)
    return answer.status_code, answer.headers.get("Location", "")


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


@pytest.mark.parametrize("typed", ["13800002045", "１３８ ０００ ０２０４５", "+86 138-0000-2045", "Guo@Example.TEST"])
def test_a_new_address_opens_an_account_and_the_same_one_comes_back(
    client: FlaskClient, session: Session, typed: str, noon: time_machine.Traveller
) -> None:
    for _time in range(2):
        code, digits = ask_for_code(client, typed)
        assert enter(client, typed, code, digits) == (303, "/account")
        assert is_in(client)
        client.delete_cookie("session")
        noon.shift(timedelta(minutes=2))

    assert count(session, Person) == 1
    person = session.scalars(select(Person)).one()
    assert (person.phone, person.email) in {("13800002045", None), (None, "guo@example.test")}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "写上手机号或邮箱"),
        ("1380000204", "现在是 10 位"),
        ("23800002045", "不是"),
        ("guo@", "11 位"),
        ("<b>x</b>", "11 位"),
        ("🍎", "11 位"),
        ("a" * 300 + "@example.test", "254"),
        ("'; DROP TABLE person; --", "11 位"),
    ],
)
def test_a_bad_address_is_refused_by_the_field_and_kept(
    client: FlaskClient, session: Session, typed: str, says: str
) -> None:
    page = client.post("/sign-in/codes", data={"address": typed, "next": "/orders"}, headers=OURS)

    assert page.status_code == 422
    assert says in page.text and 'value="/orders"' in page.text
    assert count(session, OneTimeCode) == 0


def test_a_code_is_good_once_for_its_address_and_for_ten_minutes(client: FlaskClient, noon: time_machine.Traveller) -> None:
    code, digits = ask_for_code(client, "13800002045")
    assert enter(client, "13800002046", code, digits)[0] == 422
    assert enter(client, "13800002045", code, digits)[0] == 303
    client.delete_cookie("session")
    assert enter(client, "13800002045", code, digits)[0] == 422

    noon.shift(timedelta(minutes=1))
    code, digits = ask_for_code(client, "13800002045")
    noon.shift(codes.GOOD_FOR)
    assert enter(client, "13800002045", code, digits)[0] == 422
    assert not is_in(client)


def test_five_wrong_tries_use_a_code_up(client: FlaskClient, session: Session) -> None:
    code, digits = ask_for_code(client, "13800002045")
    wrong = "000000" if digits != "000000" else "111111"

    for _try in range(codes.MOST_TRIES):
        assert enter(client, "13800002045", code, wrong)[0] == 422
    assert enter(client, "13800002045", code, digits)[0] == 422

    assert count(session, Person) == count(session, SignInSession) == 0


def test_two_uses_of_a_code_at_once_let_one_in(real_app: Flask) -> None:
    code = in_transaction(codes.send, address="13800002045", purpose=sign_in.CODE)
    digits = re.search(r"\d{6}", db.session.scalars(select(Message)).one().text)
    db.session.rollback()
    start = Barrier(4)

    def use(_number: int) -> bool:
        with real_app.app_context():
            start.wait()
            given = {"address": "13800002045", "digits": digits[0] if digits else ""}
            return in_transaction(sign_in.with_code, code=code, device="", cart=None, **given) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_password_and_its_refusals_look_alike(client: FlaskClient) -> None:
    make_person(address="guo@example.test", password_hash=passwords.hash_password(PASSWORD))
    make_person(address="li@example.test")
    make_person(address="gone@example.test", password_hash=passwords.hash_password(PASSWORD), is_active=False)

    def try_password(address: str, password: str) -> tuple[int, str]:
        data = {"address": address, "password": password}
        page = client.post("/sign-in/password", data=data, headers=OURS)
        return page.status_code, page.text.replace(address, "…")

    answers = {
        try_password(*pair)
        for pair in (
            ("guo@example.test", "wrong"),
            ("li@example.test", PASSWORD),
            ("gone@example.test", PASSWORD),
            ("nobody@example.test", PASSWORD),
        )
    }
    assert len(answers) == 1 and answers.pop()[0] == 422
    assert try_password("guo@example.test", PASSWORD)[0] == 303
    assert is_in(client)


def test_many_tries_are_slowed_by_account_and_the_refusal_says_when(client: FlaskClient) -> None:
    for _try in range(10):
        data = {"address": "guo@example.test", "password": "wrong"}
        assert client.post("/sign-in/password", data=data, headers=OURS).status_code == 422

    refused = client.post("/sign-in/password", data=data, headers=OURS)
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 900
    other = {"address": "li@example.test", "password": "wrong"}
    assert client.post("/sign-in/password", data=other, headers=OURS).status_code == 422


def test_staff_need_a_second_factor_and_each_code_works_once(client: FlaskClient, noon: time_machine.Traveller) -> None:
    person = make_person("station_clerk", password_hash=passwords.hash_password(PASSWORD))
    secret = person.totp_secret or ""
    data = {"address": person.email, "password": PASSWORD}
    assert "验证器现在" not in client.post("/sign-in/password", data=data, headers=OURS).text
    assert client.get("/account").status_code == 200

    def second(digits: str) -> int:
        page = client.get("/account")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        sent = {"digits": digits, "next": "/station", "csrf_token": token[1] if token else ""}
        return client.post("/sign-in/second-factor", data=sent, headers=OURS).status_code

    assert second("000000") == 422
    assert second(pyotp.TOTP(secret).at(NOON)) == 303
    assert second(pyotp.TOTP(secret).at(NOON)) == 422
    noon.shift(timedelta(seconds=30))
    assert second(pyotp.TOTP(secret).at(NOON + timedelta(seconds=30))) == 303


def test_a_recovery_code_opens_once(session: Session) -> None:
    person = make_person("operator")
    secret = second_factor.new_secret()
    shown = second_factor.enrol(session, person_id=person.id, secret=secret, digits=pyotp.TOTP(secret).at(NOON))

    assert len(set(shown)) == 8
    assert second_factor.is_right(session, person_id=person.id, digits=shown[3].lower())
    assert not second_factor.is_right(session, person_id=person.id, digits=shown[3])


def test_a_session_ended_elsewhere_opens_nothing(client: FlaskClient, app: Flask) -> None:
    person = sign_in_as(client, make_person())
    other = app.test_client()
    sign_in_as(other, person)
    assert is_in(client) and is_in(other)

    sessions = sign_in.sessions_of(db.session(), person.id)
    in_transaction(sign_in.end_others, person_id=person.id, but=sessions[0].public_id)

    assert [is_in(client), is_in(other)].count(True) == 1


def test_a_session_of_another_cannot_be_ended(client: FlaskClient, app: Flask) -> None:
    mine, theirs = sign_in_as(client, make_person()), make_person()
    other = app.test_client()
    sign_in_as(other, theirs)
    target = sign_in.sessions_of(db.session(), theirs.id)[0].public_id
    page = client.get("/account")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token and mine.id != theirs.id

    answer = client.post(f"/account/sessions/{target}/end", data={"csrf_token": token[1]}, headers=OURS)

    assert answer.status_code == 404 and is_in(other)


@pytest.mark.parametrize("onward", ["//evil.test", "https://evil.test", "/\\evil.test", "/\tevil", "javascript:x"])
def test_signing_in_leads_nowhere_else(client: FlaskClient, onward: str) -> None:
    code, digits = ask_for_code(client, "13800002045")

    assert enter(client, "13800002045", code, digits, next=onward) == (303, "/account")


def test_what_was_typed_survives_an_ended_session(client: FlaskClient) -> None:
    page = client.post("/account/name", data={"name": "郭晓芸"}, headers=OURS)
    assert page.status_code == 401
    kept = re.search(r'name="resume" type="hidden" value="([^"]+)"', page.text)
    assert kept

    code, digits = ask_for_code(client, "13800002045")
    again = client.post(
        "/sign-in",
        data={"address": "13800002045", "code": code, "digits": digits, "resume": kept[1]},
        headers=OURS,
    )

    assert again.status_code == 200
    assert 'action="/account/name"' in again.text and 'value="郭晓芸"' in again.text


def test_a_weak_password_is_refused_and_a_new_one_ends_other_sessions(client: FlaskClient, app: Flask) -> None:
    person = sign_in_as(client, make_person())
    other = app.test_client()
    sign_in_as(other, person)

    def choose(password: str) -> int:
        page = client.get("/account")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        data = {"password": password, "csrf_token": token[1] if token else ""}
        return client.post("/account/password", data=data, headers=OURS).status_code

    assert choose("password12") == 422
    assert choose("short") == 422
    assert is_in(other)
    assert choose(PASSWORD) == 303
    assert is_in(client) and not is_in(other)


def test_the_next_code_is_promised_in_seconds_and_nothing_is_lost(
    client: FlaskClient, session: Session, noon: time_machine.Traveller
) -> None:
    code, digits = ask_for_code(client, "13800002045")
    noon.shift(timedelta(seconds=19))
    again = client.post("/sign-in/codes", data={"address": "13800002045", "code": code}, headers=OURS)

    assert again.status_code == 429 and again.headers["Retry-After"] == "41"
    assert "过 41 秒再试" in again.text and f'value="{code}"' in again.text
    assert count(session, OneTimeCode) == 1
    assert enter(client, "13800002045", code, digits)[0] == 303


def test_nobody_can_void_the_code_of_another_by_asking_for_more(
    client: FlaskClient, app: Flask, noon: time_machine.Traveller
) -> None:
    code, digits = ask_for_code(client, "13800002045")
    noon.shift(timedelta(minutes=2))
    later_code, later_digits = ask_for_code(app.test_client(), "13800002045")

    assert enter(client, "13800002045", code, digits)[0] == 303
    assert enter(app.test_client(), "13800002045", later_code, later_digits)[0] == 422


def test_six_codes_an_hour_are_enough(client: FlaskClient, session: Session, noon: time_machine.Traveller) -> None:
    for _code in range(6):
        ask_for_code(client, "13800002045")
        noon.shift(timedelta(seconds=61))

    refused = client.post("/sign-in/codes", data={"address": "13800002045"}, headers=OURS)

    assert refused.status_code == 429 and "过 54 分钟再试" in refused.text
    assert client.post("/sign-in/codes", data={"address": "13800002046"}, headers=OURS).status_code == 200
    assert count(session, OneTimeCode) == 7


def test_known_and_unknown_addresses_get_the_same_page(client: FlaskClient) -> None:
    make_person(address="13800002045")

    def page_for(address: str) -> str:
        page = client.post("/sign-in/codes", data={"address": address}, headers=OURS)
        return re.sub(r'name="code" type="hidden" value="\w+"', "", page.text.replace(address, "…"))

    assert page_for("13800002045") == page_for("13800002046")


def test_the_way_over_the_password_carries_everything_along(client: FlaskClient) -> None:
    make_person(address="guo@example.test", password_hash=passwords.hash_password(PASSWORD))
    page = client.post("/account/name", data={"name": "郭晓芸", "other": "x" * 3000}, headers=OURS)
    kept = re.search(r'name="resume" type="hidden" value="([^"]+)"', page.text)
    assert kept
    data = {"address": "guo@example.test", "resume": kept[1], "next": "/account"}

    form = client.post("/sign-in/password", data=data, headers=OURS)
    assert form.status_code == 200 and kept[1] in form.text and 'value="guo@example.test"' in form.text
    again = client.post("/sign-in/password", data={**data, "password": PASSWORD}, headers=OURS)

    assert again.status_code == 200 and 'action="/account/name"' in again.text and "x" * 3000 in again.text


def test_what_one_person_typed_is_never_sent_by_another(client: FlaskClient, noon: time_machine.Traveller) -> None:
    guo = sign_in_as(client, make_person(address="guo@example.test", password_hash=passwords.hash_password(PASSWORD)))
    make_person(address="li@example.test", password_hash=passwords.hash_password(PASSWORD))
    in_transaction(sign_in.end_others, person_id=guo.id, but="")
    page = client.post("/account/name", data={"name": "郭晓芸"}, headers=OURS)
    kept = re.search(r'name="resume" type="hidden" value="([^"]+)"', page.text)
    assert page.status_code == 401 and kept

    def sign_in_with(address: str) -> int:
        data = {"address": address, "password": PASSWORD, "resume": kept[1] if kept else ""}
        return client.post("/sign-in/password", data=data, headers=OURS).status_code

    assert sign_in_with("li@example.test") == 303  # nothing to send again
    client.delete_cookie("session")
    assert sign_in_with("guo@example.test") == 200  # the page that sends it again


@pytest.mark.parametrize("resume", ["rubbish", "x" * 50_000, "eyJhIjoxfQ.aaaa.bbbb"])
def test_a_forged_form_is_not_sent(client: FlaskClient, resume: str) -> None:
    make_person(address="guo@example.test", password_hash=passwords.hash_password(PASSWORD))
    data = {"address": "guo@example.test", "password": PASSWORD, "resume": resume}

    assert client.post("/sign-in/password", data=data, headers=OURS).status_code in {303, 422}


def test_staff_go_by_way_of_the_second_factor_to_where_they_wanted(
    client: FlaskClient, noon: time_machine.Traveller
) -> None:
    person = make_person("station_clerk", password_hash=passwords.hash_password(PASSWORD))
    data = {"address": str(person.email), "password": PASSWORD, "next": "/station"}

    answer = client.post("/sign-in/password", data=data, headers=OURS)

    assert answer.headers["Location"] == "/sign-in/second-factor?next=/station"
    assert client.get("/station").headers["Location"] == "/sign-in/second-factor?next=/station"
    page = client.get("/sign-in/second-factor?next=/station").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = {
        "digits": pyotp.TOTP(person.totp_secret or "").at(NOON),
        "next": "/station",
        "csrf_token": token[1] if token else "",
    }
    assert client.post("/sign-in/second-factor", data=form, headers=OURS).headers["Location"] == "/station"


def test_the_token_changes_at_the_second_factor(client: FlaskClient, session: Session) -> None:
    person = make_person("operator")
    first = in_transaction(sign_in.begin, person_id=person.id, device="", cart=None)
    second = in_transaction(sign_in.rotate, token=first)

    assert first != second
    assert len(sign_in.sessions_of(session, person.id)) == 1
    for token, is_good in ((first, False), (second, True)):
        with client.session_transaction() as cookie:
            cookie["token"] = token
        assert is_in(client) is is_good


def test_somebody_who_is_in_already_is_led_on(client: FlaskClient) -> None:
    sign_in_as(client, make_person())

    assert client.get("/sign-in?next=/orders").headers["Location"] == "/orders"
    assert client.get("/sign-in?next=//evil.test").headers["Location"] == "/account"
