"""Several people speak of the same goods in the same moment, and somebody twice of the same."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from listings.customer_reviews import writing
from listings.customer_reviews.writing import Said
from marketplace.core.db import db
from tests.customer_reviews.conftest import Bought, buy, counts, for_sale

pytestmark = pytest.mark.full


def at_once(app: Flask, *bought: Bought) -> list[str]:
    start = Barrier(len(bought))

    def speak(of: Bought) -> str:
        with app.app_context():
            start.wait()
            try:
                of.write(Said(4, "好"))
            except writing.ReviewedBefore:
                return "refused"
            return "written"

    with ThreadPoolExecutor(len(bought)) as pool:
        return sorted(pool.map(speak, bought))


def test_every_voice_is_counted_once(real_app: Flask) -> None:
    apples = for_sale()
    once, *several = (buy(apples) for _each in range(5))
    db.session.rollback()

    assert at_once(real_app, *several) == ["written"] * 4
    assert counts(db.session()) == {"stars_4": 4}
    db.session.rollback()

    assert at_once(real_app, once, once, once) == ["refused", "refused", "written"]
    assert counts(db.session()) == {"stars_4": 5}
