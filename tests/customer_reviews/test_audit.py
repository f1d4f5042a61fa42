"""The independent reader of what people say: silent where all is well, naming what is not."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from listings.customer_reviews import appealing, moderating
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.models import ReviewPicture
from listings.customer_reviews.states import Reason
from listings.customer_reviews.writing import Said
from listings.models import Listing
from listings.questions import answering
from marketplace.auditing import checks, feedback, lives
from marketplace.auditing.checks import Difference
from marketplace.core import triggers
from marketplace.core.db import db, in_transaction
from tests.customer_reviews.conftest import GOOD, HERE, PICTURE, buy
from tests.customer_reviews.test_questions import ask
from tests.factories import make_person

OURS = ("customer_review ", "review_picture ", "question ")
TAMPERING = (
    ("feedback is counted as it is shown", "UPDATE feedback_count SET stars_5 = stars_5 + 1"),
    ("feedback is counted as it is shown", "UPDATE feedback_count SET questions = 0"),
    ("feedback is counted as it is shown", "UPDATE feedback_count SET hidden = 0"),
    ("feedback is counted as it is shown", "DELETE FROM feedback_count"),
    ("feedback is counted as it is shown", "UPDATE customer_review SET stars = 1 WHERE state = 'shown'"),
    ("reviews are of goods that arrived", "UPDATE customer_review SET order_line = 'nobody' WHERE stars = 5"),
    ("reviews are of goods that arrived", "UPDATE parcel SET delivered_at = NULL"),
    ("reviews are of goods that arrived", "UPDATE customer_review SET author_id = seller_id"),
    ("reviews are of goods that arrived", "UPDATE order_line SET listing_code = 'G0'"),
    ("what is hidden was hidden by somebody", "UPDATE customer_review SET hidden_for = 'advert' WHERE state = 'hidden'"),
    ("what is hidden was hidden by somebody", "DELETE FROM audit_record WHERE action = 'question.hidden'"),
    ("appeals of reviews are answered by the province", "UPDATE customer_review SET appeal_answer = ''"),
    ("appeals of reviews are answered by the province", "UPDATE audit_record SET why = '' WHERE action LIKE '%upheld'"),
    ("nobody sees a picture before the station", "UPDATE event SET actor = 'system' WHERE subject LIKE 'review_picture:%'"),
    ("states have traces", "UPDATE review_picture SET state = 'waiting'"),
    ("states have traces", "UPDATE customer_review SET state = 'waiting' WHERE state = 'shown'"),
    (
        "states have traces",
        "UPDATE question SET state = 'open', answer = '', answered_at = NULL, answered_by = NULL, hidden_for = NULL",
    ),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'customer_review:%' AND to_state = 'hidden'"),
)


def found(session: Session, sql: str = "") -> set[str]:
    """The checks that find something once this was written past every rule; then it is undone."""
    session.flush()
    connection = session.connection()
    with connection.begin_nested() as savepoint:
        if sql:
            triggers.drop_all(connection)
            connection.execute(text(sql))
        findings: list[Any] = list(checks.run(connection, feedback.FEEDBACK))
        findings += [each for each in lives.differences(connection) if isinstance(each, Difference) and is_ours(each)]
        savepoint.rollback()
    return {each.check for each in findings if isinstance(each, Difference)}


def is_ours(difference: Difference) -> bool:
    return difference.words.startswith(OURS)


def test_whatever_was_tampered_with_is_named(session: Session, apples: Listing) -> None:
    clerk, operator = make_person("station_clerk").id, make_person("operator").id
    good, bad = buy(apples).write(Said(5, GOOD.words, [PICTURE])), buy(apples).write(Said(1, "不好"))
    picture = session.query(ReviewPicture.public_id).scalar()
    whose: dict[str, Any] = {"reach": HERE, "person_id": clerk}
    in_transaction(moderating.decide_picture, review=good, picture=picture, reason=None, **whose)
    in_transaction(moderating.hide, review=bad, reason=Reason.INSULT, **whose)
    in_transaction(appealing.ask, review=bad, reach=Reach(), words="没骂人", actor="guest")
    in_transaction(appealing.uphold, review=bad, why="骂了", person_id=operator)
    answered, removed = (ask(apples, make_person().id, words) for words in ("打蜡吗", "甜吗"))
    in_transaction(answering.answer_as_seller, question=answered, seller_id=apples.seller_id, words="不打")
    hiding: dict[str, Any] = {"station": None, "reason": Reason.OFF_TOPIC, "person_id": operator}
    in_transaction(answering.hide, question=removed, **hiding)
    db.session.rollback()

    assert found(session) == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in found(session, sql)] == []
