"""Who received goods reviews them, once for each line; what needs no look is shown at once, and counted as it is shown."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings, strategies as some
from sqlalchemy.orm import Session

from listings.customer_reviews import appealing, moderating, writing
from listings.customer_reviews.figures import Figures
from listings.customer_reviews.finding import Reach
from listings.customer_reviews.models import CustomerReview, ReviewPicture
from listings.customer_reviews.states import PictureState, Reason, ReviewState as R
from listings.customer_reviews.writing import Said
from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order
from marketplace.orders.states import ParcelState as S
from tests.customer_reviews.conftest import (
    GOOD,
    HERE,
    OTHER_PICTURE,
    PHONE,
    PICTURE,
    Bought,
    buy,
    counts,
    how_many,
    review_of,
    way_of,
)
from tests.factories import make_person

WITH_A_PHONE = Said(4, "要的打 13835172045")


def edit(review: str, said: Said, **given: Any) -> None:
    in_transaction(writing.edit, **{"review": review, "reach": Reach(), "said": said, "actor": "guest", **given})


def test_a_review_is_shown_at_once_under_a_masked_name(session: Session, bought: Bought) -> None:
    review = bought.write()

    row = review_of(review)
    assert (row.state, row.stars, row.words, row.author_name, row.author_id) == (R.SHOWN, 5, GOOD.words, "郭**", None)
    assert (row.unit_zh, row.bought_on) == ("5斤箱", clock.today() - timedelta(days=4))
    assert way_of(session, f"customer_review:{review}") == [("", "waiting"), ("waiting", "shown")]
    assert counts(session) == {"stars_5": 1}


def test_the_name_of_an_account_goes_before_the_recipients(apples: Listing) -> None:
    buyer = make_person(name="王晓雯")

    row = review_of(buy(apples, buyer_id=buyer.id).write())

    assert (row.author_name, row.author_id) == ("王**", buyer.id)


def test_a_line_is_reviewed_once(session: Session, bought: Bought) -> None:
    first = bought.write()

    with pytest.raises(writing.ReviewedBefore):
        bought.write(Said(1, "再说一遍"))
    in_transaction(writing.withdraw, review=first, reach=Reach(), actor="guest")
    with pytest.raises(writing.ReviewedBefore):
        bought.write(Said(1, "再说一遍"))

    assert how_many(session, CustomerReview) == 1 and counts(session) == {}


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (S.SHIPPED, {}),
        (S.READY_FOR_PICKUP, {}),
        (S.LOST, {}),
        (S.DELIVERED, {"refunded_quantity": 2}),
        (S.DELIVERED, {"missing_quantity": 2}),
        (S.DELIVERED, {"missing_quantity": 1, "replaced_quantity": 1}),
    ],
)
def test_who_has_not_received_it_says_nothing(session: Session, apples: Listing, state: S, line: dict[str, Any]) -> None:
    bought = buy(apples, state=state, **line)

    with pytest.raises(NotFound):
        bought.write()

    assert how_many(session, CustomerReview) == how_many(session, EventRow) == 0


@pytest.mark.parametrize("line", [{"refunded_quantity": 1}, {"missing_quantity": 1, "refunded_quantity": 1}])
def test_who_has_some_of_it_may(apples: Listing, line: dict[str, Any]) -> None:
    assert review_of(buy(apples, **line).write()).state is R.SHOWN


def test_what_was_lost_and_settled_never_came(session: Session, apples: Listing) -> None:
    bought = buy(apples, state=S.SETTLED)
    lost = {"from_state": "shipped", "to_state": "lost", "actor": "x", "why": "x", "at": clock.now()}
    session.add(EventRow(subject=f"parcel:{bought.parcel}", **lost))
    session.commit()

    with pytest.raises(NotFound):
        bought.write()


def test_a_replacement_is_spoken_of_at_what_was_bought(session: Session, apples: Listing) -> None:
    bought = buy(apples)
    order = session.query(Order).filter_by(number=bought.number).one()
    order.is_exchange, order.goods_fen, order.shipping_fen, order.total_fen = True, 0, 0, 0
    session.commit()

    with pytest.raises(NotFound):
        bought.write()


def test_others_orders_and_lines_are_not_there(bought: Bought, apples: Listing) -> None:
    other = buy(apples)

    with pytest.raises(NotFound):
        Bought(other.number, bought.line, bought.parcel, bought.listing).write()


def test_nobody_reviews_their_own_goods(session: Session, apples: Listing) -> None:
    bought = buy(apples, buyer_id=apples.seller_id)

    with pytest.raises(writing.OwnGoods):
        bought.write()

    assert how_many(session, CustomerReview) == 0


def test_nor_without_an_account_by_their_own_telephone(session: Session, apples: Listing) -> None:
    seller = session.get_one(Person, apples.seller_id)
    seller.phone = PHONE
    session.flush()
    bought = buy(apples, seller_public_id=seller.public_id)

    with pytest.raises(writing.OwnGoods):
        bought.write()

    assert how_many(session, CustomerReview) == 0


def test_contacts_wait_for_the_station(session: Session, bought: Bought) -> None:
    review = bought.write(WITH_A_PHONE)

    assert review_of(review).state is R.WAITING and counts(session) == {}
    clerk = make_person("station_clerk")
    in_transaction(moderating.let_in, review=review, reach=HERE, person_id=clerk.id)
    assert review_of(review).state is R.SHOWN and counts(session) == {"stars_4": 1}


def test_pictures_wait_while_the_words_are_shown(session: Session, bought: Bought) -> None:
    review = bought.write(Said(5, GOOD.words, [PICTURE, PICTURE, OTHER_PICTURE]))

    pictures = session.query(ReviewPicture).order_by(ReviewPicture.position).all()
    assert [(each.position, each.state) for each in pictures] == [(1, PictureState.WAITING), (2, PictureState.WAITING)]
    assert review_of(review).state is R.SHOWN
    assert way_of(session, f"review_picture:{pictures[0].public_id}") == [("", "waiting")]


def test_six_pictures_are_enough(session: Session, bought: Bought) -> None:
    pictures = [{**PICTURE, "digest": str(number) * 64} for number in range(7)]

    with pytest.raises(writing.TooManyPictures):
        bought.write(Said(5, GOOD.words, pictures))
    assert how_many(session, CustomerReview) == how_many(session, ReviewPicture) == 0
    review = bought.write(Said(5, GOOD.words, pictures[:6]))
    with pytest.raises(writing.TooManyPictures):
        edit(review, Said(1, "不好", pictures[6:]))
    assert (review_of(review).stars, how_many(session, ReviewPicture)) == (5, 6)
    first = session.query(ReviewPicture).order_by(ReviewPicture.id).first()
    assert first
    edit(review, Said(4, "好", pictures[6:]), without=[first.public_id])
    assert (review_of(review).stars, how_many(session, ReviewPicture)) == (4, 6)


def test_an_edit_moves_the_count_with_the_stars(session: Session, bought: Bought) -> None:
    review = bought.write()

    edit(review, Said(2, "放了三天就面了"))

    row = review_of(review)
    assert (row.stars, row.words, row.state, row.edited_at is not None) == (2, "放了三天就面了", R.SHOWN, True)
    assert counts(session) == {"stars_2": 1}


def test_a_contact_that_is_edited_in_waits(session: Session, bought: Bought) -> None:
    review = bought.write()

    edit(review, WITH_A_PHONE)
    assert review_of(review).state is R.WAITING and counts(session) == {}
    edit(review, GOOD)
    assert review_of(review).state is R.SHOWN and counts(session) == {"stars_5": 1}


def test_what_was_hidden_waits_again_however_harmless(session: Session, bought: Bought) -> None:
    review, clerk = bought.write(), make_person("station_clerk")
    in_transaction(moderating.hide, review=review, reach=HERE, reason=Reason.INSULT, person_id=clerk.id)
    assert counts(session) == {"hidden": 1}

    edit(review, Said(1, "不甜"))
    assert review_of(review).state is R.WAITING and counts(session) == {}
    edit(review, Said(1, "真不甜"))
    assert review_of(review).state is R.WAITING
    in_transaction(moderating.let_in, review=review, reach=HERE, person_id=clerk.id)
    edit(review, Said(2, "不太甜"))
    assert review_of(review).state is R.SHOWN and counts(session) == {"stars_2": 1}


def test_after_thirty_days_it_stands(session: Session, bought: Bought) -> None:
    review = bought.write()
    for days, is_late in ((29, False), (31, True)):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            if is_late:
                with pytest.raises(writing.TooLateToEdit):
                    edit(review, Said(1, "改主意了"))
            else:
                edit(review, Said(3, "一般"))

    assert review_of(review).words == "一般" and counts(session) == {"stars_3": 1}


def test_what_the_province_looks_at_stays_as_it_is(bought: Bought) -> None:
    review, clerk = bought.write(), make_person("station_clerk")
    in_transaction(moderating.hide, review=review, reach=HERE, reason=Reason.ADVERT, person_id=clerk.id)
    in_transaction(appealing.ask, review=review, reach=Reach(), words="没打广告", actor="guest")

    with pytest.raises(writing.WithTheProvince):
        edit(review, Said(1, "改主意了"))

    assert review_of(review).words == GOOD.words


def test_nothing_is_left_of_what_its_author_takes_away(session: Session, bought: Bought) -> None:
    review = bought.write(Said(5, GOOD.words, [PICTURE]))

    in_transaction(writing.withdraw, review=review, reach=Reach(order_line=bought.line), actor="guest")

    row = review_of(review)
    assert (row.state, row.words, how_many(session, ReviewPicture)) == (R.WITHDRAWN, "", 0)
    assert counts(session) == {}
    with pytest.raises(NotFound):
        in_transaction(writing.withdraw, review=review, reach=Reach(), actor="guest")
    with pytest.raises(NotFound):
        in_transaction(appealing.ask, review=review, reach=Reach(), words="x", actor="guest")


def test_only_their_own(bought: Bought, apples: Listing) -> None:
    review = bought.write()

    with pytest.raises(NotFound):
        edit(review, Said(1, "x"), reach=Reach(order_line=buy(apples).line))

    assert review_of(review).stars == 5


@settings(max_examples=20, deadline=None)
@given(some.lists(some.integers(0, 40), min_size=5, max_size=5))
def test_an_average_is_said_of_three_at_least(by_stars: list[int]) -> None:
    figures = Figures(tuple(by_stars), hidden=0, questions=0)
    total = sum(by_stars)

    assert figures.total == total and bool(figures.average) == bool(figures.shares) == (total >= 3)
    if figures.average:
        exact = sum(stars * count for stars, count in enumerate(by_stars, 1)) / total
        assert abs(float(figures.average) - exact) <= 0.05 + 1e-9 and 1 <= float(figures.average) <= 5
        assert [count for _stars, count, _share in figures.shares] == by_stars[::-1]
