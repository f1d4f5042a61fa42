"""The whole way of a webhook with nothing replaced: a server in a thread, the sandbox's own HTTP client, real bytes."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from werkzeug.serving import make_server

from marketplace.core.db import db
from marketplace.payments import inbox
from marketplace.payments.models import GatewayEvent
from marketplace.payments.sandbox import delivery
from marketplace.payments.states import AttemptState, EventStatus
from tests.answering import answering
from tests.payments.conftest import ALLOCATED, CAPTURED, Till, booked, state_of


@pytest.fixture
def address(till: Till, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    server = make_server("127.0.0.1", 0, till.app, threaded=True)
    monkeypatch.setattr(till.cashier, "base_url", f"http://127.0.0.1:{server.port}")
    with answering(server):
        yield "127.0.0.1", server.port


def test_a_payment_is_told_over_http_and_booked_once(till: Till, address: tuple[str, int]) -> None:
    attempt = till.start()
    till.pay(attempt)

    assert delivery.deliver(till.cashier)
    assert not delivery.deliver(till.cashier)
    while inbox.work():
        pass

    assert state_of(attempt) is AttemptState.SUCCEEDED
    assert booked() == CAPTURED | ALLOCATED
    assert db.session.scalars(select(GatewayEvent.status)).all() == [EventStatus.DONE]


def test_nobody_listens_and_the_webhook_waits(
    till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(till.cashier, "base_url", "http://127.0.0.1:9")
    till.pay(till.start())

    assert delivery.deliver(till.cashier)
    assert not delivery.deliver(till.cashier)  # its next try is not yet due
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        assert delivery.deliver(till.cashier)
    assert ["did not get through" in record.message for record in caplog.records if record.levelname == "WARNING"] == [True]
    till.work_later()

    assert booked() == CAPTURED | ALLOCATED


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(till: Till, address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("POST", "/webhooks/sandbox", body=iter([b"x" * 10_000] * 10), encode_chunked=True)
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == 400  # what is left of it fits no signature
    assert db.session.scalars(select(GatewayEvent.id)).all() == []
