"""A station with parcels in every state, and phones that write acts while they have no network."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow, leave_trace
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.steps import STEPS
from marketplace.orders.states import OrderState, ParcelState as S
from tests import factories
from tests.factories import STATION

OURS = {"Sec-Fetch-Site": "same-origin"}
NUMBERS = count(1)
ENTERED = {"packing": {"shelf": "B-03"}, "dispatch": {"carrier": "邮政", "tracking_number": "YT123456"}}
TO_THE_SHELF = ("acceptance", "collection", "packing", "shelving")
TO_THE_BUYER = ("acceptance", "collection", "packing", "dispatch", "delivery")


def make_places() -> None:
    factories.make_station()
    factories.make_shipping()


def make_parcel(*steps: str, delivery: str = "pickup", station: str = STATION) -> Parcel:
    """A parcel of a paid order that has taken these steps at the desk."""
    words = {"recipient": "郭晓芸", "phone": "13835172045", "street": "平阳路 128 号", "phone_fingerprint": "x"}
    sums = {"goods_fen": 3980, "shipping_fen": 0, "total_fen": 3980, "book": "test", "state": OrderState.PAID}
    times = {"pay_by": clock.now(), "paid_at": clock.now()}
    order = factories.make(Order, {"province_code": "140000", "city": "太原"} | words | sums | times, {})
    figures = {"goods_fen": 3980, "service_fee_fen": 318, "shipping_fen": 0, "net_weight_grams": 2500}
    days = {"promised_by": clock.today() + timedelta(days=2), "leave_by": clock.today()}
    where = days | {"number": 1, "station_code": station, "delivery": delivery}
    parcel = factories.make(Parcel, {"order_id": order.id} | figures | where, {})
    goods = {"listing_code": "G1", "variant_code": "G1-1", "seller_public_id": "s", "seller_name": "冯建国家"}
    names = {"title_zh": "红富士苹果", "title_en": "Fuji apples", "unit_zh": "5斤箱", "unit_en": "box", "drawing": "apple"}
    one = {"unit_price_fen": 3980, "unit_service_fee_fen": 318, "quantity": 1, "shipping_fen": 0, "net_weight_grams": 2500}
    factories.make(OrderLine, {"parcel_id": parcel.id, "return_policy": "fresh_excluded"} | goods | names | one, {})
    in_transaction(lambda session: leave_trace(session, parcel, None, parcel.state, actor="buyer", why="placed"))
    for step in steps:
        take(parcel, step)
    return get(parcel.public_id)


def take(parcel: Parcel, step: str, **entered: str) -> None:
    """A step at the desk, with a network."""
    given = {"parcel": parcel.public_id, "station": parcel.station_code, "actor": "person:0"}
    in_transaction(STEPS[step].command, **given, **(entered or ENTERED.get(step, {})))


def get(public_id: str) -> Parcel:
    db.session.rollback()
    return db.session.query(Parcel).filter_by(public_id=public_id).one()


def state_of(parcel: Parcel) -> S:
    return get(parcel.public_id).state


def events(subject: str) -> list[EventRow]:
    return db.session.query(EventRow).filter_by(subject=subject).order_by(EventRow.id).all()


def stored(key: str) -> DeskAct:
    db.session.rollback()
    return db.session.query(DeskAct).filter_by(client_key=key).one()


@dataclass
class Phone:
    """A browser of one person at the desk; its clock is slow by `slow` milliseconds."""

    client: FlaskClient
    slow: int = 0
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = ""
    owner: str = ""
    sequence: Iterator[int] = field(default_factory=lambda: count(1))

    def list(self) -> dict[str, Any]:
        answer = self.client.get("/station/offline/day")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json or {}
        self.token, self.owner = found["token"], found["owner"]
        return found

    def now(self) -> int:
        return int(clock.now().timestamp() * 1000) - self.slow

    def act(self, step: str, parcel: str, after: int, **entered: str) -> dict[str, Any]:
        written = {"key": str(uuid.uuid4()), "sequence": next(self.sequence), "at": self.now()}
        return written | {"step": step, "parcel": parcel, "after": after, "entered": entered or ENTERED.get(step, {})}

    def post(self, document: Any) -> TestResponse:
        if not self.token:
            self.list()
        return self.client.post("/station/offline/acts", json=document, headers=OURS | {"X-CSRF-Token": self.token})

    def send(self, *acts: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
        """What became of each, by key: state and problem."""
        if not self.token:
            self.list()
        answer = self.post({"client": self.name, "owner": self.owner, "sent_at": self.now(), "acts": list(acts)})
        assert answer.status_code == 200, answer.text
        outcomes = answer.json["outcomes"] if answer.json else []
        return {each["key"]: (each["state"], each.get("problem")) for each in outcomes}

    def send_one(self, act: dict[str, Any]) -> tuple[str, str | None]:
        return self.send(act)[act["key"]]


MakePhone = Callable[..., Phone]


@pytest.fixture
def make_phone(app: Flask) -> MakePhone:
    return phones_at_a_station(app)


def phones_at_a_station(app: Flask) -> MakePhone:
    """Makes the station; each call is another person with a browser of their own."""
    make_places()

    def made(role: str = "station_clerk", station: str = STATION, **given: Any) -> Phone:
        client = app.test_client()
        factories.signed_in(client, role, station=station)
        return Phone(client, **given)

    return made
