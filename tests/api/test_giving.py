"""Giving by a program: the rules of the page's own form, one effect for each key, and no more said than may be said."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from sqlalchemy import func, select

from crowdfund.campaigns import disbursing
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.honours.models import Dedication
from crowdfund.campaigns.models import Contribution, Disbursement, Evidence
from crowdfund.campaigns.whereabouts import following
from marketplace.accounts.tokens import TokenScope
from marketplace.core import sealing
from marketplace.core.db import Base, db, in_transaction
from marketplace.core.money import Money
from tests import factories
from tests.api.conftest import Program
from tests.campaigns.conftest import Fund, fund, gift_of
from tests.public_ledger.conftest import Giving
from tests.repayments.conftest import pay_back
from tests.statements import gathered

__all__ = ["fund"]
Programs = Callable[..., Program]


@pytest.fixture
def programs(fund: Fund) -> Programs:
    def make(*scopes: TokenScope) -> Program:
        person = factories.make_person()
        return Program(fund.browser(), factories.make_token(person, *scopes), person)

    return make


@pytest.fixture
def document(fund: Fund) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", fund.app)


def counts() -> dict[str, int]:
    """Rows of every table but those that count tries."""
    db.session.rollback()
    tables = {name: table for name, table in Base.metadata.tables.items() if name not in {"rate_window", "access_token"}}
    return {name: db.session.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()}


def seal() -> None:
    while in_transaction(sealing.seal, chain="public"):
        pass
    while following.follow():
        pass


def spend(fund: Fund, campaign: str, fen: int, **given: Any) -> str:
    words = {"purpose": "图书", "provider": "临汾新华书店", "provider_credit_code": "91140000MA0K2X7Q3P"}
    bill = Bill(amount=Money(fen), **{**words, "invoice_number": "INV1"} | given)
    asked: Any = {"campaign": campaign, "budget_line": 1, "bill": bill, "requester_id": fund.officer.id}
    made = in_transaction(disbursing.request, **asked)
    in_transaction(disbursing.approve, disbursement=made, approver_id=fund.approver.id)
    in_transaction(disbursing.send, disbursement=made, officer_id=fund.officer.id)
    in_transaction(disbursing.confirm, disbursement=made, officer_id=fund.officer.id, bank_reference="BANK-1")
    return str(made)


def test_a_fen_from_the_program_to_the_invoice(fund: Fund, programs: Programs, document: Any) -> None:
    """Each answer is held against the document."""
    program, campaign = programs(), fund.open()

    def says(method: str, path: str, answer: Any) -> Any:
        document[path][method].validate_response(answer)
        return answer.get_json()

    made = says("POST", "/campaigns/{campaign}/gifts", program.post(f"/campaigns/{campaign}/gifts", {"fen": 1}))
    gift = made["gift"]
    assert made == {"gift": gift, "campaign": campaign, "state": "pending", "fen": 1, "currency": "CNY", "is_test": True}
    paying = says("POST", "/gifts/{gift}/payment", program.post(f"/gifts/{gift}/payment"))
    assert (paying["gift"], paying["fen"], paying["state"]) == (gift, 1, "requires_action") and paying["url"]
    again = says("POST", "/gifts/{gift}/payment", program.post(f"/gifts/{gift}/payment"))
    assert again["url"] == paying["url"]
    fund.cashier.decide(fund.remote_of(gift), "succeeded")
    fund.work()
    seal()
    payment = spend(fund, campaign, 1)
    seal()
    shown = says("GET", "/gifts/{gift}", program.get(f"/gifts/{gift}"))
    assert shown["state"] == "received" and shown["number"] == 1 and len(shown["hash"]) == 64 and shown["receipt"]
    part = {"fen": 1, "what": "图书", "provider": "临汾新华书店", "invoice_number": "INV1", "disbursement": payment}
    assert (shown["parts"], shown["left_fen"], shown["back_fen"], shown["shown_as"]) == ([part], 0, 0, "")
    mine = says("GET", "/gifts", program.get("/gifts"))
    assert [each["gift"] for each in mine["gifts"]] == [gift] and mine["next_before"] is None
    assert program.post(f"/gifts/{gift}/payment").status_code == 409  # nobody pays it twice

    one = {"sha256": "ab" * 32, "words_zh": "发票", "kind": "invoice", "added_by": fund.officer.id}
    paid = select(Disbursement.id).where(Disbursement.public_id == payment)
    factories.make(Evidence, one | {"disbursement_id": db.session.scalar(paid)}, {})
    place = "/campaigns/{campaign}/disbursements"
    found = says("GET", place, program.get(f"/campaigns/{campaign}/disbursements"))["disbursements"]
    assert [(each["disbursement"], each["fen"], each["provider"]) for each in found] == [(payment, 1, "临汾新华书店")]
    assert found[0]["lines"] == [{"what": "图书", "fen": 1}] and found[0]["evidence"][0]["sha256"] == "ab" * 32
    assert found[0]["evidence"][0]["url"] is None
    pay_back(Giving(fund.officer.id, fund.approver.id), payment, {1: 1}, why="退书")
    seal()
    (came,) = says("GET", place, program.get(f"/campaigns/{campaign}/disbursements"))["disbursements"][0]["repayments"]
    assert (came["fen"], came["why"], came["sha256"]) == (1, "退书", "ab" * 32)
    shown = says("GET", "/gifts/{gift}", program.get(f"/gifts/{gift}"))
    assert (shown["parts"], shown["left_fen"]) == ([], 1)
    public = says("GET", "/campaigns/{campaign}/gifts", program.get(f"/campaigns/{campaign}/gifts"))
    row = public["gifts"][0]
    assert (row["number"], row["who"], row["fen"], row["hash"]) == (1, "", 1, shown["hash"])
    ledger = says("GET", "/ledger", program.get("/ledger"))
    kinds = [(each["number"], each["kind"], each["fen"], each["book_fen"]) for each in ledger["rows"]]
    assert kinds == [(3, "repayment", 1, 1), (2, "disbursement", -1, 0), (1, "gift", 1, 1)] and ledger["balance_fen"] == 1
    assert [each["number"] for each in program.get("/ledger?kind=gift").get_json()["rows"]] == [1]


def test_a_gift_says_that_its_givers_bank_decides(fund: Fund, programs: Programs, document: Any) -> None:
    program, campaign = programs(), fund.open()
    gift = program.post(f"/campaigns/{campaign}/gifts", {"fen": 500}).get_json()["gift"]
    program.post(f"/gifts/{gift}/payment")
    fund.cashier.decide(fund.remote_of(gift), "succeeded")
    fund.work()

    def said() -> tuple[bool, bool]:
        answer = program.get(f"/gifts/{gift}")
        document["/gifts/{gift}"]["GET"].validate_response(answer)
        page = fund.browser().get(answer.get_json()["url"]).get_data(as_text=True)
        return answer.get_json()["is_disputed"], "你的银行" in page or "Your bank is asking" in page

    assert said() == (False, False)
    dispute = fund.cashier.open_dispute(fund.remote_of(gift))
    fund.work()
    assert said() == (True, True)
    fund.cashier.decide_dispute(dispute, is_won=True)
    fund.work()
    assert said() == (False, False)


def test_a_key_has_one_effect(fund: Fund, programs: Programs) -> None:
    program, campaign = programs(), fund.open()
    place = f"/campaigns/{campaign}/gifts"
    first = program.post(place, {"fen": 500}, key="once")
    again = program.post(place, {"fen": 500}, key="once")
    assert first.get_json() == again.get_json() and again.headers["Idempotent-Replayed"] == "true"
    other = program.post(place, {"fen": 501}, key="once")
    assert other.status_code == 409 and other.get_json()["type"] == "urn:problem:key-with-other-request"
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 1


def test_an_unusually_large_gift_is_asked_about(fund: Fund, programs: Programs) -> None:
    program, campaign = programs(), fund.open()
    place, before = f"/campaigns/{campaign}/gifts", counts()
    for sure in (None, 199_999, 20_000_0 + 1):
        answer = program.post(place, {"fen": 200_000, "sure_of_fen": sure})
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.get_json()["errors"]] == ["#/sure_of_fen"]
    assert counts() == before
    assert program.post(place, {"fen": 200_000, "sure_of_fen": 200_000}, key="k").status_code == 201
    assert program.post(place, {"fen": 199_999}).status_code == 201


def test_what_is_said_of_a_giver_is_what_they_chose(fund: Fund, programs: Programs) -> None:
    program, campaign = programs(), fund.open()
    honour = {"name": "李老师", "words": "谢谢您", "email": "teacher@example.test"}
    for anonymity, shown in (("named", "王小明"), ("masked", "王**"), ("anonymous", "")):
        sent = {"fen": 100, "name": "王小明", "anonymity": anonymity, "honour": honour, "message": "加油"}
        answer = program.post(f"/campaigns/{campaign}/gifts", sent)
        assert answer.status_code == 201, answer.text
        gift = answer.get_json()["gift"]
        row = gift_of(gift)
        assert program.person
        assert (row.shown_as, row.giver, row.message, row.person_id) == (shown, "王小明", "加油", program.person.id)
        assert not any(word in answer.text for word in ("王", "李老师", "example.test"))  # what is kept for seven days
        fund.pay(gift)
    fund.work()
    seal()
    public = program.get(f"/campaigns/{campaign}/gifts")
    assert sorted(each["who"] for each in public.get_json()["gifts"]) == ["", "王**", "王小明"]
    assert "李老师" not in public.text and "加油" not in public.text
    assert db.session.scalar(select(func.count()).select_from(Dedication)) == 3


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "#/fen"),
    ({"fen": 0}, "#/fen"),
    ({"fen": -1}, "#/fen"),
    ({"fen": 1.5}, "#/fen"),
    ({"fen": "1"}, "#/fen"),
    ({"fen": True}, "#/fen"),
    ({"fen": 5_000_001}, "#/fen"),
    ({"fen": 1, "name": "1"}, "#/name"),
    ({"fen": 1, "anonymity": "hidden"}, "#/anonymity"),
    ({"fen": 1, "contact": "nobody"}, "#/contact"),
    ({"fen": 1, "honour": {"name": ""}}, "#/honour/name"),
    ({"fen": 1, "honour": {"name": "李", "email": "nobody"}}, "#/honour/email"),
    ({"fen": 1, "message": "x" * 101}, "#/message"),
    ({"fen": 1, "how_often": "monthly"}, "#/how_often"),
]


@pytest.mark.parametrize(("body", "pointer"), WRONG)
def test_a_refusal_names_the_field_and_changes_nothing(
    fund: Fund, programs: Programs, body: dict[str, Any], pointer: str
) -> None:
    program, campaign = programs(), fund.open()
    before = counts()
    answer = program.post(f"/campaigns/{campaign}/gifts", body)
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"
    assert [each["pointer"] for each in answer.get_json()["errors"]] == [pointer]
    assert counts() == before


def test_campaigns_that_take_nothing(fund: Fund, programs: Programs) -> None:
    program, draft = programs(), fund.draft()
    stops = fund.open(past_goal="stop", goal_fen=1_800_000)
    before = counts()
    assert program.post("/campaigns/nothing/gifts", {"fen": 1}).status_code == 404
    assert program.post(f"/campaigns/{draft}/gifts", {"fen": 1}).status_code in {404, 409}
    too_much = program.post(f"/campaigns/{stops}/gifts", {"fen": 1_800_001, "sure_of_fen": 1_800_001})
    assert too_much.status_code == 422 and too_much.get_json()["type"] == "urn:problem:less-is-needed"
    assert counts() == before


def test_gifts_belong_to_their_person(fund: Fund, programs: Programs) -> None:
    mine, theirs, campaign = programs(), programs(), fund.open()
    gift = mine.post(f"/campaigns/{campaign}/gifts", {"fen": 5}).get_json()["gift"]
    assert theirs.get(f"/gifts/{gift}").status_code == 404
    assert theirs.post(f"/gifts/{gift}/payment").status_code == 404
    assert theirs.get("/gifts").get_json()["gifts"] == []
    assert theirs.get(f"/gifts?before={gift}").get_json()["gifts"] == []


def test_scopes(fund: Fund, programs: Programs) -> None:
    campaign = fund.open()
    reads, orders, gives = programs(TokenScope.READ), programs(TokenScope.ORDERS_WRITE), programs(TokenScope.GIFTS_WRITE)
    stranger = Program(fund.browser(), "")
    for program, status in ((stranger, 401), (orders, 403), (reads, 403), (gives, 201)):
        assert program.post(f"/campaigns/{campaign}/gifts", {"fen": 1}).status_code == status
    for program, status in ((stranger, 401), (orders, 403), (reads, 200), (gives, 200)):
        assert program.get("/gifts").status_code == status
    assert stranger.get(f"/campaigns/{campaign}/gifts").status_code == 200


def test_pages_go_on_where_the_one_before_ended(fund: Fund, programs: Programs) -> None:
    program, campaign = programs(), fund.open()
    gifts = [program.post(f"/campaigns/{campaign}/gifts", {"fen": fen}).get_json()["gift"] for fen in (1, 2, 3)]
    first = program.get("/gifts?per_page=2").get_json()
    assert [each["gift"] for each in first["gifts"]] == [gifts[2], gifts[1]] and first["next_before"] == gifts[1]
    rest = program.get(f"/gifts?per_page=2&before={gifts[1]}").get_json()
    assert [each["gift"] for each in rest["gifts"]] == [gifts[0]] and rest["next_before"] is None
    for gift in gifts:
        fund.pay(gift)
    fund.work()
    seal()
    payments = [spend(fund, campaign, 1, invoice_number=f"I{number}") for number in (1, 2, 3)]
    place = f"/campaigns/{campaign}/disbursements"
    page = program.get(f"{place}?per_page=2").get_json()
    assert [each["disbursement"] for each in page["disbursements"]] == [payments[2], payments[1]]
    last = program.get(f"{place}?before={page['next_before']}").get_json()
    assert [each["disbursement"] for each in last["disbursements"]] == [payments[0]] and last["next_before"] is None
    for wrong in ("before=x", "per_page=0", "per_page=101"):
        assert program.get(f"{place}?{wrong}").status_code == 422
        assert program.get(f"/gifts?{wrong}").status_code == 422


def test_statements_do_not_grow(fund: Fund, programs: Programs) -> None:
    program, campaign = programs(), fund.open()
    fund.give(campaign, 100)
    seen = []
    for number in range(2):
        for each in range(3):
            spend(fund, campaign, 1, invoice_number=f"N{number}-{each}")
        with gathered() as sent:
            program.get(f"/campaigns/{campaign}/disbursements")
        seen.append(len(sent))
    assert seen[0] >= seen[1]
