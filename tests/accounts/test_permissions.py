import html
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.accounts import people, permissions, sign_in, visitors
from marketplace.accounts.models import SignInSession
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.encryption import token_hash
from marketplace.core.errors import StaleState
from tests.factories import make_person, sign_in_as, signed_in

NOON = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def door(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Somebody with these grants asks for "thing.do"; what `g.station` is then, or where they are led."""
    table = [("seller", "thing.do", "own"), ("station_clerk", "thing.do", "station"), ("operator", "thing.do", "everywhere")]
    monkeypatch.setattr(permissions, "PERMISSIONS", table)

    def ask(*grants: tuple[str, str, str], second_factor: bool = True, chosen: str = "") -> object:
        with app.test_request_context("/thing"):
            person = make_person()
            for role, kind, scope in grants:
                in_transaction(people.grant, person_id=person.id, role=role, actor="t", scope_kind=kind, scope_id=scope)
            visitors.find(token := in_transaction(sign_in.begin, person_id=person.id, device="", cart=None))
            if second_factor:
                token = in_transaction(sign_in.rotate, token=token)
            g.person = visitors.find(token)
            visitors.choose_station(chosen)
            answer = requires("thing.do")(lambda: g.station)()
            return answer if answer is None or isinstance(answer, str) else answer.headers["Location"]

    return ask


SELLER, OPERATOR = ("seller", "own", ""), ("operator", "province", "140000")
HERE, THERE = ("station_clerk", "station", "141028"), ("station_clerk", "station", "140430")


def test_how_far_a_role_reaches(door: Callable[..., object]) -> None:
    assert door(SELLER) == ""
    assert door(HERE) == "141028"
    assert door(OPERATOR) is None
    assert door(HERE, OPERATOR) is None


def test_who_works_at_two_stations_is_at_the_chosen_one(door: Callable[..., object]) -> None:
    assert door(HERE, THERE) == "141028"
    assert door(HERE, THERE, chosen="140430") == "140430"
    assert door(HERE, chosen="140430") == "141028"


def test_without_the_second_factor_only_what_buyers_and_sellers_may(door: Callable[..., object]) -> None:
    assert door(SELLER, OPERATOR, second_factor=False) == ""
    assert str(door(OPERATOR, second_factor=False)) == "/sign-in/second-factor?next=/thing"


def test_another_role_is_refused(door: Callable[..., object]) -> None:
    with pytest.raises(permissions.NotAllowed):
        door()
    with pytest.raises(permissions.NotAllowed):
        door(("auditor", "province", "140000"))


def test_a_stranger_costs_no_query_and_a_person_one(
    client: FlaskClient, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with count_statements() as sent:
        client.get("/sign-in")
    assert sent == []

    signed_in(client, "station_clerk", "seller")
    with count_statements() as sent:
        client.get("/help")
    assert sum("sign_in_session" in statement for statement in sent) == 1


def test_whom_a_desk_refuses_may_come_back_as_somebody_else(client: FlaskClient) -> None:
    sign_in_as(client, make_person())
    refused = client.get("/station")
    assert refused.status_code == 403
    found = re.search(r'href="(/sign-in[^"]+)"[^>]*>换个账号登录<', refused.text)
    assert found

    asked = client.get(html.unescape(found[1]))

    assert asked.status_code == 200 and 'name="address"' in asked.text
    assert re.search(r'name="next"[^>]*value="/station"', asked.text)
    assert client.get("/sign-in?next=/cart").headers["Location"] == "/cart"


def test_a_wrong_token_is_a_stranger(client: FlaskClient) -> None:
    with client.session_transaction() as cookie:
        cookie["token"] = "' OR 1=1 --"

    assert client.get("/account").status_code == 302


def test_a_closed_account_opens_nothing_any_more(client: FlaskClient) -> None:
    person = signed_in(client)
    person.is_active = False
    db.session.commit()

    assert client.get("/account").status_code == 302


def test_thirty_idle_days_end_a_session_and_a_form_prolongs_it(
    client: FlaskClient, session: Session, noon: time_machine.Traveller
) -> None:
    signed_in(client)
    noon.shift(timedelta(days=20))
    client.post("/cart/items", data={}, headers=OURS)
    noon.shift(timedelta(days=20))
    assert client.get("/account").status_code == 200
    noon.shift(timedelta(days=10, seconds=1))
    assert client.get("/account").status_code == 302


def test_the_working_day_of_staff_is_not_prolonged(client: FlaskClient, noon: time_machine.Traveller) -> None:
    signed_in(client, "station_clerk")
    noon.shift(timedelta(hours=13))
    client.post("/cart/items", data={}, headers=OURS)
    assert client.get("/account").status_code == 200
    noon.shift(timedelta(hours=1))
    assert client.get("/account").status_code == 302


def test_a_session_ended_elsewhere_gets_no_second_factor(session: Session) -> None:
    person = make_person("operator")
    token = in_transaction(sign_in.begin, person_id=person.id, device="", cart=None)
    in_transaction(sign_in.end_others, person_id=person.id, but="")

    with pytest.raises(StaleState):
        in_transaction(sign_in.rotate, token=token)
    assert session.get_one(SignInSession, token_hash(token)).second_factor_at is None


def test_sessions_that_are_over_are_forgotten_after_a_month(
    client: FlaskClient, session: Session, noon: time_machine.Traveller
) -> None:
    sign_in_as(client, make_person())
    noon.shift(timedelta(days=59))
    in_transaction(sign_in.sweep)
    assert session.query(SignInSession).count() == 1
    noon.shift(timedelta(days=1, seconds=1))
    in_transaction(sign_in.sweep)
    assert session.query(SignInSession).count() == 0
