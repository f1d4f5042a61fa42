"""A program that holds a token and knows how to ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.accounts.models import Person
from marketplace.accounts.tokens import TokenScope
from marketplace.core import ids
from tests import factories
from tests.orders.conftest import Shop, build_shop


@dataclass
class Program:
    """`token` empty: a stranger's program."""

    client: FlaskClient
    token: str
    person: Person | None = None

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers())

    def post(self, path: str, body: Any = None, *, key: str = "") -> TestResponse:
        """A new key each time, unless one is given."""
        headers = self.headers() | {"Idempotency-Key": key or ids.public_id()}
        sent = {} if body is None else {"json": body}
        return self.client.post(f"/api/v1{path}", headers=headers, **sent)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    """The shop of tests/orders, rolled back at the end."""
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


@pytest.fixture
def program(shop: Shop) -> Callable[..., Program]:
    """A program of somebody with these roles, with a token of these scopes, or all."""

    def make(*roles: str, scopes: tuple[TokenScope, ...] = (), person: Person | None = None, **given: Any) -> Program:
        whose = person or factories.make_person(*roles, station=given.pop("station", factories.STATION))
        return Program(shop.browser(), factories.make_token(whose, *scopes, **given), whose)

    return make
