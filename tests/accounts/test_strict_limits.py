"""Whoever guesses is slowed by account, however they spell its address; and learns nothing about it by that."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.accounts import passwords, people, sign_in
from marketplace.accounts.models import RateWindow, SignInSession
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import fingerprint, token_hash
from tests.accounts.test_sign_in import OURS, PASSWORD, ask_for_code, enter, is_in
from tests.factories import make_person

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
EMAIL = [
    "guo@example.test",
    "Guo@example.test",
    "GUO@EXAMPLE.TEST",
    " guo@Example.Test ",
    "\u3000ｇｕｏ@example.test",
    "gUo＠eXAMPLE．test",
]
PHONE = ["13800002045", "138 0000 2045", "+86 138-0000-2045", "１３８００００２０４５", "+8613800002045", "138-00002045 "]


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def try_password(client: FlaskClient, address: str, password: str = "wrong") -> TestResponse:
    return client.post("/sign-in/password", data={"address": address, "password": password}, headers=OURS)


@pytest.mark.parametrize("spellings", [EMAIL, PHONE])
def test_every_spelling_is_the_same_address(client: FlaskClient, spellings: list[str]) -> None:
    assert len({people.normalised(spelling) for spelling in (spellings[0], spellings[2])}) == 1
    for spelling in spellings:
        answer = client.post("/sign-in/codes", data={"address": spelling}, headers=OURS)
        assert answer.status_code == (200 if spelling == spellings[0] else 429), spelling


@pytest.mark.parametrize("spellings", [EMAIL, PHONE])
def test_ten_passwords_are_ten_in_whatever_spelling(client: FlaskClient, spellings: list[str]) -> None:
    answers = [try_password(client, spellings[number % len(spellings)]).status_code for number in range(12)]
    assert answers == [422] * 10 + [429] * 2


def test_a_phone_and_an_email_of_one_account_are_one_chance(client: FlaskClient, noon: time_machine.Traveller) -> None:
    person = make_person(address=EMAIL[0], password_hash=passwords.hash_password(PASSWORD))
    in_transaction(lambda session: people.set_address(session, person, PHONE[0]))
    for address in (EMAIL[0], PHONE[0]):
        assert [try_password(client, address).status_code for _try in range(5)] == [422] * 5

    eleventh, wrong = try_password(client, PHONE[0], PASSWORD), try_password(client, "13900009999")

    assert eleventh.status_code == 422 and not is_in(client)
    assert eleventh.text.replace(PHONE[0], "…") == wrong.text.replace("13900009999", "…")
    noon.shift(timedelta(minutes=16))
    assert try_password(client, PHONE[0], PASSWORD).status_code == 303


def test_two_addresses_without_an_account_have_a_window_each(client: FlaskClient) -> None:
    for address in ("li@example.test", "13700003333"):
        assert [try_password(client, address).status_code for _try in range(11)] == [422] * 10 + [429]


def test_thirty_codes_are_tried_in_an_hour_and_the_right_one_after_that_is_wrong(
    client: FlaskClient, noon: time_machine.Traveller
) -> None:
    person = make_person(address=EMAIL[0])
    in_transaction(lambda session: people.set_address(session, person, PHONE[0]))
    for number in range(30):
        assert enter(client, (EMAIL[0], PHONE[0])[number % 2], "none", "000000")[0] == 422
    code, digits = ask_for_code(client, EMAIL[0])

    assert enter(client, EMAIL[0], code, digits)[0] == 422

    noon.shift(timedelta(minutes=61))
    code, digits = ask_for_code(client, EMAIL[0])
    assert enter(client, EMAIL[0], code, digits)[0] == 303


def test_a_crowded_village_is_told_when_and_loses_nothing(client: FlaskClient, session: Session) -> None:
    code, digits = ask_for_code(client, EMAIL[0])
    key = f"code.try.from:{fingerprint('127.0.0.1', 'rate')}"
    session.add(RateWindow(key=key, count=600, expires_at=clock.now() + timedelta(minutes=5)))
    session.commit()
    given = {"address": EMAIL[0], "code": code, "digits": digits, "next": "/orders"}

    answer = client.post("/sign-in", data=given, headers=OURS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")
    assert "过 5 分钟再试" in answer.text
    for name, value in given.items():
        assert re.search(rf'name="{name}"[^>]*value="{value}"', answer.text), name


def session_of(token: str) -> SignInSession:
    db.session.rollback()
    return db.session.get_one(SignInSession, token_hash(token))


def test_who_becomes_staff_is_signed_in_for_a_working_day_only(session: Session) -> None:
    person, other = make_person(), make_person()
    tokens = [in_transaction(sign_in.begin, person_id=each.id, device="", cart=None) for each in (person, person, other)]
    station = {"scope_kind": "station", "scope_id": "141028"}

    in_transaction(people.grant, person_id=person.id, role="seller", actor="test")
    assert session_of(tokens[0]).expires_at == NOON + timedelta(days=30)
    in_transaction(people.grant, person_id=person.id, role="station_clerk", actor="test", **station)

    assert [session_of(token).expires_at - NOON for token in tokens] == [timedelta(hours=14)] * 2 + [timedelta(days=30)]


def test_the_second_factor_makes_no_long_session_of_staff(session: Session, noon: time_machine.Traveller) -> None:
    person = make_person("operator")
    token = in_transaction(sign_in.begin, person_id=person.id, device="", cart=None)
    session_of(token).expires_at = NOON + timedelta(days=30)
    session.commit()

    fresh = in_transaction(sign_in.rotate, token=token)
    noon.shift(timedelta(hours=1))
    later = in_transaction(sign_in.rotate, token=fresh)

    assert session_of(fresh).expires_at == session_of(later).expires_at == NOON + timedelta(hours=14)
