import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdfund.pledges.models import ChildCase, Device, Partner, Pledge, Voucher
from listings.checks import sentences
from listings.following.models import Favourite
from listings.models import Certificate, Listing, PriceTier, Review, StockMovement, Variant
from listings.states import ListingState
from marketplace.accounts.models import Grant, Person
from marketplace.accounts.passwords import is_right
from marketplace.accounts.people import find
from marketplace.core.db import Base
from marketplace.core.transitions import EventRow
from marketplace.demo.goods import months
from marketplace.demo.load import load
from marketplace.demo.people import PASSWORD, accounts, person_id
from marketplace.stations.models import County, Seller, Station

COUNTS = {County: 58, Station: 58, Seller: 132, Listing: 384, Variant: 610, PriceTier: 378, Certificate: 53, Review: 384}
COUNTS |= {Favourite: 5, Partner: 2, ChildCase: 60, Device: 40, Voucher: 30, Pledge: 9}
TABLES: list[type[Base]] = [*COUNTS, Person, Grant, EventRow, StockMovement]


def count(session: Session, kind: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def test_everything_is_there(demonstration: Session) -> None:
    assert {kind: count(demonstration, kind) for kind in COUNTS} == COUNTS
    assert set(demonstration.scalars(select(Listing.state))) == {ListingState.PUBLISHED}


def test_loading_twice_changes_nothing(demonstration: Session) -> None:
    before = {kind: count(demonstration, kind) for kind in TABLES}
    hashes = set(demonstration.scalars(select(Person.password_hash)))

    load(demonstration)

    assert {kind: count(demonstration, kind) for kind in TABLES} == before
    assert set(demonstration.scalars(select(Person.password_hash))) == hashes


def test_what_was_edited_stays_edited(demonstration: Session) -> None:
    demonstration.execute(update(Variant).where(Variant.code == "P0001-1").values(price_fen=1500))

    load(demonstration)

    assert demonstration.scalar(select(Variant.price_fen).where(Variant.code == "P0001-1")) == 1500


def test_every_finding_of_a_check_can_be_told(demo_app: Flask, demonstration: Session) -> None:
    with demo_app.test_request_context():
        found = list(demonstration.scalars(select(Review.findings)))

        assert all(len(sentences(findings)) == len(findings) > 0 for findings in found)


def test_stock_is_the_sum_of_its_movements(demonstration: Session) -> None:
    moved = func.sum(StockMovement.on_hand_change)
    sums = select(StockMovement.variant_code, moved).group_by(StockMovement.variant_code)

    assert set(demonstration.execute(sums)) == set(demonstration.execute(select(Variant.code, Variant.on_hand)))


def test_every_county_has_two_or_three_sellers_and_six_to_eight_goods(demonstration: Session) -> None:
    sellers = demonstration.execute(select(func.count()).select_from(Seller).group_by(Seller.station_code)).scalars()
    goods = demonstration.execute(select(func.count()).select_from(Listing).group_by(Listing.station_code)).scalars()

    assert set(sellers) == {2, 3}
    assert set(goods) == {6, 7, 8}


def test_a_seller_sells_only_from_their_own_county(demonstration: Session) -> None:
    pairs = select(Listing.code).join(Seller, Seller.person_id == Listing.seller_id)

    assert demonstration.scalars(pairs.where(Seller.station_code != Listing.station_code)).all() == []


def test_the_sellers_who_sign_in_own_goods(demonstration: Session) -> None:
    owned = select(Listing.code).join(Person, Person.id == Listing.seller_id).order_by(Listing.code)

    assert "P0076" in demonstration.scalars(owned.where(Person.public_id == person_id("seller"))).all()
    assert "P0290" in demonstration.scalars(owned.where(Person.public_id == person_id("seller2"))).all()


def test_all_demo_accounts_of_the_list_exist_and_staff_have_a_second_factor(demonstration: Session) -> None:
    people = {
        person.email: person for person in demonstration.scalars(select(Person).where(Person.email_fingerprint.is_not(None)))
    }

    assert len(people) == 2 + 2 + 2 * 58 + 11
    assert {account.email for account in accounts()} == set(people)
    assert all((people[account.email].totp_secret is not None) == account.is_staff for account in accounts())


def test_the_one_password_opens_every_account(demonstration: Session) -> None:
    clerk = find(demonstration, "clerk.141028@demo.example")

    assert clerk is not None
    assert is_right(PASSWORD, clerk.password_hash)
    assert demonstration.scalars(select(Grant.scope_id).where(Grant.person_id == clerk.id)).all() == ["141028"]


def test_a_bigger_pack_is_cheaper_by_weight_and_a_tier_cheaper_than_one_pack(demonstration: Session) -> None:
    tiers = select(Variant.price_fen, PriceTier.price_fen).join(PriceTier, PriceTier.variant_id == Variant.id)
    packs: dict[int, list[tuple[int, int]]] = {}
    for listing, grams, fen in demonstration.execute(
        select(Variant.listing_id, Variant.net_weight_grams, Variant.price_fen)
    ):
        packs.setdefault(listing, []).append((grams, fen))
    two = [sorted(pair) for pair in packs.values() if len(pair) == 2]

    assert all(tier < single for single, tier in demonstration.execute(tiers))
    assert all(small[1] / small[0] > large[1] / large[0] for small, large in two)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("9-11", [9, 10, 11]), ("11-2", [11, 12, 1, 2]), ("7", [7]), ("1-12", []), ("10-3", [10, 11, 12, 1, 2, 3])],
)
def test_months_of_a_harvest(text: str, expected: list[int]) -> None:
    assert months(text) == expected
