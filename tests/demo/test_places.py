from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.models import Category, Listing
from listings.shelves import SHELVES, shelf_of
from marketplace.accounts.models import Person
from marketplace.core.db import Base, db, in_transaction
from marketplace.core.settings import AppEnvironment
from marketplace.demo import history, places
from marketplace.demo.load import load
from marketplace.demo.tables import OnlyForDemonstrations
from marketplace.orders.models import Order, Province, ShippingRate
from marketplace.stations.models import County, Station

ZONES = {"shanxi", "neighbour", "rest", "remote"}


def count(session: Session, kind: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.fixture
def loaded(session: Session) -> Session:
    places.load(session)
    return session


def test_every_county_has_its_station(loaded: Session) -> None:
    assert count(loaded, County) == 58
    assert set(loaded.scalars(select(Station.code))) == set(loaded.scalars(select(County.code)))
    assert count(loaded, Category) == 55
    assert count(loaded, Province) == 31


def test_loading_twice_changes_nothing(loaded: Session) -> None:
    loaded.get_one(Station, "141028").phone = "0357-555-9999"

    places.load(loaded)

    assert [count(loaded, kind) for kind in (County, Station, Category, Province, ShippingRate)] == [58, 58, 55, 31, 112]
    assert loaded.get_one(Station, "141028").phone == "0357-555-9999"


def test_an_operators_own_rates_are_left_alone(session: Session) -> None:
    own = {"zone": "shanxi", "up_to_grams": 1000, "price_fen": 1, "days": 1, "valid_from": date(2026, 1, 1)}
    session.add(ShippingRate(**own))

    places.load(session)

    assert count(session, ShippingRate) == 1


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 1, 1), date(2030, 1, 1)])
def test_every_zone_has_one_rate_for_every_weight_on_any_day(loaded: Session, day: date) -> None:
    rates = list(loaded.scalars(select(ShippingRate)))
    valid = [rate for rate in rates if rate.valid_from <= day and (rate.valid_until is None or day <= rate.valid_until)]
    steps = {zone: sorted(rate.up_to_grams for rate in valid if rate.zone == zone) for zone in ZONES}

    assert {province.zone for province in loaded.scalars(select(Province))} == ZONES
    assert all(len(set(found)) == len(found) == 14 and found[-1] == 1_000_000 for found in steps.values())


def test_a_heavier_parcel_never_costs_less_and_a_farther_one_neither(loaded: Session) -> None:
    rates = list(loaded.scalars(select(ShippingRate).where(ShippingRate.valid_until.is_(None))))
    price = {(rate.zone, rate.up_to_grams): rate.price_fen for rate in rates}
    weights = sorted({rate.up_to_grams for rate in rates})

    for zone in ZONES:
        assert [price[zone, weight] for weight in weights] == sorted(price[zone, weight] for weight in weights)
    for weight in weights:
        assert price["shanxi", weight] <= price["neighbour", weight] <= price["rest", weight] <= price["remote", weight]


def test_every_category_stands_on_one_of_the_eight_shelves(loaded: Session) -> None:
    shelves = {shelf_of(code).code for code in loaded.scalars(select(Category.code))}

    assert len(SHELVES) == 8
    assert shelves == {shelf.code for shelf in SHELVES} - {"season"}


@pytest.fixture
def in_earnest(real_app: Flask) -> Iterator[Flask]:
    before = real_app.extensions["settings"]
    real_app.extensions["settings"] = replace(before, app_env=AppEnvironment.PRODUCTION)
    yield real_app
    real_app.extensions["settings"] = before


def test_a_shop_in_earnest_gets_its_places_and_nothing_else(in_earnest: Flask) -> None:
    for _time in range(2):
        said = in_earnest.test_cli_runner().invoke(args=["places", "load"])
        assert said.exit_code == 0, said.output
        there = [count(db.session(), kind) for kind in (County, Station, Category, Province, ShippingRate)]
        assert there == [58, 58, 55, 31, 112]
        assert [count(db.session(), kind) for kind in (Person, Listing, Order)] == [0, 0, 0]
        db.session.rollback()


@pytest.mark.parametrize("door", ["command", "load", "history"])
def test_the_demonstration_stays_out_of_a_shop_in_earnest(in_earnest: Flask, door: str) -> None:
    if door == "command":
        said = in_earnest.test_cli_runner().invoke(args=["demo", "load"])
        assert said.exit_code == 1 and "The demonstration is not for APP_ENV=production" in said.output
    else:
        with pytest.raises(OnlyForDemonstrations):
            in_transaction(load) if door == "load" else history.play()
    assert [count(db.session(), kind) for kind in (Person, County, Listing, Order)] == [0, 0, 0, 0]
