"""What is hidden is hidden by a reason, by somebody who has nothing to gain; its author may ask the province."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.customer_reviews import answering, appealing, moderating, writing
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.models import ReviewPicture
from listings.customer_reviews.states import PictureState, Reason, ReviewState as R
from listings.customer_reviews.writing import Said
from listings.models import Listing
from listings.screening import holds_contact
from marketplace.core import outbox
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.notifications.models import Message
from tests.customer_reviews.conftest import GOOD, HERE, PHONE, PICTURE, Bought, buy, counts, review_of, way_of
from tests.factories import make_person


@pytest.fixture
def clerk(apples: Listing) -> int:
    return make_person("station_clerk").id


def hide(review: str, person_id: int, reason: Reason = Reason.INSULT, reach: Reach = HERE) -> None:
    in_transaction(moderating.hide, review=review, reach=reach, reason=reason, person_id=person_id)


def letters() -> list[str]:
    while outbox.deliver() or outbox.deliver_slow():
        pass
    db.session.rollback()
    return [row.text for row in db.session.scalars(select(Message).order_by(Message.id)) if row.address == PHONE]


def deeds(session: Session) -> list[str]:
    return list(session.scalars(select(AuditRecord.action).where(AuditRecord.action.like("customer_review.%"))))


def test_hiding_says_why_and_tells_its_author(session: Session, bought: Bought, clerk: int) -> None:
    review = bought.write()

    hide(review, clerk)

    row = review_of(review)
    assert (row.state, row.hidden_for, row.words) == (R.HIDDEN, Reason.INSULT, GOOD.words)
    assert counts(session) == {"hidden": 1} and deeds(session) == ["customer_review.hidden"]
    (letter,) = letters()
    assert "有骂人的话" in letter and f"/orders/{bought.number}?key=" in letter
    with pytest.raises(StaleState):
        hide(review, clerk, Reason.ADVERT)
    assert review_of(review).hidden_for is Reason.INSULT and len(letters()) == 1


def test_only_the_station_of_the_goods(bought: Bought, clerk: int) -> None:
    review = bought.write()

    with pytest.raises(NotFound):
        hide(review, clerk, reach=Reach(station="140430"))

    assert review_of(review).state is R.SHOWN


def test_nobody_decides_about_their_own(apples: Listing) -> None:
    clerk = make_person("station_clerk")
    about_theirs = buy(apples).write()
    of_theirs = buy(apples, buyer_id=clerk.id).write()

    for review, who in ((about_theirs, apples.seller_id), (of_theirs, clerk.id)):
        for command, given in (
            (moderating.hide, {"reason": Reason.ADVERT}),
            (moderating.leave, {}),
            (moderating.let_in, {}),
        ):
            run: Any = command
            with pytest.raises(moderating.NotYourOwn):
                in_transaction(run, review=review, reach=HERE, person_id=who, **given)
        assert review_of(review).state is R.SHOWN


def test_the_province_has_the_last_word(session: Session, bought: Bought, clerk: int) -> None:
    review, operator = bought.write(Said(1, "太酸，退货")), make_person("operator").id
    hide(review, clerk, Reason.OFF_TOPIC)
    in_transaction(appealing.ask, review=review, reach=Reach(order_line=bought.line), words="说的就是货", actor="guest")
    with pytest.raises(writing.WithTheProvince):
        in_transaction(moderating.let_in, review=review, reach=HERE, person_id=clerk)

    in_transaction(appealing.restore, review=review, why="说的是货", person_id=operator)

    row = review_of(review)
    assert (row.state, row.hidden_for, row.appeal_answer) == (R.SHOWN, None, "说的是货")
    assert counts(session) == {"stars_1": 1} and "恢复显示" in letters()[-1]
    with pytest.raises(moderating.TheProvinceDecided):
        hide(review, clerk)
    with pytest.raises(StaleState):
        in_transaction(appealing.uphold, review=review, why="又想了想", person_id=operator)
    in_transaction(writing.edit, review=review, reach=Reach(), said=Said(1, "骂人的话"), actor="guest")
    hide(review, clerk)
    with pytest.raises(appealing.NotAppealable):
        in_transaction(appealing.ask, review=review, reach=Reach(), words="再看看", actor="guest")


def test_what_stays_hidden_can_still_be_written_anew(session: Session, bought: Bought, clerk: int) -> None:
    review = bought.write()
    with pytest.raises(appealing.NotAppealable):
        in_transaction(appealing.ask, review=review, reach=Reach(), words="为什么", actor="guest")
    hide(review, clerk)
    in_transaction(appealing.ask, review=review, reach=Reach(), words="不是广告", actor="guest")

    in_transaction(appealing.uphold, review=review, why="是广告", person_id=make_person("operator").id)

    assert review_of(review).state is R.HIDDEN and counts(session) == {"hidden": 1}
    in_transaction(writing.edit, review=review, reach=Reach(), said=Said(4, "好吃"), actor="guest")
    assert review_of(review).state is R.WAITING


def test_a_seller_reports_once_and_hides_nothing(bought: Bought, apples: Listing, clerk: int) -> None:
    review = bought.write()
    theirs: dict[str, Any] = {"review": review, "seller_id": apples.seller_id, "actor": "seller"}

    in_transaction(answering.report, **theirs, reason=Reason.OFF_TOPIC)

    assert review_of(review).state is R.SHOWN and review_of(review).is_reported
    with pytest.raises(answering.ReportedBefore):
        in_transaction(answering.report, **theirs, reason=Reason.INSULT)
    in_transaction(moderating.leave, review=review, reach=HERE, person_id=clerk)
    assert not review_of(review).is_reported and review_of(review).state is R.SHOWN
    with pytest.raises(StaleState):
        in_transaction(moderating.leave, review=review, reach=HERE, person_id=clerk)
    with pytest.raises(NotFound):
        in_transaction(answering.report, **theirs | {"seller_id": clerk}, reason=Reason.INSULT)


def test_a_seller_answers_without_a_phone_number(bought: Bought, apples: Listing, clerk: int) -> None:
    review = bought.write()
    theirs: dict[str, Any] = {"review": review, "seller_id": apples.seller_id, "actor": "seller"}

    for words in ("谢谢，明年再来", "谢谢，十月开园"):
        in_transaction(answering.answer, **theirs, words=words)
    with pytest.raises(answering.ContactInside):
        in_transaction(answering.answer, **theirs, words="打我电话 13835172045")

    row = review_of(review)
    assert row.answer == "谢谢，十月开园" and row.answered_at and not holds_contact(row.answer)
    hide(review, clerk)
    with pytest.raises(NotFound):
        in_transaction(answering.answer, **theirs, words="谢谢")


def test_pictures_are_decided_one_by_one(session: Session, bought: Bought, clerk: int) -> None:
    review = bought.write(Said(5, GOOD.words, [PICTURE, {**PICTURE, "digest": "a" * 64}]))
    first, second = session.scalars(select(ReviewPicture.public_id).order_by(ReviewPicture.position))
    whose: dict[str, Any] = {"review": review, "reach": HERE, "person_id": clerk}

    in_transaction(moderating.decide_picture, picture=first, reason=None, **whose)
    in_transaction(moderating.decide_picture, picture=second, reason=Reason.SHOWS_SOMEBODY, **whose)

    assert way_of(session, f"review_picture:{first}")[-1] == ("waiting", "shown")
    for picture, reason in ((first, None), (second, None), (second, Reason.ADVERT)):
        with pytest.raises(IllegalTransition):
            in_transaction(moderating.decide_picture, picture=picture, reason=reason, **whose)
    in_transaction(moderating.decide_picture, picture=first, reason=Reason.SHOWS_SOMEBODY, **whose)
    db.session.expire_all()
    states = set(session.scalars(select(ReviewPicture.state)))
    assert states == {PictureState.HIDDEN} and review_of(review).state is R.SHOWN
    with pytest.raises(NotFound):
        in_transaction(moderating.decide_picture, picture="nobody", reason=None, **whose)
