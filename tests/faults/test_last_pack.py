"""Two hundred people want the last pack at the same moment: one has it, the others are told so clearly.

Every buyer is a thread with a browser of its own, and they press together. Connections are the house's own affair: its pool
hands them round, far below what PostgreSQL allows."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError

from listings import stock
from marketplace.core.db import db
from marketplace.orders.models import Order
from marketplace.orders.quoting import QuotedLine
from tests import factories
from tests.orders.conftest import RECIPIENT, Shop, differences, hidden, post, put, stock_of

BUYERS = [24, pytest.param(200, marks=pytest.mark.full)]
NO_LONGER = ("货不够这么多，少买几件。", "购物车里有东西变了，请再看一眼。没有扣钱。")


@pytest.fixture(autouse=True)
def patient(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process here has as many threads as fifty web processes: they may wait for its few connections."""
    monkeypatch.setattr(db.engine.pool, "_timeout", 300.0)


def race(shop: Shop, buyers: int) -> tuple[str, list[tuple[int, bool]]]:
    """The last pack, and of each answer its status and whether it says in words that nothing is left."""
    last = factories.make_variant(factories.make_listing(), stock_on_hand=1).code
    clients = [shop.browser() for _buyer in range(buyers)]
    forms: list[dict[str, str]] = []
    for client in clients:
        put(client, last, 1)
        page = client.get("/checkout")
        forms.append(RECIPIENT | {name: hidden(page, name) for name in ("shown_total", "idempotency_key")})
    db.session.remove()
    start = Barrier(buyers)

    def press(number: int) -> tuple[int, bool]:
        start.wait()
        answer = post(clients[number], "/checkout", forms[number])
        return answer.status_code, any(words in answer.text for words in NO_LONGER)

    with ThreadPoolExecutor(buyers) as pool:
        return last, list(pool.map(press, range(buyers)))


def one_has_it(shop: Shop, last: str, answers: list[tuple[int, bool]]) -> None:
    assert sorted(answers) == [(303, False)] + [(409, True)] * (len(answers) - 1)
    assert stock_of(last) == (1, 1)
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1
    assert differences(shop) == []


@pytest.mark.parametrize("buyers", BUYERS)
def test_the_last_pack_goes_to_one_buyer(shop: Shop, buyers: int) -> None:
    one_has_it(shop, *race(shop, buyers))


@pytest.mark.parametrize("buyers", BUYERS)
def test_without_our_guards_the_database_refuses_and_the_losers_are_told_the_same(
    shop: Shop, buyers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are taken out: the look before the order is written, and the condition of the UPDATE itself."""
    refused: list[str] = []

    def remember(context: ExceptionContext) -> None:
        if isinstance(context.sqlalchemy_exception, IntegrityError):
            refused.append(str(context.original_exception))

    monkeypatch.setattr(QuotedLine, "trouble", None)
    monkeypatch.setattr(stock, "stays_real", lambda _on_hand, _reserved: ())
    event.listen(db.engine, "handle_error", remember)

    last, answers = race(shop, buyers)
    monkeypatch.undo()

    one_has_it(shop, last, answers)
    assert len(refused) == buyers - 1 and all(stock.REAL in words for words in refused)
