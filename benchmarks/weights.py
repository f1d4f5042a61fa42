"""What a page of the trade weighs, and how many statements it sends: `python -m benchmarks.weights`, on SQLite.

Each page is asked for twice by whoever it is made for, past the page cache; the second answer counts. Weights are of the
HTML alone, plain and as gzip sends it; style, script and icons are shared and kept by the browser."""

import gzip
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import select

from benchmarks import packing
from marketplace.app import create_app, create_schema
from marketplace.core.db import db
from marketplace.core.settings import load_settings
from marketplace.orders.access import link_key
from marketplace.orders.models import Order
from marketplace.stations.models import Seller
from tests import factories
from tests.statements import gathered

WAITING: Final = 200  # parcels at the station
GOODS: Final = 40


@dataclass(frozen=True)
class Weight:
    kilobytes: float
    zipped: float
    statements: int
    milliseconds: float


def measure() -> dict[str, Weight]:
    """By page."""
    with tempfile.TemporaryDirectory() as folder:
        given: dict[str, Any] = {"app_env": "test", "data": Path(folder)}
        app = create_app(load_settings(**given, database_url=f"sqlite:///{folder}/b.db"), PAGE_CACHE=False)
        with app.app_context():
            create_schema()
            packing.fill(WAITING)
            found = {name: weighed(client, path) for name, client, path in pages(app)}
            db.session.remove()
            db.engine.dispose()
    return found


def pages(app: Any) -> Iterator[tuple[str, FlaskClient, str]]:
    """Whoever looks, at what."""
    stranger, clerk, grower = app.test_client(), app.test_client(), app.test_client()
    factories.signed_in(clerk, "station_clerk")
    person = factories.signed_in(grower, "seller")
    words = {"name_zh": "次村合作社", "name_en": "Cicun", "village_zh": "次村", "story_zh": "", "story_en": ""}
    about = {"person_id": person.id, "station_code": factories.STATION, "kind": "household", "since": 2018}
    factories.make(Seller, about, words)
    listings = [factories.make_listing(seller_id=person.id) for _each in range(GOODS)]
    packs = [factories.make_variant(listing) for listing in listings]
    headers = {"Sec-Fetch-Site": "same-origin"}
    for pack in packs[:5]:
        stranger.post("/cart/items", data={"variant": pack.code, "quantity": 1, "action": "add"}, headers=headers)
    first = db.session.scalars(select(Order).order_by(Order.id).limit(1)).one()
    number, parcel = first.number, first.parcels[0].public_id
    stranger.get(f"/orders/{number}?key={link_key(number)}")
    yield from (("category", stranger, "/categories/fruit-apple"), ("product", stranger, f"/listings/{listings[0].code}"))
    yield from (("cart", stranger, "/cart"), ("checkout", stranger, "/checkout"), ("order", stranger, f"/orders/{number}"))
    yield from (("desk", clerk, "/station"), ("parcel at the desk", clerk, f"/station/parcels/{parcel}"))
    yield from (("deliveries", clerk, "/station/receiving"), ("cases of a station", clerk, "/station/cases"))
    yield from (("seller", grower, "/seller"), ("prices", grower, "/seller/listings/prices"))
    yield from (("sheets", grower, "/seller/imports"), ("orders of a seller", grower, "/seller/orders"))


def weighed(client: FlaskClient, path: str) -> Weight:
    client.get(path)
    begun = time.perf_counter()
    with gathered() as sent:
        answer = client.get(path, headers={"Accept-Encoding": "identity"})
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return Weight(len(answer.data) / 1024, len(gzip.compress(answer.data)) / 1024, len(sent), took)


def report(found: dict[str, Weight]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Pages of the trade",
        "",
        f"Asked for by whoever each is made for, past the page cache, with {GOODS} goods and {WAITING} parcels at a station,"
        " on SQLite: what the HTML weighs, plain and as gzip sends it, and the statements that it takes.",
        "",
        "| page | KB | KB with gzip | statements | ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, one in found.items():
        lines.append(f"| {name} | {one.kilobytes:.0f} | {one.zipped:.1f} | {one.statements} | {one.milliseconds:.1f} |")
    return [*lines, ""]


if __name__ == "__main__":
    print("\n".join(report(measure())))
