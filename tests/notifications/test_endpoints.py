"""Partners' machines: what they are told, by whom they know it, and what happens when they do not answer."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from listings import drafting, reviewing
from listings.models import Listing
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.api.event_schemas import EVENTS
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.notifications import delivering, endpoints, publishing, signing
from marketplace.notifications.endpoints import WORDS, EventKind
from marketplace.notifications.models import Delivery, DeliveryTry, Endpoint, Message
from marketplace.notifications.publishing import Audience
from marketplace.notifications.reaching import BadAddress, Courier, is_public, read_address
from marketplace.notifications.states import DeliveryState, EndpointState
from marketplace.orders import fulfilment
from tests import factories
from tests.notifications.listener import Listener, listening
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, build_shop, get, parcels

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def partner(app: Flask, tmp_path: Path) -> Iterator[Listener]:
    """A machine that listens, and the house's way to it."""
    before = app.extensions["courier"]
    with listening(tmp_path) as machine:
        app.extensions["courier"] = machine.courier
        yield machine
    app.extensions["courier"] = before


def enter(person: Person, address: str, *kinds: EventKind, second_factor: bool = True) -> endpoints.Made:
    given: dict[str, Any] = {"address": address, "kinds": kinds or tuple(EventKind), "has_second_factor": second_factor}
    return in_transaction(endpoints.make, person_id=person.id, **given)


def tell(person: Person, fact: str = "order.paid:SX-23456789") -> None:
    told: dict[str, Any] = {
        "kind": EventKind.ORDER_PAID,
        "fact": fact,
        "at": NOON,
        "audience": Audience(frozenset({person.id})),
    }
    in_transaction(publishing.publish, **told, data={"order": "SX-23456789"})


def work() -> None:
    """Everything that is due just now."""
    while outbox.deliver() or delivering.deliver_one():
        pass


def heard(partner: Listener) -> list[tuple[str, dict[str, Any]]]:
    """What it was told, each as the document of the API describes it, and not a field more."""
    events = [json.loads(body) for _headers, body in partner.heard]
    for event in events:
        assert EVENTS[event["type"]].model_validate(event).model_dump(mode="json")["data"] == event["data"]
    return [(event["type"], event["data"]) for event in events]


def test_a_fact_is_told_once_and_signed(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    secret = enter(person, partner.address).secret
    tell(person)
    tell(person)
    work()

    ((headers, body),) = partner.heard
    row = session.scalars(select(Delivery)).one()
    assert json.loads(body) == {
        "id": row.public_id,
        "type": "order.paid",
        "timestamp": "2026-11-26T04:00:00+00:00",
        "data": {"order": "SX-23456789"},
    }
    assert headers["content-type"] == "application/json" and headers["webhook-id"] == row.public_id
    verify = verifier()
    verify(headers, body, secret)
    with pytest.raises(AssertionError):
        verify(headers, body + b" ", secret)
    with pytest.raises(AssertionError):
        verify(headers, body, signing.new_secret())
    assert row.state is DeliveryState.DELIVERED
    (once,) = session.scalars(select(DeliveryTry)).all()
    assert (once.status, once.answer, once.trouble) == (200, "thank you", "")


def verifier() -> Callable[..., None]:
    """The one that docs/webhooks.md gives to partners: at most ten lines besides its imports."""
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)
    assert found
    function = next(part for part in ast.parse(found[1]).body if isinstance(part, ast.FunctionDef))
    assert (function.end_lineno or 0) - function.lineno < 10
    names: dict[str, Any] = {}
    exec(found[1], names)
    verify: Callable[..., None] = names["verify"]
    return verify


def test_while_a_secret_is_replaced_both_are_good(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        made = enter(person, partner.address)
        for _press in range(2):  # a thumb that presses twice does not cost the machine its secret
            newer = in_transaction(endpoints.replace_secret, endpoint=made.public_id, person_id=person.id)
        tell(person, "a")
        work()
        for secret in (made.secret, newer.secret):
            verifier()(*partner.heard[0], secret)

        clock.shift(timedelta(hours=25))
        tell(person, "b")
        work()
        verifier()(*partner.heard[1], newer.secret)
        with pytest.raises(AssertionError):
            verifier()(*partner.heard[1], made.secret)


def test_the_table_shows_neither_address_nor_secret(session: Session) -> None:
    made = enter(factories.make_person(), "https://example.org/very-secret-path")
    stored = session.execute(text("SELECT address, secret FROM endpoint")).one()
    assert not any("very-secret-path" in value or made.secret in value for value in stored)


def test_what_fails_is_tried_later_each_time_for_three_days(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    partner.status, partner.says = 500, b"\x00\xff" + b"x" * 2000
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        waits = []
        row = session.scalars(select(Delivery)).one()
        while row.state is DeliveryState.WAITING:
            work()
            before = len(partner.heard)
            waited = max(row.next_at, session.scalars(select(Endpoint)).one().rests_until) - datetime.now(UTC)
            waits.append(round(waited.total_seconds()))
            clock.shift(waited)
            assert len(partner.heard) == before
            session.expire_all()
    assert waits[:8] == [30, 60, 120, 240, 480, 960, 1920, 3840]
    assert max(waits) == 6 * 3600 and len(waits) < 30
    assert row.state is DeliveryState.GIVEN_UP
    kept = session.scalars(select(DeliveryTry)).all()
    assert len(kept) == len(partner.heard) and kept[0].status == 500
    assert kept[0].answer == "\ufffd" + "x" * 1022  # the first kilobyte, in which no NUL is left
    endpoint = session.scalars(select(Endpoint)).one()
    assert endpoint.state is EndpointState.OFF
    message = session.scalars(select(Message)).one()
    assert message.person_id == person.id and "停了" in message.text


def test_one_that_fails_keeps_nobody_waiting_and_costs_one_try_at_a_time(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        enter(person, f"https://127.0.0.1:{nobody.getsockname()[1]}/")
        enter(person, partner.address)
        for fact in "abc":
            tell(person, fact)
        work()

    assert len(partner.heard) == 3
    (missed,) = session.scalars(select(DeliveryTry).where(DeliveryTry.status.is_(None))).all()
    assert missed.trouble == "no_connection"


def test_a_machine_that_is_well_again_gets_what_waited(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        partner.status = 503
        for fact in "abc":
            tell(person, fact)
        work()
        assert len(partner.heard) == 1
        partner.status = 204
        clock.shift(timedelta(seconds=31))
        work()
    assert len(partner.heard) == 4
    endpoint = session.scalars(select(Endpoint)).one()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


def test_a_redirect_is_no_answer_and_is_not_followed(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    partner.status, partner.headers = 302, {"Location": "https://127.0.0.1/elsewhere"}
    tell(person)
    work()

    assert len(partner.heard) == 1
    assert session.scalars(select(DeliveryTry.status)).all() == [302]
    assert session.scalars(select(Delivery.state)).all() == [DeliveryState.WAITING]


def test_a_certificate_of_somebody_else_is_not_trusted(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    tell(person)
    partner.courier.context = None  # whom everybody trusts
    work()

    assert partner.heard == []
    assert session.scalars(select(DeliveryTry.trouble)).all() == ["certificate"]


@pytest.mark.parametrize(
    "where",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::", "192.0.2.1", "2001:db8::1", "ff02::1", "240.0.0.1"),
    ],
)
def test_nothing_of_our_own_network_is_reached(where: str) -> None:
    assert not is_public(ip_address(where))
    shown = f"[{where}]" if ":" in where else where
    with pytest.raises(BadAddress):
        read_address(f"https://{shown}/")


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org/", "ftp://example.org/", "https:///x", "https://", "", "https://example.org:80/"),
        *("https://example.org:0/", "https://example.org:99999/", "https://localhost/", "https://router/", "javascript:1"),
        *("https://me:secret@example.org/", "https://example.org/#x", "https://exa mple.org/", "https://例.org/事"),
        *(
            "https://[::1/",
            "https://example.org/\n",
            "https://" + "a" * 500 + ".org/",
            "https://2130706433/",
            "https://0x7f.1/",
        ),
    ],
)
def test_what_is_no_address(address: str) -> None:
    if address.endswith("0x7f.1/"):  # some resolvers read it as 127.0.0.1: then the look-up refuses it
        assert Courier().post(address, b"{}", {}).trouble in {"not_public", "no_such_name"}
        return
    with pytest.raises(BadAddress):
        read_address(address)


def test_every_kind_is_described() -> None:
    assert set(EVENTS) == {kind.value for kind in EventKind} == set(WORDS)


def test_what_is_one() -> None:
    assert read_address("https://example.org/events?a=b") == ("example.org", 443, "/events?a=b")
    assert read_address("https://example.org:8443") == ("example.org", 8443, "/")
    assert is_public(ip_address("1.1.1.1")) and is_public(ip_address("2606:4700:4700::1111"))


def test_a_name_that_leads_home_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its addresses count: the next look-up might give another of them."""
    found = [(2, 1, 6, "", (where, 443)) for where in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_asked, **_more: found)

    assert Courier().post("https://example.org/", b"{}", {}).trouble == "not_public"


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    called: list[Any] = []

    def look_up(host: str, *_asked: Any, **_more: Any) -> Any:
        looked_up.append(host)
        return [(2, 1, 6, "", ("1.1.1.1", 443))]

    def connect(where: Any, *_asked: Any) -> Any:
        called.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    monkeypatch.setattr("socket.create_connection", connect)
    assert Courier().post("https://example.org/", b"{}", {}).trouble == "no_connection"
    assert (looked_up, called) == (["example.org"], [("1.1.1.1", 443)])


def test_replaying_sends_the_same_once_more(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    enter(person, partner.address)
    tell(person)
    work()
    row = session.scalars(select(Delivery)).one()
    in_transaction(delivering.replay, delivery=row.public_id, person_id=person.id)
    in_transaction(delivering.replay, delivery=row.public_id, person_id=person.id)
    work()

    assert len(partner.heard) == 2 and partner.heard[0][1] == partner.heard[1][1]
    with pytest.raises(NotFound):
        in_transaction(delivering.replay, delivery=row.public_id, person_id=factories.make_person().id)


def test_what_is_off_or_ended_is_told_nothing(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    made = enter(person, partner.address)
    whose: dict[str, Any] = {"endpoint": made.public_id, "person_id": person.id}
    in_transaction(endpoints.switch_off, **whose)
    tell(person, "a")
    in_transaction(endpoints.switch_on, **whose)
    tell(person, "b")
    work()
    in_transaction(endpoints.end, **whose)
    tell(person, "c")
    work()

    assert session.scalars(select(Delivery.fact)).all() == ["b"]
    with pytest.raises(NotFound):
        in_transaction(endpoints.switch_on, **whose)


def test_what_is_old_is_forgotten_with_its_log(session: Session, partner: Listener) -> None:
    person = factories.make_person()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(person, partner.address)
        tell(person)
        work()
        clock.shift(timedelta(days=29))
        in_transaction(delivering.sweep)
        assert session.query(Delivery).count() == 1
        clock.shift(timedelta(days=1, seconds=1))
        in_transaction(delivering.sweep)
    assert session.query(Delivery).count() == session.query(DeliveryTry).count() == 0


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


def bought(shop: Shop, buyer: Person, **packs: int) -> str:
    browser = shop.browser()
    factories.sign_in_as(browser, buyer)
    return shop.paid_order(browser, **packs)


def test_each_hears_of_their_own_part_and_of_nobody_elses(shop: Shop, partner: Listener) -> None:
    buyer, stranger, operator = factories.make_person(), factories.make_person(), factories.make_person("operator")
    here, there = factories.make_person("station_clerk"), factories.make_person("station_manager", station=QINXIAN)
    seller = db.session.get_one(
        Person, db.session.scalars(select(Listing.seller_id).where(Listing.station_code == JIXIAN)).one()
    )
    for person in (buyer, stranger, operator, here, there, seller):
        enter(person, f"{partner.address}/{person.public_id}", EventKind.ORDER_PAID)
    late = factories.make_person("station_clerk")
    enter(late, f"{partner.address}/{late.public_id}", EventKind.ORDER_PAID, second_factor=False)
    number = bought(shop, buyer, apples=1, millet=1)
    work()

    rows = db.session.execute(select(Endpoint.person_id, Delivery.body).join(Delivery, Delivery.endpoint_id == Endpoint.id))
    told = {person: json.loads(body)["data"]["parcels"] for person, body in rows}
    both, first, second = [f"{number}-1", f"{number}-2"], [f"{number}-1"], [f"{number}-2"]
    assert told == {buyer.id: both, operator.id: both, here.id: first, seller.id: first, there.id: second}
    order = get(number)
    for _headers, body in partner.heard:
        for personal in (order.recipient, order.phone, order.street, order.city):
            assert personal not in body.decode()


def test_a_parcel_and_a_refund_are_told_on_their_way(shop: Shop, partner: Listener) -> None:
    buyer = factories.make_person()
    enter(buyer, partner.address)
    number = bought(shop, buyer, apples=1)
    (parcel,) = parcels(number)
    whose = {"parcel": parcel.public_id, "station": JIXIAN, "actor": "test"}
    in_transaction(fulfilment.accept, **whose)
    in_transaction(fulfilment.collect, **whose)
    in_transaction(fulfilment.pack, **whose, shelf="A-2")
    in_transaction(fulfilment.ship, **whose, carrier="邮政", tracking_number="EY123456")
    in_transaction(fulfilment.deliver, **whose)
    work()

    same = {"order": number, "parcel": f"{number}-1", "is_test": True}
    assert heard(partner) == [
        ("order.paid", {"order": number, "parcels": [f"{number}-1"], "is_test": True}),
        ("parcel.shipped", same | {"state": "shipped"}),
        ("parcel.delivered", same | {"state": "delivered"}),
    ]


def test_a_refund_that_arrived_is_told(shop: Shop, partner: Listener) -> None:
    buyer = factories.make_person()
    enter(buyer, partner.address, EventKind.REFUND_SUCCEEDED)
    number = bought(shop, buyer, apples=1)
    (parcel,) = parcels(number)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=JIXIAN, actor="test", reason="坏了")
    shop.work()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
        shop.cashier.finish_refunds()
        shop.work()
        work()

    ((kind, data),) = heard(partner)
    assert kind == "refund.succeeded" and data["fen"] == 4580 and data["order"] == number


def test_a_listing_that_is_let_in_is_told_to_its_seller(shop: Shop, partner: Listener) -> None:
    seller = factories.make_person("seller")
    enter(seller, partner.address)
    listing = factories.make_listing(seller_id=seller.id, state=ListingState.DRAFT)
    factories.make_variant(listing)
    in_transaction(drafting.submit, code=listing.code, person_id=seller.id)
    seen = {"origin_seen": True, "goods_seen": True, "price_sane": True}
    reviewer = factories.make_person("station_clerk")
    in_transaction(reviewing.accept, code=listing.code, station=JIXIAN, reviewer_id=reviewer.id, **seen)
    work()

    data = {"sku": listing.code, "station": JIXIAN, "category": "fruit-apple"}
    assert heard(partner) == [("listing.published", data)]
