"""A browser that may see an order: it has opened its link. And an address that somebody has kept."""

from flask.testing import FlaskClient

from marketplace.accounts import addresses
from marketplace.core.db import db, in_transaction
from marketplace.orders.access import link_key
from tests.orders.conftest import RECIPIENT, Shop


def order_page(shop: Shop, number: str) -> FlaskClient:
    client = shop.browser()
    client.get(f"/orders/{number}", query_string={"key": link_key(number)})
    return client


def add_address(person_id: int, **changes: str) -> str:
    """Kept with the person's account; returns its public id."""
    in_transaction(addresses.remember, person_id=person_id, **RECIPIENT | changes)
    return addresses.of_person(db.session(), person_id)[0].public_id
