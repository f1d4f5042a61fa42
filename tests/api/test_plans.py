"""Monthly gifts by a program: the pages' own commands and rules, one effect for each key, and each plan its person's own."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import schemathesis
from sqlalchemy import func, select

from crowdfund.campaigns.plans.models import Plan
from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.payments.sandbox.mandates import SUCCEEDS
from tests import factories
from tests.api.conftest import Program
from tests.api.test_giving import counts
from tests.campaigns.plans.conftest import FIRST, Monthly, monthly

__all__ = ["monthly"]
Programs = Callable[..., Program]


@pytest.fixture
def programs(monthly: Monthly) -> Programs:
    def make(*scopes: Scope, **given: Any) -> Program:
        person = factories.make_person(**given)
        return Program(monthly.fund.browser(), factories.make_token(person, *scopes), person)

    return make


@pytest.fixture
def document(monthly: Monthly) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", monthly.fund.app)


def begun(monthly: Monthly, program: Program, fen: int = 2000) -> str:
    """A plan whose first gift has arrived, from a card that may be charged again."""
    made = program.post(f"/campaigns/{monthly.campaign()}/plans", {"fen": fen}).get_json()
    pay(monthly, program, made["gift"])
    return str(made["plan"])


def pay(monthly: Monthly, program: Program, gift: str) -> None:
    assert program.post(f"/gifts/{gift}/payment").status_code == 201
    remote = monthly.fund.remote_of(gift)
    monthly.cashier.choose_later(remote, SUCCEEDS)
    monthly.cashier.decide(remote, "succeeded")
    monthly.work()


def test_a_plan_from_the_program_to_its_stop(monthly: Monthly, programs: Programs, document: Any) -> None:
    """Each answer is held against the document."""
    program, campaign = programs(), monthly.campaign()

    def says(method: str, path: str, answer: Any) -> Any:
        document[path][method].validate_response(answer)
        return answer.get_json()

    sent = {"fen": 2000, "name": "王小明", "anonymity": "masked"}
    made = says("POST", "/campaigns/{campaign}/plans", program.post(f"/campaigns/{campaign}/plans", sent))
    plan, gift = made["plan"], made["gift"]
    same = {"campaign": campaign, "state": "active", "fen": 2000, "currency": "CNY", "is_test": True}
    assert made == {"plan": plan, "gift": gift, **same}
    shown = says("GET", "/plans/{plan}", program.get(f"/plans/{plan}"))
    month = {"period": "2026-01-31", "gift": gift, "fen": 2000, "state": "pending"}
    rest = {"first_on": "2026-01-31", "next_on": None, "is_charged": False, "card_ends_on": None, "stop_reason": ""}
    assert shown == {"plan": plan, **same, **rest, "months": [month]}
    assert program.get(f"/gifts/{gift}").get_json()["plan"] == plan
    assert program.post(f"/plans/{plan}/pause").status_code == 409  # it has not begun

    pay(monthly, program, gift)
    monthly.day("2026-02-28")
    shown = program.get(f"/plans/{plan}").get_json()
    assert (shown["next_on"], shown["is_charged"]) == ("2026-03-31", True)
    assert [(each["period"], each["state"]) for each in shown["months"]] == [
        ("2026-02-28", "received"),
        ("2026-01-31", "received"),
    ]
    with monthly.at(FIRST + timedelta(days=29)):
        changed = says("POST", "/plans/{plan}/amount", program.post(f"/plans/{plan}/amount", {"fen": 3000}))
        assert changed["fen"] == 3000
        paused = says("POST", "/plans/{plan}/pause", program.post(f"/plans/{plan}/pause"))
        assert (paused["state"], paused["next_on"]) == ("paused", None)
        going = says("POST", "/plans/{plan}/continuation", program.post(f"/plans/{plan}/continuation"))
        assert (going["state"], going["next_on"]) == ("active", "2026-03-31")
        card = says("POST", "/plans/{plan}/card", program.post(f"/plans/{plan}/card"))
        assert card["is_charged"] is False
        stopped = says("POST", "/plans/{plan}/stop", program.post(f"/plans/{plan}/stop"))
        assert (stopped["state"], stopped["next_on"], stopped["stop_reason"]) == ("stopped", None, "asked")
        assert program.post(f"/plans/{plan}/stop").get_json() == stopped
        for step in ("pause", "continuation", "card"):
            assert program.post(f"/plans/{plan}/{step}").get_json()["type"] == "urn:problem:not-running", step
        assert program.post(f"/plans/{plan}/amount", {"fen": 1000}).status_code == 409
        mine = says("GET", "/plans", program.get("/plans"))
        assert [(each["plan"], each["state"]) for each in mine["plans"]] == [(plan, "stopped")]


def test_a_key_has_one_effect(monthly: Monthly, programs: Programs) -> None:
    program, campaign = programs(), monthly.campaign()
    place = f"/campaigns/{campaign}/plans"
    first, again = (program.post(place, {"fen": 500}, key="once") for _time in range(2))
    assert first.get_json() == again.get_json() and again.headers["Idempotent-Replayed"] == "true"
    assert program.post(place, {"fen": 501}, key="once").status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Plan)) == 1
    plan = begun(monthly, program)
    for step in ("pause", "continuation"):
        first = program.post(f"/plans/{plan}/{step}", key=step)
        assert first.status_code == 201
    again = program.post(f"/plans/{plan}/pause", key="pause")  # an answer of before: it is not paused once more
    assert again.get_json()["state"] == "paused" and again.headers["Idempotent-Replayed"] == "true"
    assert program.get(f"/plans/{plan}").get_json()["state"] == "active"


def test_what_is_unusually_large_is_asked_about(monthly: Monthly, programs: Programs) -> None:
    program, campaign = programs(), monthly.campaign()
    place = f"/campaigns/{campaign}/plans"
    answer = program.post(place, {"fen": 50_000})
    assert [each["pointer"] for each in answer.get_json()["errors"]] == ["#/sure_of_fen"]
    assert program.post(place, {"fen": 50_000, "sure_of_fen": 50_000}).status_code == 201
    plan = begun(monthly, program)
    for sure in (None, 50_001):
        answer = program.post(f"/plans/{plan}/amount", {"fen": 50_000, "sure_of_fen": sure})
        assert [each["pointer"] for each in answer.get_json()["errors"]] == ["#/sure_of_fen"]
    asked = {"fen": 50_000, "sure_of_fen": 50_000}
    assert program.post(f"/plans/{plan}/amount", asked, key="k").get_json()["fen"] == 50_000
    assert program.post(f"/plans/{plan}/amount", {"fen": 100}).get_json()["fen"] == 100
    assert program.post(f"/plans/{plan}/amount", asked, key="k").get_json()["fen"] == 50_000
    assert program.get(f"/plans/{plan}").get_json()["fen"] == 100


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "#/fen"),
    ({"fen": 0}, "#/fen"),
    ({"fen": "1"}, "#/fen"),
    ({"fen": 5_000_001}, "#/fen"),
    ({"fen": 1, "name": "1"}, "#/name"),
    ({"fen": 1, "contact": "nobody"}, "#/contact"),
    ({"fen": 1, "plan": "x"}, "#/plan"),
]


@pytest.mark.parametrize(("body", "pointer"), WRONG)
def test_a_refusal_names_the_field_and_changes_nothing(
    monthly: Monthly, programs: Programs, body: dict[str, Any], pointer: str
) -> None:
    program, campaign = programs(), monthly.campaign()
    before = counts()
    answer = program.post(f"/campaigns/{campaign}/plans", body)
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]
    assert counts() == before


def test_somebody_without_an_address_is_asked_for_one(monthly: Monthly, programs: Programs) -> None:
    program, campaign = programs(email=None, phone=None), monthly.campaign()
    before = counts()
    answer = program.post(f"/campaigns/{campaign}/plans", {"fen": 100})
    assert [each["pointer"] for each in answer.get_json()["errors"]] == ["#/contact"] and counts() == before
    assert program.post(f"/campaigns/{campaign}/plans", {"fen": 100, "contact": "w@example.test"}).status_code == 201


def test_campaigns_that_take_no_plan(monthly: Monthly, programs: Programs) -> None:
    program, draft = programs(), monthly.fund.draft()
    soon = monthly.campaign(ends_on=date(2026, 2, 20))
    before = counts()
    assert program.post("/campaigns/nothing/plans", {"fen": 1}).status_code == 404
    assert program.post(f"/campaigns/{draft}/plans", {"fen": 1}).status_code in {404, 409}
    answer = program.post(f"/campaigns/{soon}/plans", {"fen": 1})
    assert answer.status_code == 409 and answer.get_json()["type"] == "urn:problem:ends-too-soon"
    assert counts() == before


def test_a_plan_belongs_to_its_person_and_a_key_may_what_it_was_made_for(monthly: Monthly, programs: Programs) -> None:
    mine, theirs, reader = programs(), programs(), programs(Scope.READ)
    plan = begun(monthly, mine)
    before = counts()
    assert theirs.get(f"/plans/{plan}").status_code == 404 and theirs.get("/plans").get_json()["plans"] == []
    for step, body in (("pause", None), ("continuation", None), ("stop", None), ("card", None), ("amount", {"fen": 1})):
        assert theirs.post(f"/plans/{plan}/{step}", body).status_code == 404, step
        assert reader.post(f"/plans/{plan}/{step}", body).status_code == 403, step
        assert Program(mine.client, "").post(f"/plans/{plan}/{step}", body).status_code == 401, step
    assert reader.post(f"/campaigns/{monthly.campaign()}/plans", {"fen": 1}).status_code == 403
    assert counts()["event"] - before["event"] <= 5 and mine.get(f"/plans/{plan}").get_json()["fen"] == 2000
    assert programs(Scope.ORDERS_WRITE).get("/plans").status_code == 403
    assert reader.get("/plans").status_code == 200


def test_plans_go_on_page_by_page(monthly: Monthly, programs: Programs) -> None:
    program, campaign = programs(), monthly.campaign()
    made = [program.post(f"/campaigns/{campaign}/plans", {"fen": fen}).get_json()["plan"] for fen in (1, 2, 3)]
    first = program.get("/plans?per_page=2").get_json()
    assert [each["plan"] for each in first["plans"]] == made[:0:-1]
    rest = program.get(f"/plans?per_page=2&before={first['next_before']}").get_json()
    assert [each["plan"] for each in rest["plans"]] == made[:1] and rest["next_before"] is None
    assert program.get("/plans?per_page=0").get_json()["errors"][0]["pointer"] == "?per_page"
    assert clock.today() == date(2026, 1, 31)
