"""The pages of addresses for events, and of what people want to be told."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.accounts.models import Person
from marketplace.core import outbox
from marketplace.core.db import in_transaction
from marketplace.notifications import delivering, endpoints, messages
from marketplace.notifications.models import Delivery, Endpoint, Message, Silence
from marketplace.notifications.preferences import CHOICES, WAYS, MessageKind
from marketplace.notifications.reaching import Answer
from marketplace.notifications.states import DeliveryState, EndpointState
from tests.accounts.test_tokens import send
from tests.factories import make_person, signed_in
from tests.notifications.partners import enter, tell
from tests.notifications.test_messages import Post, post

__all__ = ["post"]
ENTERED = {"address": "https://example.org/events", "kinds": ["order.paid", "parcel.shipped"]}


class Machine:
    """Answers as it is told."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def post(self, *_sent: object) -> Answer:
        return self.answers.pop(0)


def secret_in(page: TestResponse) -> str:
    found = re.search(r"whsec_[A-Za-z0-9+/]{43}=", page.text)
    assert found, page.text
    return found[0]


def test_an_address_is_entered_and_its_secret_shown_once(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    made = send(client, "/account/webhooks", **ENTERED, idempotency_key="k")
    row = session.scalars(select(Endpoint)).one()
    assert (made.status_code, secret_in(made)) == (201, row.secret)
    page = client.get(f"/account/webhooks/{row.public_id}").text
    assert "https://example.org/events" in page and "whsec_" not in page

    again = send(client, "/account/webhooks", **ENTERED, idempotency_key="k")
    assert again.status_code == 303 and "whsec_" not in again.text
    assert session.query(Endpoint).count() == 1

    newer = secret_in(send(client, f"/account/webhooks/{row.public_id}/secret"))
    session.expire_all()
    assert (row.secret, row.old_secret) == (newer, secret_in(made))


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "http://example.org/"},
        {"address": "https://127.0.0.1/"},
        {"address": "https://localhost/"},
        {"address": ""},
        {"kinds": []},
        {"kinds": ["everything"]},
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    client: FlaskClient, session: Session, wrong: dict[str, Any]
) -> None:
    signed_in(client)
    page = send(client, "/account/webhooks", **ENTERED | wrong)
    assert page.status_code == 422 and 'role="alert"' in page.text
    assert str(wrong.get("address", ENTERED["address"])) in page.text
    assert session.query(Endpoint).count() == 0


def test_a_test_is_sent_its_trouble_shown_and_sent_once_more(client: FlaskClient, session: Session) -> None:
    person = signed_in(client)
    made = enter(person, "https://example.org/events")
    page = send(client, f"/account/webhooks/{made.public_id}/test")
    assert page.status_code == 303
    row = session.scalars(select(Delivery)).one()
    before = client.application.extensions["courier"]
    client.application.extensions["courier"] = Machine(Answer(500, "<b>oops</b>", "", 12), Answer(200, "", "", 3))
    try:
        delivering.deliver_one()
        log = client.get(f"/account/webhooks/deliveries/{row.public_id}").text
        assert "回应 500" in log and "&lt;b&gt;oops&lt;/b&gt;" in log and "12 毫秒" in log
        assert "失败" in client.get(f"/account/webhooks/{made.public_id}").text
        in_transaction(give_up, row.public_id)
        again = send(client, f"/account/webhooks/deliveries/{row.public_id}/replay")
        assert again.status_code == 303
        in_transaction(wake)
        delivering.deliver_one()
    finally:
        client.application.extensions["courier"] = before
    session.expire_all()
    assert row.state is DeliveryState.DELIVERED


def give_up(session: Session, delivery: str) -> None:
    session.scalars(select(Delivery).where(Delivery.public_id == delivery)).one().state = DeliveryState.GIVEN_UP


def wake(session: Session) -> None:
    row = session.scalars(select(Endpoint)).one()
    row.rests_until = row.created_at


def test_switched_off_on_and_ended(client: FlaskClient, session: Session) -> None:
    person = signed_in(client)
    made = enter(person, "https://example.org/events")
    for step, state in (("pause", EndpointState.OFF), ("pause", EndpointState.OFF), ("resumption", EndpointState.ON)):
        assert send(client, f"/account/webhooks/{made.public_id}/{step}").status_code == 303
        session.expire_all()
        assert session.scalars(select(Endpoint.state)).all() == [state]
    assert send(client, f"/account/webhooks/{made.public_id}/end").headers["Location"] == "/account/webhooks"
    assert client.get(f"/account/webhooks/{made.public_id}").status_code == 404


def test_what_is_anothers_is_not_there(client: FlaskClient, session: Session) -> None:
    other = make_person()
    made = enter(other, "https://example.org/events")
    tell(other)
    delivery = session.scalars(select(Delivery.public_id)).one()
    signed_in(client)

    for path in (f"/account/webhooks/{made.public_id}", f"/account/webhooks/deliveries/{delivery}"):
        assert client.get(path).status_code == 404
    for path in (
        f"{made.public_id}/secret",
        f"{made.public_id}/test",
        f"{made.public_id}/end",
        f"deliveries/{delivery}/replay",
    ):
        assert send(client, f"/account/webhooks/{path}").status_code == 404
    assert len(endpoints.of_person(session, other.id)) == 1


def test_what_is_switched_off_stands_on_the_page_alone(client: FlaskClient, session: Session, post: Post) -> None:
    person = signed_in(client)
    wanted = [f"{choice.kind}:{way}" for choice in CHOICES for way in WAYS if (choice.kind, way) != ("orders", "sms")]
    assert send(client, "/account/messages", wanted=wanted).status_code == 303
    assert [(row.kind, row.way) for row in session.scalars(select(Silence))] == [("orders", "sms")]
    assert "checked" in client.get("/account/messages").text

    write(person, "a", "13800002045", MessageKind.ORDERS)
    write(person, "b", "me@example.org", MessageKind.ORDERS)
    write(person, "c", "13800002045", MessageKind.GIFTS)
    write(person, "d", "13800002045", MessageKind.ACCOUNT)
    while outbox.deliver_slow():
        pass

    assert {address for address, _text in post.delivered} == {"me@example.org", "13800002045"}
    assert [text for _address, text in post.delivered] == ["b", "c", "d"]
    assert len(session.scalars(select(Message)).all()) == 4
    assert all(fact in client.get("/account").text for fact in "abcd")


def test_rubbish_changes_no_preference(client: FlaskClient, session: Session) -> None:
    signed_in(client)
    send(client, "/account/messages", wanted=["account:sms"])
    assert session.query(Silence).count() == 0


def write(person: Person, fact: str, address: str, kind: MessageKind) -> None:
    told: dict[str, Any] = {"fact": fact, "address": address, "text": fact, "kind": kind}
    in_transaction(messages.send, **told, person_id=person.id)
