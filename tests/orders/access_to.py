"""A browser that may see an order: it has opened its link."""

from flask.testing import FlaskClient

from marketplace.orders.access import link_key
from tests.orders.conftest import Shop


def order_page(shop: Shop, number: str) -> FlaskClient:
    client = shop.browser()
    client.get(f"/orders/{number}", query_string={"key": link_key(number)})
    return client
