"""People who have entered an address, and a machine that listens there."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from marketplace.accounts.models import Person
from marketplace.api.event_schemas import EVENTS
from marketplace.core import outbox
from marketplace.core.db import in_transaction
from marketplace.notifications import delivering, endpoints, publishing
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.publishing import Audience
from tests.notifications.listener import Listener, listening

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


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
