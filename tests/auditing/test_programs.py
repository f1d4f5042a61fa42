"""The independent reader of keys for programs and of what partners were told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from listings import reviewing
from listings.states import ListingState
from marketplace.accounts import tokens
from marketplace.core import clock, outbox
from marketplace.core.db import db, in_transaction
from marketplace.notifications import endpoints
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.reaching import Answer
from marketplace.orders import fulfilment
from tests import factories
from tests.auditing.test_giving import named
from tests.notifications.partners import work
from tests.notifications.test_partner_facts import bought
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels, shop

__all__ = ["shop"]

TAMPERING = {
    "keys are made in the open": ("DELETE FROM audit_record WHERE action = 'token.made'",),
    "keys end in the open": ("UPDATE access_token SET ended_at = created_at",),
    "keys are stored as hashes": (
        "UPDATE access_token SET token_hash = 'pav_' || id",
        "UPDATE access_token SET expires_at = created_at",
    ),
    "addresses are entered in the open": ("UPDATE endpoint SET public_id = 'x' || id",),
    "addresses end in the open": ("UPDATE endpoint SET state = 'ended'",),
    "what was delivered was taken": (
        "UPDATE delivery_try SET status = 500",
        "DELETE FROM delivery_try",
        "UPDATE delivery SET state = 'delivered'",
    ),
    "what was given up was tried": ("UPDATE delivery SET state = 'given_up' WHERE tries = 0",),
    "deliveries are counted by their tries": ("UPDATE delivery SET tries = 0",),
    "orders that are told of were paid": ('UPDATE "order" SET paid_at = NULL',),
    "parcels that are told of have moved": (
        "UPDATE event SET to_state = 'lost' WHERE to_state = 'shipped'",
        "UPDATE event SET to_state = 'lost' WHERE to_state = 'delivered'",
    ),
    "refunds that are told of have arrived": ("UPDATE event SET to_state = 'failed' WHERE to_state = 'succeeded'",),
    "listings that are told of were published": ("UPDATE listing SET published_at = NULL",),
    "states have traces": (
        "UPDATE delivery SET state = 'waiting' WHERE state = 'delivered'",
        "UPDATE endpoint SET state = 'off'",
        "DELETE FROM event WHERE subject LIKE 'delivery:%'",
    ),
}


@pytest.fixture
def told(shop: Shop, real_app: Flask) -> Iterator[Shop]:
    """Every kind of event once, all delivered but one, which waits for a machine that is switched off."""
    operator = factories.make_person("operator")
    given: dict[str, Any] = {"person_id": operator.id, "has_second_factor": True}
    kept = in_transaction(tokens.make, name="x", scopes=list(tokens.TokenScope), days=30, **given)
    in_transaction(tokens.make, name="y", scopes=list(tokens.TokenScope), days=30, **given)
    in_transaction(tokens.end, person_id=operator.id, token=kept.public_id)
    in_transaction(endpoints.make, address="https://example.org/", kinds=tuple(EventKind), **given)
    courier, real_app.extensions["courier"] = real_app.extensions["courier"], Taker()
    listing = factories.make_listing(state=ListingState.SUBMITTED)
    seen: dict[str, Any] = {"origin_seen": True, "goods_seen": True, "price_sane": True}
    in_transaction(reviewing.accept, code=listing.code, station=JIXIAN, reviewer_id=operator.id, **seen)
    sent, refused = parcels(bought(shop, factories.make_person(), apples=1, millet=1))
    whose = {"parcel": sent.public_id, "station": JIXIAN, "actor": "test"}
    for step, more in (
        (fulfilment.accept, {}),
        (fulfilment.collect, {}),
        (fulfilment.pack, {"shelf": "A"}),
        (fulfilment.ship, {"carrier": "邮政", "tracking_number": "EY123456"}),
        (fulfilment.deliver, {}),
    ):
        in_transaction(step, **whose, **more)  # type: ignore[arg-type]
    in_transaction(fulfilment.refuse, parcel=refused.public_id, station=QINXIAN, actor="test", reason="坏了")
    shop.work()
    with clock.at(clock.now() + timedelta(minutes=5)):
        shop.cashier.finish_refunds()
        shop.work()
        work()
    (row,) = endpoints.of_person(db.session(), operator.id)
    in_transaction(endpoints.switch_off, endpoint=row.public_id, person_id=operator.id)
    in_transaction(endpoints.switch_on, endpoint=row.public_id, person_id=operator.id)
    bought(shop, factories.make_person(), apples=1)
    shop.work()
    while outbox.deliver():
        pass
    db.session.remove()
    yield shop
    real_app.extensions["courier"] = courier


class Taker:
    """A way to partners who take everything."""

    def post(self, *_sent: object) -> Answer:
        return Answer(200, "thank you", "", 3)


@pytest.mark.full
def test_what_was_done_in_the_open_is_no_difference_and_all_else_is_named(told: Shop) -> None:
    assert named() == set()
    silent = [(check, sql) for check, statements in TAMPERING.items() for sql in statements if check not in named(sql)]
    assert silent == []
