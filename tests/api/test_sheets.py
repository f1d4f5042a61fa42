"""Programs of sellers send sheets, read the difference, and say what becomes of it."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from listings.models import Listing, Variant
from listings.sheets import storing
from listings.sheets.models import ListingImport
from marketplace.accounts.tokens import TokenScope
from marketplace.core import ids
from marketplace.core.db import db
from tests import factories
from tests.api.conftest import Program
from tests.orders.casework import later
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, trader, work

__all__ = ["trader"]
SHEET = as_csv(HEADINGS, MILLET)
BAD = as_csv(HEADINGS, MILLET, changed(MILLET, number="A002", price="十块", category="酒"))
NOTHING = {"new": 0, "changed": 0, "same": 0, "refused": 0, "applied": 0, "undone": 0, "kept": 0}


@pytest.fixture
def grower(app: Flask, trader: Trader) -> Program:
    return Program(app.test_client(), factories.make_token(trader.person), trader.person)


def send(
    who: Program, sheet: bytes | None = SHEET, *, key: str = "", zipped: bytes = b"", typed: dict[str, str] | None = None
) -> TestResponse:
    headers = who.headers() | {"Idempotency-Key": key or ids.public_id()}
    data: dict[str, Any] = dict(typed or {})
    if sheet is not None:
        data["sheet"] = (io.BytesIO(sheet), "货.csv")
    if zipped:
        data["pictures"] = (io.BytesIO(zipped), "照片.zip")
    return who.client.post("/api/v1/imports", data=data, headers=headers, content_type="multipart/form-data")


def compared(who: Program, sheet: bytes = SHEET) -> str:
    """Sent, and looked at by the worker; its id."""
    answer = send(who, sheet)
    assert answer.status_code == 201, answer.text
    work()
    return str(answer.get_json()["id"])


def written() -> tuple[int, int, int]:
    """Imports, goods, files of imports."""
    db.session.rollback()
    imports = db.session.scalar(select(func.count()).select_from(ListingImport)) or 0
    goods = db.session.scalar(select(func.count()).select_from(Listing)) or 0
    return imports, goods, len(list(storing.folder().glob("*")))


@pytest.fixture(autouse=True)
def no_files(app: Flask) -> None:
    storing.drop(*(path.name for path in storing.folder().glob("*")))


def test_a_sheet_is_sent_looked_at_done_and_undone(grower: Program) -> None:
    sent = send(grower).get_json()
    name = sent.pop("id")
    plain = {"file_name": "货.csv", "total": 0, "done": 0, "again": 0, "problem": None, "undo_until": None}
    assert sent == plain | {"state": "waiting", "counts": NOTHING, "url": f"/seller/imports/{name}"}
    assert grower.get(f"/imports/{name}").get_json()["rows"] == []
    work()

    shown = grower.get(f"/imports/{name}").get_json()
    assert (shown["state"], shown["counts"], shown["next_after"]) == ("ready", NOTHING | {"new": 1}, None)
    (row,) = shown["rows"]
    assert (row["number"], row["name"], row["verdict"], row["problems"]) == (2, "沁州黄小米", "new", [])
    assert {"column": "单价（元）", "before": "", "after": "58.00"} in row["changes"]
    assert written()[1] == 0  # until the word is said nothing is done

    confirmed = grower.post(f"/imports/{name}/confirm", {"again": shown["again"]})
    assert (confirmed.status_code, confirmed.get_json()["state"]) == (201, "applying")
    work()
    done = grower.get(f"/imports/{name}").get_json()
    assert (done["state"], done["counts"]["applied"]) == ("applied", 1) and done["undo_until"]
    assert db.session.scalars(select(Variant.price_fen)).all() == [5800]

    assert grower.post(f"/imports/{name}/undo").get_json()["state"] == "undoing"
    work()
    assert grower.get(f"/imports/{name}").get_json()["state"] == "undone"


def test_mistakes_are_told_by_row_and_keep_the_others_back(grower: Program) -> None:
    name = compared(grower, BAD)

    shown = grower.get(f"/imports/{name}?show=refused").get_json()
    assert shown["counts"] == NOTHING | {"new": 1, "refused": 1}
    (row,) = shown["rows"]
    assert (row["number"], [each["column"] for each in row["problems"]]) == (3, ["类别", "单价（元）"])
    assert row["problems"][1] == {
        "column": "单价（元）",
        "reason": "“十块”不是金额。",
        "remedy": "填多少元，比如 39.80。",
    }
    refused = grower.post(f"/imports/{name}/confirm", {"again": 0}, key="k")
    assert (refused.status_code, refused.get_json()["type"]) == (422, "urn:problem:some-refused")
    assert grower.post(f"/imports/{name}/confirm", {"again": 0, "only_good": True}, key="k").status_code == 201
    work()
    assert written()[1] == 1


def test_rows_come_by_pages(grower: Program) -> None:
    sheet = as_csv(HEADINGS, *(changed(MILLET, number=f"A{place:03}") for place in range(60)))
    name = compared(grower, sheet)

    first = grower.get(f"/imports/{name}").get_json()
    second = grower.get(f"/imports/{name}?after={first['next_after']}").get_json()
    assert [row["number"] for row in first["rows"] + second["rows"]] == list(range(2, 62))
    assert second["next_after"] is None
    for wrong in ("after=-1", "after=x", "show=all"):
        refused = grower.get(f"/imports/{name}?{wrong}")
        assert refused.status_code == 422
        assert refused.get_json()["errors"][0]["pointer"] == f"?{wrong.partition('=')[0]}"


def test_the_same_sheet_under_its_key_is_one_import(grower: Program) -> None:
    first = send(grower, key="k")
    again = send(grower, key="k", typed={"submit": "false"})

    assert again.get_json() == first.get_json() and again.headers["Idempotent-Replayed"] == "true"
    assert written() == (1, 0, 1)
    for other in (send(grower, BAD, key="k"), send(grower, key="k", typed={"submit": "true"})):
        assert (other.status_code, other.get_json()["type"]) == (409, "urn:problem:key-with-other-request")
    assert written() == (1, 0, 1)


def test_what_is_dropped_is_not_done_and_its_file_is_gone(grower: Program) -> None:
    name = compared(grower)

    assert grower.post(f"/imports/{name}/drop", key="d").get_json()["state"] == "dropped"
    assert grower.post(f"/imports/{name}/drop", key="d").headers["Idempotent-Replayed"] == "true"
    refused = grower.post(f"/imports/{name}/confirm", {"again": 0})
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:stale-state")
    assert written() == (1, 0, 0)


@pytest.mark.parametrize(
    ("sheet", "fields", "pointer"),
    [
        (None, {}, "#/sheet"),
        (None, {"sheet": "货号,品名"}, "#/sheet"),
        (SHEET, {"submit": "perhaps"}, "#/submit"),
        (SHEET, {"then": "draft"}, "#/then"),
        (SHEET, {"pictures": "no zip"}, "#/pictures"),
    ],
)
def test_what_cannot_be_taken_is_pointed_at(
    grower: Program, sheet: bytes | None, fields: dict[str, str], pointer: str
) -> None:
    refused = send(grower, sheet, typed=fields)

    assert refused.status_code == 422 and [each["pointer"] for each in refused.get_json()["errors"]] == [pointer]
    assert written() == (0, 0, 0)


def test_what_is_no_zip_or_too_large_keeps_no_file(grower: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = send(grower, zipped=b"PK no zip")
    assert refused.status_code == 422 and refused.get_json()["errors"][0]["pointer"] == "#/pictures"
    monkeypatch.setattr(storing, "LARGEST_SHEET", 10)
    assert send(grower).status_code == 413
    monkeypatch.setattr("marketplace.api.importing.MOST_AT_ONCE", 100)
    assert send(grower).status_code == 413
    answer = grower.post("/imports", {"submit": True})
    assert (answer.status_code, answer.get_json()["type"]) == (415, "urn:problem:not-a-form")
    assert written() == (0, 0, 0)


def test_six_sheets_at_once_are_one_too_many(grower: Program) -> None:
    assert [send(grower).status_code for _each in range(6)] == [201] * 5 + [409]
    assert written() == (5, 0, 5)


def test_a_difference_that_nobody_has_seen_is_not_confirmed(grower: Program) -> None:
    name = compared(grower)

    refused = grower.post(f"/imports/{name}/confirm", {"again": 1})
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:stale-state")
    assert grower.post(f"/imports/{name}/confirm", {}).get_json()["errors"][0]["pointer"] == "#/again"


def test_a_day_later_nothing_is_undone(grower: Program) -> None:
    name = compared(grower)
    grower.post(f"/imports/{name}/confirm", {"again": 0})
    work()

    with later(hours=25):
        refused = grower.post(f"/imports/{name}/undo")
        assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:too-late-to-undo")
        assert grower.get(f"/imports/{name}").get_json()["undo_until"] is None


def test_sheets_of_another_are_not_there(app: Flask, grower: Program) -> None:
    name = compared(grower)
    other = Program(app.test_client(), factories.make_token(factories.make_person("seller")))

    assert other.get(f"/imports/{name}").status_code == 404
    for step, body in (("confirm", {"again": 0}), ("drop", None), ("undo", None)):
        assert other.post(f"/imports/{name}/{step}", body).status_code == 404
    assert send(other).get_json()["type"] == "urn:problem:no-station"
    assert grower.person
    reads = Program(app.test_client(), factories.make_token(grower.person, TokenScope.READ))
    assert reads.get(f"/imports/{name}").status_code == 200 and send(reads).status_code == 403
    assert grower.get(f"/imports/{name}").get_json()["state"] == "ready" and written() == (1, 0, 0)


def test_what_nobody_can_read_is_said(grower: Program) -> None:
    name = compared(grower, b"\x00\x01\x02")

    shown = grower.get(f"/imports/{name}").get_json()
    assert shown["state"] == "unreadable" and shown["problem"]["reason"] and shown["problem"]["remedy"]
