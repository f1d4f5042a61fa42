"""A sheet from its upload to the shown difference, and until it is done: `python -m benchmarks.sheets [ROWS ...]`.

Beside it what reading the same file takes alone, cell by cell and nothing else. On SQLite and on PostgreSQL; one process
does what web process and worker do, so that their waiting for each other (a fifth of a second at most) is left out."""

import io
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import python_calamine
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from benchmarks.serving import drop_database, new_database
from listings.sheets import working
from listings.sheets.models import ListingImport
from listings.sheets.states import ImportState
from marketplace.accounts import people, sign_in
from marketplace.app import create_app, create_schema
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import load_settings
from marketplace.demo import places
from marketplace.stations.models import Seller
from tests import peers

ROWS: Final = (1_000, 10_000)
HEADINGS: Final = ("货号", "类别", "品名", "包装", "单价", "库存", "产地", "介绍", "收获月份", "保质期")
STORY: Final = "坡地上一年一茬，米油厚，煮粥香，十月新打下来的。"


@dataclass(frozen=True)
class Pace:
    """Seconds: reading alone, upload to difference, the page of the difference, doing it, the same sheet with new prices;
    and how long doing it kept other writers out at most."""

    alone: float
    difference: float
    page: float
    done: float
    changed: float
    lock: float


def measure(rows: tuple[int, ...] = ROWS) -> dict[str, dict[int, Pace]]:
    """By database and number of rows. To be called between `peers.open_folder` and `peers.close_folder`."""
    found: dict[str, dict[int, Pace]] = {}
    for name in ("SQLite", "PostgreSQL"):
        for number in rows:
            with marketplace(new_database() if name == "PostgreSQL" else "") as app:
                found.setdefault(name, {})[number] = of_sheet(app, number)
    return found


@contextmanager
def marketplace(url: str) -> Iterator[Flask]:
    with tempfile.TemporaryDirectory() as folder:
        given: dict[str, Any] = {"app_env": "test", "data": Path(folder), "log_format": "json"}
        app = create_app(load_settings(**given, database_url=url or f"sqlite:///{folder}/pavilion.db"), PAGE_CACHE=False)
        with app.app_context():
            create_schema()
            in_transaction(places.load)
            yield app
            db.session.remove()
            db.engine.dispose()
    if url:
        drop_database(url)


def of_sheet(app: Flask, number: int) -> Pace:
    client = seller(app)
    sheet, dearer = (workbook(number, price) for price in (39.8, 41.5))
    alone = seconds(lambda: read_alone(sheet))
    began = time.perf_counter()
    address = send(client, sheet)
    work()
    assert client.get(address).status_code == 200
    difference = time.perf_counter() - began
    page = seconds(lambda: client.get(address))
    with writing() as locks:
        done = confirm(client, address)
    began = time.perf_counter()
    address = send(client, dearer)
    work()
    with writing() as more:
        confirm(client, address)
    states = db.session.scalars(select(ListingImport.state)).all()
    assert states == [ImportState.APPLIED, ImportState.APPLIED], states
    return Pace(alone, difference, page, done, time.perf_counter() - began, max(locks + more))


def read_alone(sheet: bytes) -> int:
    return len(python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python())


def seller(app: Flask) -> FlaskClient:
    person = in_transaction(people.register, address="seller@example.test", name="冯建国")
    scope = {"scope_kind": "own", "scope_id": ""}
    in_transaction(people.grant, person_id=person.id, role="seller", actor="benchmark", **scope)
    words = dict.fromkeys(("name_zh", "name_en", "village_zh", "story_zh", "story_en"), "次村")
    db.session.add(Seller(person_id=person.id, station_code="140430", kind="household", since=2018, **words))
    db.session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = in_transaction(sign_in.begin, person_id=person.id, device="benchmark", cart=None)
    return client


def workbook(number: int, price: float) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, number + 1):
            named = (f"A{row:05}", "grain-millet", f"沁州黄小米 {row}", "5斤袋")
            sheet.write_row(row, 0, (*named, price, 40 + row % 7, "次村乡次村", STORY, "9、10", 365))
    return buffer.getvalue()


def send(client: FlaskClient, sheet: bytes) -> str:
    data = {"sheet": (io.BytesIO(sheet), "goods.xlsx"), "then": "draft", "csrf_token": token(client)}
    answer = client.post("/seller/imports", data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def confirm(client: FlaskClient, address: str) -> float:
    began = time.perf_counter()
    client.post(f"{address}/confirmation", data={"csrf_token": token(client)}, headers={"Sec-Fetch-Site": "same-origin"})
    work()
    return time.perf_counter() - began


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found
    return found[1]


def work() -> None:
    while working.work():
        pass


@contextmanager
def writing() -> Iterator[list[float]]:
    """How long each writing transaction was open meanwhile: on SQLite nobody else writes so long."""
    began: list[float] = []
    lasted: list[float] = []

    def begin(connection: Any) -> None:
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            began.append(time.perf_counter())

    def end(_connection: Any) -> None:
        lasted.extend(time.perf_counter() - moment for moment in began)
        began.clear()

    heard = (("begin", begin), ("commit", end), ("rollback", end))
    for name, listener in heard:
        event.listen(db.engine, name, listener)
    yield lasted
    for name, listener in heard:
        event.remove(db.engine, name, listener)


def seconds(deed: Any) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def report(results: dict[str, dict[int, Pace]]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Sheets of goods",
        "",
        "An XLSX of new goods, sent by a form: seconds until the difference is shown (the goal: 1,000 rows under 3 s), until"
        " it is done, and for the same sheet with other prices from upload to done. Beside it what calamine takes to read"
        " the same file and nothing else. The last column is the longest transaction: so long other writers wait on SQLite.",
        "",
        "| database | rows | reading alone | to the difference | its page | doing it | new prices | longest transaction |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, by_number in results.items():
        for number, pace in by_number.items():
            figures = (pace.alone, pace.difference, pace.page, pace.done, pace.changed, pace.lock)
            lines.append(f"| {name} | {number:,} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    return [*lines, ""]


def main(rows: list[int]) -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(tuple(rows) or ROWS))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]])
