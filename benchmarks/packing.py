"""Packing sheets of a busy station: `python -m benchmarks.packing [ORDERS]`, on SQLite.

So many orders of three lines wait at one station; each sheet is asked for as a page and as a file, through the application
and in this process, the second time of two. The goal: 2,000 orders in less than a second."""

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from marketplace.app import create_app, create_schema
from marketplace.core import clock, ids
from marketplace.core.db import add_rows, db
from marketplace.core.settings import load_settings
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.papers.packing import By
from marketplace.orders.states import OrderState, ParcelState
from tests import factories

ORDERS: Final = 2000
LINES: Final = 3
GOAL: Final = 1.0  # seconds


def main(orders: int) -> int:
    """0 where every sheet meets the goal."""
    found = measure(orders)
    for path, (seconds, size) in found.items():
        print(f"{path:32} {seconds:6.3f} s {size / 1024:8.0f} KB")
    return 0 if max(seconds for seconds, _size in found.values()) < GOAL else 1


def measure(orders: int = ORDERS) -> dict[str, tuple[float, int]]:
    """Seconds and bytes, by sheet."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load_settings(app_env="test", database_url=f"sqlite:///{folder}/b.db", data=Path(folder)))
        with app.app_context():
            create_schema()
            fill(orders)
            client = app.test_client()
            factories.signed_in(client, "station_clerk")
            paths = [f"/station/sheets/{kind}{ending}" for kind in By for ending in ("", ".csv")]
            found = {path: asked(client, path) for path in paths}
            db.session.remove()
            db.engine.dispose()
    return found


def report(found: dict[str, tuple[float, int]], orders: int = ORDERS) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Packing sheets",
        "",
        f"{orders:,} orders of {LINES} lines wait at one station; each sheet as a page and as a file, through the"
        f" application on SQLite, the second time of two. The goal is {GOAL:.0f} s.",
        "",
        "| sheet | seconds | KB |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{path}` | {seconds:.2f} | {size / 1024:,.0f} |" for path, (seconds, size) in found.items()]
    return [*lines, ""]


def asked(client: Any, path: str) -> tuple[float, int]:
    for _time in range(2):
        begun = time.perf_counter()
        with client.get(path) as answer:
            size = len(answer.data)
            assert answer.status_code == 200, path
        seconds = time.perf_counter() - begun
    return seconds, size


def fill(orders: int) -> None:
    factories.make_station()
    factories.make_category()
    factories.make_shipping()
    session = db.session()
    add_rows(session, Order, *(order(number) for number in range(1, orders + 1)))
    add_rows(session, Parcel, *(parcel(number) for number in range(1, orders + 1)))
    rows = lines(orders)
    while some := list(islice(rows, 500)):
        add_rows(session, OrderLine, *some)
    session.commit()


def order(number: int) -> dict[str, Any]:
    where = {"province_code": "140000", "city": "太原 小店区", "street": "平阳路 128 号", "recipient": "郭晓芸"}
    money = {"goods_fen": 11940, "shipping_fen": 600, "total_fen": 12540, "book": "test"}
    now = {"pay_by": clock.now(), "paid_at": clock.now(), "state": OrderState.PAID, "number": ids.order_number()}
    return {"id": number, "phone": "13835172045", "phone_fingerprint": "x", **where, **money, **now}


def parcel(number: int) -> dict[str, Any]:
    money = {"goods_fen": 11940, "shipping_fen": 600, "service_fee_fen": 954, "net_weight_grams": 7500}
    whose = {"id": number, "order_id": number, "number": 1, "station_code": factories.STATION, "public_id": ids.public_id()}
    state = {"state": ParcelState.COLLECTING, "shelf": f"B-{number % 40:02}", "promised_by": clock.today()}
    return {**whose, **money, **state, "delivery": "courier"}


def lines(orders: int) -> Iterator[dict[str, Any]]:
    words = {"title_zh": "吉县红富士苹果", "title_en": "Fuji apples", "unit_zh": "5斤箱", "unit_en": "2.5 kg box"}
    money = {"unit_price_fen": 3980, "unit_service_fee_fen": 318, "quantity": 1, "shipping_fen": 200}
    rest = {"net_weight_grams": 2500, "return_policy": "fresh_excluded", "drawing": "", "listing_code": "P0001"}
    for number in range(1, orders + 1):
        for position in range(LINES):
            seller = {"seller_public_id": f"seller{position}", "seller_name": f"农户{(number + position) % 60}"}
            pack = {"parcel_id": number, "variant_code": f"P000{position}-1"}
            yield {"public_id": ids.public_id(), **pack, **words, **money, **rest, **seller}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS))
