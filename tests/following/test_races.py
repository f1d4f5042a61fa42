"""What happens at COMMIT: two presses, two workers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from listings.following import keeping, watching
from listings.following.models import Favourite
from listings.models import Listing, Variant
from marketplace.core.db import db, in_transaction
from marketplace.notifications.models import Message
from tests.factories import make_category, make_listing, make_person, make_station, make_variant

pytestmark = pytest.mark.full


def test_two_presses_keep_one_and_two_workers_tell_once(real_app: Flask) -> None:
    make_station()
    make_category()
    make_variant(make_listing(code="G1"), code="G1-1", price_fen=3980)
    people = [make_person().id for _ in range(4)]

    def save(person: int) -> bool:
        with real_app.app_context():
            return in_transaction(keeping.save, person_id=person, variant="G1-1")

    def look(_worker: int) -> None:
        with real_app.app_context():
            while in_transaction(watching.look):
                pass

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(save, people * 2)) == [False] * 4 + [True] * 4
        for person in people:
            in_transaction(keeping.choose_alerts, person_id=person, variant="G1-1", tells_price=True, tells_return=True)
        db.session.query(Variant).update({"price_fen": 2000})
        db.session.query(Listing).update({"version": Listing.version + 1})
        db.session.commit()
        list(threads.map(look, range(4)))

    assert db.session.query(Favourite).count() == 4
    assert sorted(row.person_id or 0 for row in db.session.query(Message)) == people
