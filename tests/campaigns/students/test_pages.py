"""The pages of sponsored students: nobody reads more of anybody than an alias; what is wrong is said by its field."""

import io
import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.plans.links import url_of
from crowdfund.campaigns.students import terms
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import tidy
from tests.campaigns.conftest import hidden, latest_gift, post
from tests.campaigns.plans.conftest import CONTACT, get_plan, plan_of
from tests.campaigns.students.conftest import NUMBER, OURS, PAPER, TERM, Aid, place_of, sponsorships, term_of
from tests.factories import sign_in_as


def signed(aid: Aid, who: str) -> FlaskClient:
    client = aid.monthly.fund.browser()
    sign_in_as(client, getattr(aid.monthly.fund, who))
    return client


def sent(client: FlaskClient, aid: Aid, place: str, **typed: str) -> TestResponse:
    path = f"/campaigns/{aid.campaign}/places/{place}"
    page = client.get(path)
    form = {"idempotency_key": hidden(page, "idempotency_key"), "anonymity": "masked", "name": "王晓雯", "contact": CONTACT}
    return post(client, path, form | typed)


def test_a_place_is_found_taken_and_stopped_by_a_guest(aid: Aid) -> None:
    place, client = aid.publish(), aid.monthly.fund.browser()
    alias = place_of(place).alias_zh
    listed = client.get(f"/campaigns/{aid.campaign}").text
    assert alias in listed and "每月 ¥160.00" in listed and "每学期 ¥960.00" in listed and NUMBER not in listed
    assert "/sandbox-cashier/" in sent(client, aid, place).location
    assert alias not in client.get(f"/campaigns/{aid.campaign}").text  # held
    gift = latest_gift().public_id
    aid.monthly.cashier.decide(aid.monthly.fund.remote_of(gift), "succeeded")
    aid.monthly.work()
    assert "已有 1 名学生有资助人" in client.get(f"/campaigns/{aid.campaign}").text

    own = client.get(url_of(plan_of(gift).public_id)).text
    assert "你资助的学生" in own and alias in own and "还没开学期" in own
    assert "/pause" not in own and "/amount" not in own and CONTACT not in own
    post(client, url_of(plan_of(gift).public_id) + "/stop", {})
    assert sponsorships() == [(place, "ended", "asked")]


def test_what_is_missing_is_said_by_the_field_and_nothing_is_taken(aid: Aid) -> None:
    place, client = aid.publish(), aid.monthly.fund.browser()
    answer = sent(client, aid, place, contact="", name="王晓雯")
    assert answer.status_code == 422 and "王晓雯" in answer.text
    assert place_of(place).state == "offered" and sponsorships() == []
    answer = sent(client, aid, place, name="<b>")
    assert answer.status_code == 422 and place_of(place).state == "offered"


def test_a_taken_place_says_so(aid: Aid) -> None:
    place, client = aid.publish(), aid.monthly.fund.browser()
    path = f"/campaigns/{aid.campaign}/places/{place}"
    key = hidden(client.get(path), "idempotency_key")
    aid.choose(place)
    answer = post(client, path, {"idempotency_key": key, "anonymity": "masked", "contact": "li@example.test"})
    assert answer.status_code == 409 and "刚被别人认下了" in answer.text and "li@example.test" in answer.text
    assert "这个名额现在不空" in client.get(path).text


def test_the_same_form_sent_twice_takes_the_place_once(aid: Aid) -> None:
    place, client = aid.publish(), aid.monthly.fund.browser()
    path = f"/campaigns/{aid.campaign}/places/{place}"
    form = {"idempotency_key": hidden(client.get(path), "idempotency_key"), "anonymity": "masked", "contact": CONTACT}
    first, second = post(client, path, form), post(client, path, form)
    assert first.location == second.location and len(sponsorships()) == 1


def test_a_sponsor_reads_what_became_of_the_term_and_never_where(aid: Aid) -> None:
    aid.pool(TERM)
    place = aid.publish()
    plan = aid.sponsor(place)
    term = aid.enrolled(place)
    in_transaction(terms.report, term=term, officer_id=aid.officer, words="作文得了奖", **OURS)

    client = aid.monthly.fund.browser()
    assert "两个人核过在读，接下来付款" in client.get(url_of(plan)).text
    aid.pay(aid.release(term))
    page = client.get(url_of(plan)).text
    assert "2026 年春季学期" in page and "已付给学校" in page and "作文得了奖" in page
    assert "示例中学" not in page and NUMBER not in page and "/disbursements/" not in page
    shown = client.get(f"/ledger/{aid.campaign}").text
    assert "示例中学" in shown and place_of(place).alias_zh not in shown


def test_a_sponsor_changes_the_student_on_the_plans_page(aid: Aid) -> None:
    first, second = aid.publish(), aid.publish("G14010920105678", month=20_000)
    plan = aid.sponsor(first)

    client, url = aid.monthly.fund.browser(), url_of(plan)
    assert place_of(second).alias_zh in client.get(url).text
    assert post(client, f"{url}/place", {}).status_code == 422
    assert post(client, f"{url}/place", {"place": first}).status_code == 422 and get_plan(plan).fen == 16_000
    assert post(client, f"{url}/place", {"place": second}).status_code == 303 and get_plan(plan).fen == 20_000
    assert post(client, f"{url}/pause", {}).status_code == 303 and get_plan(plan).state == "active"


def test_officers_from_a_place_to_a_payment(aid: Aid) -> None:
    aid.pool(TERM)
    officer, approver = signed(aid, "officer"), signed(aid, "approver")
    new = f"/charity/places/new?campaign={aid.campaign}"
    typed: dict[str, Any] = {"idempotency_key": hidden(officer.get(new), "idempotency_key"), "stage": "senior"}
    refused = post(officer, new, typed | {"student_number": "?", "month": "160"})
    assert refused.status_code == 422 and "6 到 24 位" in refused.text and 'value="160"' in refused.text
    made = post(officer, new, typed | {"student_number": NUMBER, "month": "160"})
    assert made.status_code == 303
    place = made.location.rpartition("/")[2]
    assert post(officer, new, typed | {"idempotency_key": "k2", "student_number": NUMBER, "month": "1"}).status_code == 422

    assert post(officer, f"/charity/places/{place}/terms", {}).status_code == 422
    assert post(officer, f"/charity/places/{place}/terms", {"term": "2026-03-01"}).status_code == 303
    term = only_term(officer, place)
    proof = f"/charity/places/terms/{term}/proof"
    assert post(officer, proof, {"student_number": NUMBER}).status_code == 422  # no file
    wrong = post(officer, proof, {"student_number": "G14010920109999", "file": paper()})
    assert wrong.status_code == 422 and "不是这个名额的学生" in wrong.text
    assert post(officer, proof, {"student_number": NUMBER, "file": paper()}).status_code == 303
    assert post(officer, f"/charity/places/terms/{term}/acceptance", {}).status_code == 403
    assert "要由另一个人来看证明" in officer.get(f"/charity/places/{place}").text
    read = post(approver, f"/charity/places/terms/{term}/reading", {})
    assert read.data == PAPER and read.headers["Cache-Control"] == "no-store"
    assert post(approver, f"/charity/places/terms/{term}/refusal", {}).status_code == 422
    assert post(approver, f"/charity/places/terms/{term}/acceptance", {}).status_code == 303
    assert post(approver, f"/charity/places/terms/{term}/reading", {}).status_code == 404

    path = f"/charity/places/releases/new?campaign={aid.campaign}"
    key = hidden(officer.get(path), "idempotency_key")
    bill = {"idempotency_key": key, "budget_line": "1", "provider": "示例中学", "invoice_number": "F-1"}
    bill["provider_credit_code"] = "12140000DEMA00001X"
    assert post(officer, path, bill).status_code == 422  # nothing chosen
    paid = post(officer, path, bill | {"terms": term})
    assert paid.status_code == 303 and "/charity/disbursements/" in paid.location
    assert term_of(term).state == "billed" and aid.free() == 0
    assert post(approver, f"{paid.location}/rejection", {"reason": "票不对"}).status_code == 303
    assert term_of(term).state == "enrolled"
    for step in ("report", "closing"):
        assert post(officer, f"/charity/places/terms/{term}/{step}", {}).status_code == 422
    words = {"report-words": tidy("加微信 lanlan2010")}
    leads = post(officer, f"/charity/places/terms/{term}/report", words)
    assert leads.status_code == 422 and "lanlan2010" in leads.text
    assert post(officer, f"/charity/places/{place}/departure", {"departure-reason": "转学"}).status_code == 303
    assert (place_of(place).state, term_of(term).state, aid.free()) == ("left", "void", TERM)


def only_term(client: FlaskClient, place: str) -> str:
    found = re.search(r"/charity/places/terms/([\w-]+)/proof", client.get(f"/charity/places/{place}").text)
    assert found
    return found[1]


def paper() -> tuple[io.BytesIO, str]:
    return io.BytesIO(PAPER), "proof.pdf"


def test_too_little_money_is_said_where_the_term_is_chosen(aid: Aid) -> None:
    aid.pool(TERM - 1)
    place = aid.publish()
    answer = post(signed(aid, "officer"), f"/charity/places/{place}/terms", {"term": "2026-03-01"})
    assert answer.status_code == 422 and "可用 ¥959.99，不够一个整学期" in answer.text and aid.free() == TERM - 1


def test_the_paper_lies_nowhere_in_the_clear(aid: Aid) -> None:
    aid.pool(TERM)
    term = aid.open(aid.publish())
    aid.prove(term)
    kept = db.session.execute(text("SELECT paper, sha256 FROM enrolment_proof")).one()
    assert "canary" not in kept.paper and "Y2FuYXJ5" not in kept.paper  # nor as base64
    assert NUMBER not in str(db.session.execute(text("SELECT * FROM student_place")).all())
    aid.see(term)
    assert db.session.execute(text("SELECT paper FROM enrolment_proof")).scalar() is None


def test_programs_read_what_the_page_shows_and_no_more(aid: Aid) -> None:
    taken, free, client = aid.publish("S-1"), aid.publish("S-2", stage="junior"), aid.monthly.fund.browser()
    aid.sponsor(taken)
    read = client.get(f"/api/v1/campaigns/{aid.campaign}")
    answer: Any = read.json
    place = f"/campaigns/{aid.campaign}/places/{free}"
    waits = {"alias": place_of(free).alias_zh, "stage": "junior", "month_fen": 16_000, "term_fen": 96_000, "url": place}
    assert answer["students"] == {"sponsored": 1, "free": [waits]}
    assert place_of(taken).alias_zh not in read.text and "S-2" not in read.text
    in_transaction(lifecycle.pause, campaign=aid.campaign, person=aid.monthly.fund.officer.id, why="查一下")
    answer = client.get(f"/api/v1/campaigns/{aid.campaign}").json
    assert answer["students"] == {"sponsored": 1, "free": []}
    answer = client.get(f"/api/v1/campaigns/{aid.monthly.campaign()}").json
    assert answer["students"] is None
