"""What partners' machines hear of presales: how they stand for whoever asked, places for those whom they concern."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crowdfund.presales import returning, updating
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.notifications.endpoints import EventKind as K
from marketplace.notifications.models import Delivery, Endpoint
from tests import factories
from tests.auditing.test_giving import named
from tests.notifications.partners import enter
from tests.notifications.test_giving_facts import told
from tests.presales.conftest import ONE, TWO, Orchard, after, orchard, real_orchard, work, wrong

__all__ = ["orchard", "real_orchard"]
OF_PLACES = (K.PLACE_CONFIRMED, K.PLACE_ORDERED, K.PLACE_REFUNDED)
TAMPERING = {
    "presales that are told of have moved": (
        "UPDATE event SET to_state = 'x' WHERE subject LIKE 'presale:%' AND to_state = 'live'",
        "DELETE FROM presale_update",
        "UPDATE delivery SET fact = 'presale.closed:x:closed:' WHERE kind = 'presale.closed'",
    ),
    "places that are told of have moved": (
        "UPDATE event SET to_state = 'x' WHERE subject LIKE 'backing:%' AND to_state = 'refunded'",
        "UPDATE delivery SET kind = 'place.ordered' WHERE kind = 'place.confirmed'",
    ),
}


def heard_by(person: Person) -> list[str]:
    mine = select(Delivery.kind).join(Endpoint, Endpoint.id == Delivery.endpoint_id)
    return sorted(db.session.scalars(mine.where(Endpoint.person_id == person.id)))


def live_to_its_end(orchard: Orchard) -> tuple[str, str]:
    """One place is ordered and sent back for want of a parcel, one left while it was open."""
    orchard.open()
    left = orchard.paid()
    in_transaction(returning.leave, backing_id=left, actor="guest")
    made, _other = orchard.paid(orchard.two), orchard.paid()
    news: Any = {"presale": orchard.presale, "seller": orchard.seller, "text": "王小明家的苹果红了"}
    in_transaction(updating.tell, **news)
    orchard.end()
    orchard.answer(made)
    orchard.harvest()
    row = orchard.row()
    orchard.live_through(after(row.harvest_on + timedelta(days=row.grace_days)))
    return made, left


def test_each_is_told_once_to_those_whom_it_concerns(orchard: Orchard) -> None:
    stranger, seller = factories.make_person(), db.session.get(Person, orchard.seller)
    assert seller
    for person in (stranger, seller):
        enter(person, "https://example.org/", second_factor=False)
    made, left = live_to_its_end(orchard)
    found = told()
    public = [K.PRESALE_OPENED, *[K.PRESALE_UPDATED] * 4, K.PRESALE_CLOSED]
    assert heard_by(stranger) == sorted(public)
    assert [kind for kind in heard_by(seller) if kind in OF_PLACES] == sorted(
        [*[K.PLACE_CONFIRMED] * 3, K.PLACE_ORDERED, *[K.PLACE_REFUNDED] * 2]
    )
    states = {data["state"] for kind, data in found if kind in public and data["update"] is None}
    assert states == {"live", "waiting_funds", "successful", "delivering", "defaulted"}
    ordered = [data for kind, data in found if kind == K.PLACE_ORDERED]
    number = orchard.backing(made).order_number
    assert [(data["place"], data["order"], data["fen"], data["tier"]) for data in ordered] == [
        (made, number, TWO, orchard.two)
    ]
    gone = [data for kind, data in found if kind == K.PLACE_REFUNDED]
    assert [(data["place"], data["fen"], data["order"]) for data in gone][:1] == [(left, ONE, None)]
    for body in db.session.scalars(select(Delivery.body)):
        assert not any(word in body for word in ("13835172001", "王小明", "吉县红富士"))
    assert wrong(orchard) == []


def test_a_buyer_hears_of_their_own_place_alone(orchard: Orchard) -> None:
    orchard.open()
    mine, others = orchard.paid(), orchard.paid(orchard.two)
    work()
    assert told() == []  # nobody listened
    buyer = factories.make_person()
    orchard.backing(mine).person_id = buyer.id
    db.session.commit()
    enter(buyer, "https://example.org/", *OF_PLACES, second_factor=False)
    for each in (mine, others):
        in_transaction(returning.leave, backing_id=each, actor="guest")
    orchard.shop.work()
    orchard.live_through(clock.now())
    assert [(kind, data["place"]) for kind, data in told()] == [(K.PLACE_REFUNDED, mine)]


def test_what_is_told_is_no_difference_and_all_else_is_named(real_orchard: Orchard) -> None:
    seller = db.session.get(Person, real_orchard.seller)
    assert seller
    enter(seller, "https://example.org/", second_factor=False)
    live_to_its_end(real_orchard)
    db.session.remove()  # tampering takes the guards away, and waits for whoever reads
    assert named() & set(TAMPERING) == set()
    silent = [(check, sql) for check, statements in TAMPERING.items() for sql in statements if check not in named(sql)]
    assert silent == []
