"""A signed-in buyer asks; the seller answers, or the station for them; everybody reads both, and nobody the one alone."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews.answering import ContactInside
from listings.customer_reviews.moderating import NotYourOwn
from listings.customer_reviews.states import Reason
from listings.models import Listing
from listings.questions import answering, asking
from listings.questions.models import Question
from listings.questions.states import QuestionState as Q
from listings.states import ListingState
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.outbox import OutboxRow
from marketplace.notifications import messages, preferences
from marketplace.notifications.models import Message
from marketplace.notifications.preferences import MessageKind
from tests.customer_reviews.conftest import counts, how_many, way_of
from tests.factories import STATION, make_person, sign_in_as, signed_in
from tests.orders.conftest import hidden, post

WORDS = "苹果打蜡吗？"


def ask(listing: Listing, asker_id: int, words: str = WORDS) -> str:
    given: dict[str, Any] = {"asker_id": asker_id, "asker_name": "王晓雯", "language": "zh_CN", "words": words}
    return in_transaction(asking.ask, code=listing.code, **given)


def question_of(public_id: str) -> Question:
    db.session.expire_all()
    return db.session.scalars(select(Question).where(Question.public_id == public_id)).one()


@pytest.fixture
def asker(apples: Listing) -> int:
    return make_person(name="王晓雯", address="asker@example.test").id


def test_an_answer_makes_it_public_and_tells_who_asked(session: Session, apples: Listing, asker: int) -> None:
    question = ask(apples, asker)
    assert (question_of(question).state, question_of(question).asker_name) == (Q.OPEN, "王**") and counts(session) == {}

    in_transaction(answering.answer_as_seller, question=question, seller_id=apples.seller_id, words="不打蜡，洗洗就吃")

    row = question_of(question)
    assert (row.state, row.answer, row.answered_by) == (Q.ANSWERED, "不打蜡，洗洗就吃", "seller")
    assert counts(session) == {"questions": 1}
    assert way_of(session, f"question:{question}") == [("", "waiting"), ("waiting", "open"), ("open", "answered")]
    (letter,) = session.scalars(select(Message.text).where(Message.person_id == asker))
    assert "不打蜡，洗洗就吃" in letter and f"/listings/{apples.code}/questions" in letter
    with pytest.raises(IllegalTransition):
        in_transaction(answering.answer_as_seller, question=question, seller_id=apples.seller_id, words="打")


def told(session: Session, person_id: int) -> list[str]:
    return list(session.scalars(select(Message.text).where(Message.person_id == person_id)))


def test_its_seller_is_told_once_and_not_before_it_is_theirs(session: Session, apples: Listing, asker: int) -> None:
    first, clerk = ask(apples, asker), make_person("station_clerk").id
    held = ask(apples, asker, "加我微信 abc12345 谈价")
    (letter,) = told(session, apples.seller_id)
    assert f"/seller/questions/{first}" in letter and apples.title_zh in letter and WORDS not in letter
    in_transaction(answering.let_in, question=held, station=STATION, person_id=clerk)
    both = told(session, apples.seller_id)
    assert len(both) == 2 and f"/seller/questions/{held}" in both[1]
    in_transaction(answering.answer_as_seller, question=first, seller_id=apples.seller_id, words="不打")
    assert len(told(session, apples.seller_id)) == 2


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_seller_who_does_not_want_it_finds_it_on_their_page(
    session: Session, apples: Listing, asker: int, is_wanted: bool
) -> None:
    wanted = {(MessageKind.QUESTIONS, way) for way in preferences.WAYS} if is_wanted else set()
    in_transaction(preferences.keep, person_id=apples.seller_id, wanted=wanted)
    ask(apples, asker)
    sent = session.scalars(select(OutboxRow).where(OutboxRow.topic == messages.TOPIC)).all()
    assert (len(told(session, apples.seller_id)), len(sent)) == (1, int(is_wanted))


def test_a_contact_waits_for_the_station(session: Session, apples: Listing, asker: int) -> None:
    question, clerk = ask(apples, asker, "加我微信 abc12345 谈价"), make_person("station_clerk").id

    assert question_of(question).state is Q.WAITING
    with pytest.raises(NotFound):
        in_transaction(answering.answer_as_seller, question=question, seller_id=apples.seller_id, words="好")
    in_transaction(answering.let_in, question=question, station=STATION, person_id=clerk)
    whose: dict[str, Any] = {"station": STATION, "person_id": clerk}
    with pytest.raises(ContactInside):
        in_transaction(answering.answer_for_seller, question=question, words="打 13835172045", **whose)
    in_transaction(answering.answer_for_seller, question=question, words="在页面上谈", **whose)
    assert question_of(question).answered_by == "station" and counts(session) == {"questions": 1}


def test_who_may_take_it_away(session: Session, apples: Listing, asker: int) -> None:
    operator, clerk = make_person("operator").id, make_person("station_clerk").id
    first, second, third = (ask(apples, asker, f"{WORDS}{number}") for number in range(3))
    for question in (first, second):
        in_transaction(answering.answer_as_seller, question=question, seller_id=apples.seller_id, words="不打")
    hiding: dict[str, Any] = {"reason": Reason.OFF_TOPIC}

    with pytest.raises(NotFound):
        in_transaction(answering.hide, question=first, station=STATION, person_id=clerk, **hiding)
    with pytest.raises(NotYourOwn):
        in_transaction(answering.hide, question=first, station=None, person_id=asker, **hiding)
    with pytest.raises(NotFound):
        in_transaction(asking.withdraw, question=first, asker_id=clerk)
    assert counts(session) == {"questions": 2}
    in_transaction(answering.hide, question=first, station=None, person_id=operator, **hiding)
    in_transaction(answering.hide, question=third, station=STATION, person_id=clerk, **hiding)
    in_transaction(asking.withdraw, question=second, asker_id=asker)
    assert counts(session) == {} and question_of(second).words == question_of(second).answer == ""
    assert [question_of(each).state for each in (first, second, third)] == [Q.HIDDEN, Q.WITHDRAWN, Q.HIDDEN]


def test_only_about_what_is_for_sale_and_not_ones_own(session: Session, apples: Listing, asker: int) -> None:
    with pytest.raises(asking.OwnGoods):
        ask(apples, apples.seller_id)
    apples.state = ListingState.PAUSED
    session.commit()
    with pytest.raises(asking.Paused):
        ask(apples, asker)
    apples.state = ListingState.SUSPENDED
    session.commit()
    with pytest.raises(NotFound):
        ask(apples, asker)
    assert how_many(session, Question) == 0


def test_what_was_typed_while_the_goods_were_paused_is_not_lost(
    client: FlaskClient, session: Session, apples: Listing
) -> None:
    address = f"/listings/{apples.code}/questions"
    signed_in(client)
    key = {"idempotency_key": hidden(client.get(f"{address}/new"), "idempotency_key")}
    apples.state = ListingState.PAUSED
    session.commit()
    refused = post(client, address, {**key, "words": WORDS})
    assert refused.status_code == 409 and "暂时不卖" in refused.text and WORDS in refused.text
    assert post(client, address, {**key, "words": ""}).status_code == 422
    assert client.get(f"{address}/new").status_code == 404
    assert how_many(session, Question) == 0
    apples.state = ListingState.PUBLISHED
    session.commit()
    assert post(client, address, {**key, "words": WORDS}).status_code == 303


def test_from_the_page_of_the_goods_to_the_answer(client: FlaskClient, session: Session, apples: Listing) -> None:
    address, seller = f"/listings/{apples.code}/questions", apples.seller_id
    assert client.get(f"{address}/new").status_code == 302
    assert "问卖家一个问题" in client.get(f"/listings/{apples.code}").text
    buyer = signed_in(client)
    page = client.get(f"{address}/new")
    key = {"idempotency_key": hidden(page, "idempotency_key")}
    for wrong, says in (("", "写上你的问题"), ("问" * 301, "最多")):
        refused = post(client, address, {**key, "words": wrong})
        assert refused.status_code == 422 and says in refused.text and wrong in refused.text
    for _twice in range(2):
        assert post(client, address, {**key, "words": WORDS}).status_code == 303
    assert how_many(session, Question) == 1
    assert WORDS in client.get(address).text
    stranger = client.application.test_client()
    assert WORDS not in stranger.get(address).text

    door = client.application.test_client()
    person = sign_in_as(door, db.session.get_one(type(buyer), seller))
    question = session.scalars(select(Question.public_id)).one()
    assert "个买家等你回答" in door.get("/seller").text and WORDS in door.get("/seller/questions").text
    refused = post(door, f"/seller/questions/{question}/answer", {"words": "加我微信 abc12345"})
    assert refused.status_code == 422 and "别写电话" in refused.text and "abc12345" in refused.text
    assert post(door, f"/seller/questions/{question}/answer", {"words": "不打蜡"}).status_code == 303
    assert person.id == seller and "不打蜡" in stranger.get(address).text
    assert "卖家答过 1 个问题" in stranger.get(f"/listings/{apples.code}").text
    others = client.application.test_client()
    signed_in(others, "seller")
    assert others.get(f"/seller/questions/{question}").status_code == 404
    assert post(others, f"{address}/{question}/withdrawal", {}).status_code == 404
    for told in ("你的问题删掉了。", "这一步已经做过"):
        assert post(client, f"{address}/{question}/withdrawal", {}).status_code == 303
        assert told in client.get(address).text
    assert post(others, f"{address}/{question}/withdrawal", {}).status_code == 404
    assert "不打蜡" not in stranger.get(address).text


def test_the_desk_of_the_station_and_of_the_province(client: FlaskClient, apples: Listing, asker: int) -> None:
    question, other = ask(apples, asker), ask(apples, asker, "微信号 abc12345")
    signed_in(client, "station_clerk")
    work, _folded, quiet = client.get("/station").text.partition("这些现在没有要办的")
    assert "买家等着回答" in work and "收下，退回" not in work
    assert "收下，退回" in quiet and "买家等着回答" not in quiet
    listed = client.get("/station/questions").text
    assert WORDS in listed and "等站里看" in listed
    assert post(client, f"/station/questions/{other}/hiding", {}).status_code == 422
    assert post(client, f"/station/questions/{other}/hiding", {"reason": "advert"}).status_code == 303
    assert post(client, f"/station/questions/{question}/answer", {"words": " "}).status_code == 422
    assert post(client, f"/station/questions/{question}/answer", {"words": "站里看过，没打蜡"}).status_code == 303
    assert "站里替卖家回答" in client.get(f"/listings/{apples.code}/questions").text
    away = client.application.test_client()
    signed_in(away, "station_clerk", station="140430")
    assert away.get(f"/station/questions/{question}").status_code == 404
    operator = client.application.test_client()
    signed_in(operator, "operator")
    assert WORDS in operator.get("/operator/questions").text
    assert post(operator, f"/operator/questions/{question}/removal", {"reason": "nonsense"}).status_code == 422
    assert post(operator, f"/operator/questions/{question}/removal", {"reason": "off_topic"}).status_code == 303
    assert WORDS not in away.get(f"/listings/{apples.code}/questions").text


def test_ten_an_hour(client: FlaskClient, session: Session, apples: Listing) -> None:
    signed_in(client)
    address = f"/listings/{apples.code}/questions"
    for number in range(11):
        answer = post(client, address, {"idempotency_key": f"k{number}", "words": f"问题{number}"})
        assert answer.status_code == (303 if number < 10 else 429)
    assert answer.headers["Retry-After"] and "问题10" in answer.text and how_many(session, Question) == 10
