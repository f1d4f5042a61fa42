"""Orders placed and paid a second, through HTTP: `python -m benchmarks.orders [NUMBER]`, on SQLite and on PostgreSQL.

The server has two workers, the worker runs beside it; eight buyers at once fill a cart, check out and pay at the cashier;
the clock stops when the last order counts as paid. Beside it, in the same run, the SQL that such orders send to our
database is sent once more through SQLAlchemy Core, with as many commits and nothing thought in between: on PostgreSQL by
eight clients, each on a copy of the database of its own, so that none waits for another's row; on SQLite, which has one
writer, one order after the other. Also told: how much processor time of whom an order takes, and how fast a webhook is
acknowledged."""

import http.client
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, text

from benchmarks.replay import NOT_SENT_AGAIN, Sent, replay
from benchmarks.serving import AS_RUN_SETS, new_database, processor_seconds, run, served, workers_of, working
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.db import db, engine_options
from marketplace.core.settings import load_settings
from marketplace.payments import inbox, signatures, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import delivery
from tests import peers
from tests.databases import close

CLIENTS: Final = 8
NUMBER: Final = 200
WARM: Final = 16
WHO: Final = {
    "recipient": "测试",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原",
    "street": "平阳路 128 号",
    "note": "",
}
GOODS: Final = """SELECT v.code FROM variant v JOIN listing l ON l.id = v.listing_id WHERE l.state = 'published'
    ORDER BY v.code LIMIT 60"""
PAID: Final = 'SELECT COUNT(*) FROM "order" WHERE paid_at IS NOT NULL'
Answer = tuple[int, str, str]  # status, Location, body
Send = Callable[[str, str, dict[str, Any] | None], Answer]


@dataclass(frozen=True)
class Result:
    """Of one database."""

    orders: float  # a second, through HTTP
    replayed: float
    seconds_each: dict[str, float]  # of processor time, by whom
    acknowledged: tuple[float, float]  # p50 and p99 of a webhook, in milliseconds

    @property
    def ratio(self) -> float:
        return self.orders / self.replayed


def order(send: Send, variant: str) -> str:
    """What a buyer's browser sends until the payment is made; where it is led then."""
    send("POST", "/cart/items", {"variant": variant, "quantity": 1, "action": "add"})
    page = send("GET", "/checkout", None)[2]
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("shown_total", "idempotency_key")}
    form = WHO | {name: found[1] for name, found in hidden.items() if found}
    status, cashier, body = send("POST", "/checkout", form)
    if status != 303 or "/sandbox-cashier/" not in cashier:
        raise RuntimeError(f"{status} {cashier} {body}")
    return send("POST", f"{urlsplit(cashier).path}/decision", {"outcome": "approve"})[1]


def over_http(address: str, number: int) -> Send:
    """A browser of its own, at an address of its own."""
    parts, cookies = urlsplit(address), dict[str, str]()
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    where = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def send(method: str, path: str, form: dict[str, Any] | None) -> Answer:
        headers = {"X-Forwarded-For": where, "Sec-Fetch-Site": "same-origin", "Accept-Encoding": "identity"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        for name, value in (line.split(";")[0].split("=", 1) for line in answer.headers.get_all("Set-Cookie", ())):
            cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()

    return send


def in_process(client: FlaskClient) -> Send:
    def send(method: str, path: str, form: dict[str, Any] | None) -> Answer:
        answer = client.open(path, method=method, data=form, headers={"Sec-Fetch-Site": "same-origin"})
        return answer.status_code, answer.headers.get("Location", ""), answer.text

    return send


def measure(number: int = NUMBER, python: str = sys.executable) -> dict[str, Result]:
    """To be called between `peers.open_folder` and `peers.close_folder`."""
    return {name: of_database(url, python, number) for name, url in (("SQLite", ""), ("PostgreSQL", new_database()))}


def of_database(url: str, python: str, number: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        start = Place(Path(folder) / "start", url)
        run(python, ["-m", "flask", "--app", "wsgi", "prepare"], start.given)
        variants = start.fill_shelves()
        sent = start.copied().record(number // 2, variants)
        replayed = statistics.median(start.replay_rate(sent) for _round in range(3))
        return start.copied().lived(python, number, variants, replayed)


@dataclass
class Place:
    """A folder of data and its database."""

    data: Path
    database: str

    @property
    def given(self) -> dict[str, str]:
        known = {"DATA": str(self.data), "DATABASE_URL": self.database, "APP_ENV": "demo", "TRUSTED_PROXIES": "1"}
        return known | AS_RUN_SETS

    @property
    def url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'pavilion.db'}"

    def copied(self) -> "Place":
        """With the same secrets and the same rows."""
        place = Path(tempfile.mkdtemp(dir=self.data.parent))
        shutil.copytree(self.data, place, dirs_exist_ok=True)
        return Place(place, new_database(self.database) if self.database else "")

    def fill_shelves(self) -> list[str]:
        engine = create_engine(self.url, **engine_options(self.url))
        with engine.begin() as connection:
            codes = list(connection.scalars(text(GOODS)))
            connection.execute(text("UPDATE variant SET on_hand = 1000000"))
        engine.dispose()
        return codes

    def record(self, number: int, variants: list[str]) -> list[list[Sent]]:
        """For each order the transactions it sends to our database, as they went to the driver."""
        app = create_app(load_settings(app_env="demo", database_url=self.url, data=self.data, trusted_proxies=1))
        with app.app_context(), recorded() as sent:
            orders = []
            for which in range(number):
                del sent[:]
                order(in_process(app.test_client()), variants[which % len(variants)])
                deliver_in_process(app)
                orders.append(list(sent))
        close(app)
        return orders

    def replay_rate(self, orders: list[list[Sent]]) -> float:
        """Orders a second, after the first few. Each client takes all of them on PostgreSQL: each has its own database."""
        clients = CLIENTS if self.database else 1
        engines = [create_engine(each.url, **engine_options(each.url)) for each in (self.copied() for _ in range(clients))]
        first, timed = ([sent for one in part for sent in one] for part in (orders[:WARM], orders[WARM:]))
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda engine: replay(engine, first), engines))  # rows get the ids that they had
            began = time.perf_counter()
            list(pool.map(lambda engine: replay(engine, timed), engines))
            took = time.perf_counter() - began
        for engine in engines:
            engine.dispose()
        return clients * len(orders[WARM:]) / took

    def lived(self, python: str, number: int, variants: list[str], replayed: float) -> Result:
        with ExitStack() as stack:
            address, server = stack.enter_context(served(python, "wsgi:app", self.given))
            here = self.given | {"BASE_URL": address}
            worker = stack.enter_context(working(python, here))
            counted = create_engine(self.url, **engine_options(self.url))
            stack.callback(counted.dispose)
            one = partial(self.one_order, address, variants)
            self.many(one, range(WARM), counted)
            before = self.spent(server, worker)
            began = time.perf_counter()
            self.many(one, range(WARM, WARM + number), counted)
            took = time.perf_counter() - began
            after = self.spent(server, worker)
            each = {who: (after[who] - before[who]) / number for who in before}
            return Result(number / took, replayed, each, acknowledged(address, self.secret()))

    def secret(self) -> str:
        return str(json.loads((self.data / "secrets.json").read_text())["webhook_secret"])

    def one_order(self, address: str, variants: list[str], which: int) -> None:
        order(over_http(address, which), variants[which % len(variants)])

    def many(self, one: Callable[[int], None], which: range, counted: Any) -> None:
        def paid() -> int:
            with counted.connect() as connection:
                return int(connection.scalar(text(PAID)))

        had = paid()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one, which))
        while paid() < had + len(which):
            time.sleep(0.02)

    def spent(self, server: int, worker: int) -> dict[str, float]:
        return {
            "the web server": sum(processor_seconds(pid) for pid in workers_of(server)),
            "the worker": processor_seconds(worker),
        }


def deliver_in_process(app: Flask) -> None:
    cashier: Any = gateways().get("sandbox")

    def bring(_url: str, body: bytes, signature: str) -> int:
        return app.test_client().post("/webhooks/sandbox", data=body, headers={"Stripe-Signature": signature}).status_code

    while delivery.deliver(cashier, bring) or inbox.work() or sweeping.send_refund():
        pass


@contextmanager
def recorded() -> Iterator[list[Sent]]:
    """What goes to our database, not to the sandbox's own, transaction by transaction; reading ones too."""
    sent: list[Sent] = []
    current: Sent = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.split(maxsplit=1)[0].upper() not in NOT_SENT_AGAIN:
            current.append((statement, parameters, many))

    def end(_connection: Any) -> None:
        if current:
            sent.append(list(current))
        current.clear()

    heard = (("before_cursor_execute", note), ("commit", end), ("rollback", end))
    for name, listener in heard:
        event.listen(db.engine, name, listener)
    try:
        yield sent
    finally:
        for name, listener in heard:
            event.remove(db.engine, name, listener)


def acknowledged(address: str, secret: str, number: int = 400) -> tuple[float, float]:
    """Milliseconds until a signed webhook of a type nobody minds is answered: p50 and p99, four senders."""

    def send(which: int) -> float:
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        about = {"id": f"in_{which}", "object": "invoice"}
        told = {"id": f"evt_bench_{which}", "object": "event", "type": "invoice.paid", "livemode": False}
        body = json.dumps(told | {"data": {"object": about}}).encode()
        signature = signatures.sign(body, secret, at=clock.now())
        began = time.perf_counter()
        connection.request("POST", "/webhooks/sandbox", body, {"Stripe-Signature": signature})
        status = connection.getresponse().status
        took = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"a webhook was answered {status}")
        return took * 1000

    with ThreadPoolExecutor(4) as pool:
        took = sorted(pool.map(send, range(number)))
    return statistics.median(took), took[int(number * 0.99)]


def report(results: dict[str, Result]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Orders",
        "",
        f"Placed and paid a second through HTTP: two web workers, the worker beside them, {CLIENTS} buyers at once."
        " Beside it the SQL of such orders, sent once more through Core with as many commits: by as many clients on"
        " PostgreSQL, each in a database of its own; one after the other on SQLite, which has one writer.",
        "",
        "| database | orders | the same SQL replayed | ratio | processor time of an order | webhook answered: p50, p99 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in results.items():
        spent = ", ".join(f"{who} {seconds * 1000:.0f} ms" for who, seconds in one.seconds_each.items())
        webhook = "{:.1f} ms, {:.1f} ms".format(*one.acknowledged)
        lines.append(f"| {name} | {one.orders:.0f} | {one.replayed:.0f} | {one.ratio:.2f} | {spent} | {webhook} |")
    return [*lines, ""]


def main() -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main()
