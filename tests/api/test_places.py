"""Buying ahead by a program: the rules of the page's own forms, one effect for each key, nobody else's place."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis

from marketplace.accounts.tokens import TokenScope
from marketplace.core.db import db
from tests import factories
from tests.api.conftest import Program
from tests.api.test_giving import counts
from tests.api.trading import RECIPIENT
from tests.orders.conftest import get
from tests.presales.conftest import ONE, TWO, Orchard, orchard, wrong

__all__ = ["orchard"]
Programs = Callable[..., Program]
TELLING = "13835172045"


@pytest.fixture
def programs(orchard: Orchard) -> Programs:
    def make(*scopes: TokenScope) -> Program:
        person = factories.make_person()
        return Program(orchard.shop.browser(), factories.make_token(person, *scopes), person)

    return make


@pytest.fixture
def document(orchard: Orchard) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", orchard.shop.app)


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["pointer"] for each in answer.get_json()["errors"]]


def test_from_the_program_to_the_order(orchard: Orchard, programs: Programs, document: Any) -> None:
    """Each answer is held against the document."""
    program, presale = programs(), orchard.open()

    def says(method: str, path: str, answer: Any) -> Any:
        document[path][method].validate_response(answer)
        return answer.get_json()

    asked = {"tier": orchard.two, "fen": TWO, "contact": TELLING}
    made = says("POST", "/presales/{presale}/places", program.post(f"/presales/{presale}/places", asked))
    place = made["place"]
    row = orchard.backing(place)
    assert program.person and (row.person_id, row.contact, row.fen) == (program.person.id, TELLING, TWO)
    told = {"state": "held", "fen": TWO, "currency": "CNY", "is_test": True, "tier": orchard.two, "presale": presale}
    assert told.items() <= made.items()
    assert (made["is_asked"], made["is_address_known"], made["order"]) == (False, False, None)
    paying = says("POST", "/places/{backing}/payment", program.post(f"/places/{place}/payment"))
    assert (paying["place"], paying["fen"], paying["state"]) == (place, TWO, "requires_action") and paying["url"]
    again = says("POST", "/places/{backing}/payment", program.post(f"/places/{place}/payment"))
    assert again["url"] == paying["url"]
    early = program.post(f"/places/{place}/address", {"recipient": RECIPIENT})
    assert early.status_code == 409 and orchard.states(place) == ["held"]
    orchard.pay(place)
    orchard.paid()
    assert says("GET", "/places/{backing}", program.get(f"/places/{place}"))["state"] == "confirmed"
    assert program.post(f"/places/{place}/payment").status_code == 409  # nobody pays it twice
    orchard.end()
    assert program.post(f"/places/{place}/end").status_code == 409
    where = "/places/{backing}/address"
    said = says("POST", where, program.post(f"/places/{place}/address", {"recipient": RECIPIENT, "note": "周末送"}))
    assert (said["state"], said["is_asked"], said["is_address_known"]) == ("confirmed", True, True)
    assert not any(word in str(said) for word in RECIPIENT.values())  # what is kept for seven days
    orchard.harvest()
    shown = says("GET", "/places/{backing}", program.get(f"/places/{place}"))
    assert shown["state"] == "ordered" and shown["order"] == orchard.backing(place).order_number
    order = get(shown["order"])
    assert (order.total_fen, order.recipient, order.note) == (TWO, RECIPIENT["name"], "周末送")
    mine = says("GET", "/places", program.get("/places"))
    assert [each["place"] for each in mine["places"]] == [place] and mine["next_before"] is None
    assert wrong(orchard) == []


def test_a_key_has_one_effect_and_a_place_is_given_up_once(orchard: Orchard, programs: Programs) -> None:
    program, presale = programs(), orchard.open(most=3)
    where, asked = f"/presales/{presale}/places", {"tier": orchard.one, "fen": ONE, "contact": "a@example.test"}
    first, again = program.post(where, asked, key="once"), program.post(where, asked, key="once")
    assert first.get_json() == again.get_json() and again.headers["Idempotent-Replayed"] == "true"
    assert program.post(where, asked | {"fen": ONE + 1}, key="once").status_code == 409
    place = first.get_json()["place"]
    second = program.post(where, asked).get_json()["place"]
    assert orchard.tier(orchard.one).taken == 2
    pages = program.get("/places?per_page=1").get_json()
    assert ([each["place"] for each in pages["places"]], pages["next_before"]) == ([second], second)
    rest = program.get(f"/places?per_page=1&before={second}").get_json()
    assert ([each["place"] for each in rest["places"]], rest["next_before"]) == ([place], None)
    assert pointers(program.get("/places?per_page=101")) == ["?per_page"]
    program.post(f"/places/{place}/payment")
    orchard.pay(place)
    left, repeated = (program.post(f"/places/{place}/end", key="left") for _time in range(2))
    assert left.get_json() == repeated.get_json() and left.get_json()["state"] == "refunded"
    assert program.post(f"/places/{place}/end").status_code == 409
    assert orchard.tier(orchard.one).taken == 1


def test_what_is_wrong_is_pointed_at_and_nothing_is_done(orchard: Orchard, programs: Programs) -> None:
    program, presale = programs(), orchard.open(most=1)
    where, asked = f"/presales/{presale}/places", {"tier": orchard.one, "fen": ONE, "contact": TELLING}
    before = counts()
    assert pointers(program.post(where, asked | {"contact": "nobody"})) == ["#/contact"]
    assert pointers(program.post(where, asked | {"fen": -1})) == ["#/fen"]
    assert pointers(program.post(where, asked | {"tier": "x"})) == ["#/tier"]
    assert pointers(program.post(where, asked | {"shipping": 1})) == ["#/shipping"]
    other = program.post(where, asked | {"fen": ONE - 1})
    assert (other.status_code, other.get_json()["type"]) == (409, "urn:problem:other-price")
    assert program.post(where, asked | {"tier": "0" * 16}).status_code == 404
    assert counts() == before
    place = program.post(where, asked).get_json()["place"]
    full = program.post(where, asked)
    assert (full.status_code, full.get_json()["type"]) == (409, "urn:problem:tier-is-full")
    program.post(f"/places/{place}/payment")
    orchard.pay(place)
    orchard.paid(orchard.two)
    orchard.end()
    before = counts()
    bad = program.post(f"/places/{place}/address", {"recipient": RECIPIENT | {"phone": "1"}, "sku": "nothing"})
    assert pointers(bad) == ["#/sku"]
    bad = program.post(f"/places/{place}/address", {"recipient": RECIPIENT | {"phone": "1", "province": "999999"}})
    assert pointers(bad) == ["#/recipient/phone", "#/recipient/province"]
    assert counts() == before and orchard.backing(place).answered_at is None


def test_a_place_is_its_persons_and_a_scope_is_needed(orchard: Orchard, programs: Programs) -> None:
    mine, other, presale = programs(), programs(), orchard.open()
    reads, gives = programs(TokenScope.READ), programs(TokenScope.GIFTS_WRITE)
    asked = {"tier": orchard.one, "fen": ONE, "contact": TELLING}
    place = mine.post(f"/presales/{presale}/places", asked).get_json()["place"]
    before = counts()
    assert other.get(f"/places/{place}").status_code == 404 and other.get("/places").get_json()["places"] == []
    for path, body in (("payment", None), ("address", {"recipient": RECIPIENT}), ("end", None)):
        assert other.post(f"/places/{place}/{path}", body).status_code == 404
    for program in (reads, gives):
        assert program.post(f"/presales/{presale}/places", asked).status_code == 403
    assert reads.get("/places").status_code == 200 and gives.get("/places").status_code == 403
    stranger = Program(orchard.shop.browser(), "")
    assert stranger.post(f"/presales/{presale}/places", asked).status_code == 401
    assert counts() == before


def test_who_has_an_address_on_their_account_need_not_say_it(orchard: Orchard, programs: Programs) -> None:
    program, presale = programs(), orchard.open()
    assert program.person
    program.person.phone, program.person.email = None, None
    db.session.commit()
    asked = {"tier": orchard.one, "fen": ONE}
    assert pointers(program.post(f"/presales/{presale}/places", asked)) == ["#/contact"]
    program.person.email = "b@example.test"
    db.session.commit()
    made = program.post(f"/presales/{presale}/places", asked)
    assert made.status_code == 201 and orchard.backing(made.get_json()["place"]).contact == "b@example.test"
