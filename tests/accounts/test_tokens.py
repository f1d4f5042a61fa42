"""The pages where a person gives keys to programs, and ends them."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.accounts import bearers, sign_in, tokens
from marketplace.accounts.models import AccessToken
from marketplace.accounts.tokens import TokenScope
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.notifications.models import Message
from tests.factories import make_person, make_token, sign_in_as, signed_in

OURS = {"Sec-Fetch-Site": "same-origin"}
ENTERED = {"name": "进销存", "scopes": ["read", "orders:write"], "days": "90"}


def send(client: FlaskClient, path: str, **data: Any) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    return client.post(path, data={**data, "csrf_token": found[1] if found else ""}, headers=OURS)


def shown(page: TestResponse) -> str:
    found = re.search(r"pav_[\w-]{43}", page.text)
    assert found, page.text
    return found[0]


def test_a_key_is_shown_once_stored_as_a_hash_and_told(client: FlaskClient, session: Session) -> None:
    person = signed_in(client)
    made = send(client, "/account/tokens", **ENTERED, idempotency_key="k")

    token = shown(made)
    row = session.scalars(select(AccessToken)).one()
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert row.token_hash == token_hash(token) and row.start == token[:10]
    assert (row.scopes, row.person_id) == (["orders:write", "read"], person.id)
    page = client.get("/account/tokens").text
    assert token not in page and f"{row.start}…" in page and "还没用过" in page
    assert "进销存" in session.scalars(select(Message)).one().text
    records = session.scalars(select(AuditRecord.action)).all()
    assert "token.made" in records


def test_the_same_form_again_makes_and_shows_nothing(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    send(client, "/account/tokens", **ENTERED, idempotency_key="k")
    again = send(client, "/account/tokens", **ENTERED, idempotency_key="k")

    assert again.status_code == 303 and "pav_" not in again.text
    assert session.query(AccessToken).count() == 1
    assert "只显示一次" in client.get("/account/tokens").text


def test_what_is_missing_is_said_and_what_was_typed_stays(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    for wrong, words in (
        ({"name": " "}, "写明给哪个程序用。"),
        ({"scopes": []}, "选一下允许它做什么。"),
        ({"scopes": ["everything"]}, "请在这几个里选一个。"),
        ({"days": "36500"}, "请在这几个里选一个。"),
        ({"name": "x" * 41}, "40"),
    ):
        page = send(client, "/account/tokens", **ENTERED | wrong)
        assert page.status_code == 422 and words in page.text, re.findall(r'field__note".*', page.text)
        assert "name" in wrong or 'value="进销存"' in page.text
    assert session.query(AccessToken).count() == 0


def test_nobody_gives_away_what_is_not_theirs(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    page = client.get("/account/tokens/new").text
    assert 'value="orders:write"' in page and 'value="parcels:write"' not in page and 'value="listings:write"' not in page

    assert send(client, "/account/tokens", **ENTERED | {"scopes": ["parcels:write"]}).status_code == 422
    assert session.query(AccessToken).count() == 0


def test_staff_give_keys_for_a_quarter_of_a_year_after_their_second_factor(client: FlaskClient, session: Session) -> None:
    clerk = make_person("station_clerk")
    token = in_transaction(sign_in.begin, person_id=clerk.id, device="", cart=None)
    with client.session_transaction() as cookie:
        cookie["token"] = token
    assert "/sign-in/second-factor" in client.get("/account/tokens/new").headers["Location"]
    with pytest.raises(tokens.NeedsSecondFactor):
        make_token(clerk, TokenScope.READ, second_factor=False)
    with pytest.raises(tokens.LastsTooLong):
        make_token(clerk, TokenScope.READ, days=365)

    sign_in_as(client, clerk)
    assert 'value="365"' not in client.get("/account/tokens/new").text
    assert send(client, "/account/tokens", **ENTERED | {"days": "365"}).status_code == 422
    shown(send(client, "/account/tokens", **ENTERED | {"scopes": ["parcels:write"]}))
    assert session.scalars(select(AccessToken.has_second_factor)).all() == [True]


def test_a_key_is_ended_by_its_person_alone_and_at_once(client: FlaskClient, session: Session) -> None:
    person, stranger = make_person(), make_person()
    token = make_token(person)
    public_id = session.scalars(select(AccessToken.public_id)).one()
    sign_in_as(client, stranger)
    send(client, f"/account/tokens/{public_id}/end")
    assert bearers.find(token) is not None

    sign_in_as(client, person)
    for _time in range(2):
        assert send(client, f"/account/tokens/{public_id}/end").status_code == 303
    assert bearers.find(token) is None
    assert session.scalars(select(AuditRecord.action).where(AuditRecord.action == "token.ended")).all() == ["token.ended"]


def test_there_are_twenty_at_most(session: Session) -> None:
    person = make_person()
    for _each in range(20):
        make_token(person)
    with pytest.raises(tokens.TooManyTokens):
        make_token(person)
    in_transaction(tokens.end, person_id=person.id, token=tokens.of_person(db.session(), person.id)[0].public_id)
    make_token(person)


def test_strangers_have_no_keys(client: FlaskClient) -> None:
    for path in ("/account/tokens", "/account/tokens/new"):
        assert client.get(path).status_code == 302
