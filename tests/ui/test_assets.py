import csv
import re
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core import assets, reading

BUDGET = {"css/site.css": 14_000, "js/site.js": 14_000, "icons.svg": 6_000}
BUDGET |= {"js/desk.js": 7_000, "js/desk-worker.js": 3_500, "js/desk-leaving.js": 1_500}  # of desks, and of signing in


def address(app: Flask, path: str) -> str:
    return str(app.jinja_env.globals["static_url"](path))  # type: ignore[operator]


@pytest.mark.parametrize("path", BUDGET)
def test_what_pages_load_stays_within_its_budget(app: Flask, client: FlaskClient, path: str) -> None:
    with client.get(address(app, path), headers={"Accept-Encoding": "br"}) as answer:
        assert answer.headers["Content-Encoding"] == "br"
        assert len(answer.data) <= BUDGET[path]
        assert brotli.decompress(answer.data)


def test_hashed_names_are_kept_for_ever(app: Flask, client: FlaskClient) -> None:
    assert re.fullmatch(r"/static/css/site\.[0-9a-f]{10}\.css", address(app, "css/site.css"))
    with client.get(address(app, "css/site.css")) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_misspelt_name_fails_the_page(app: Flask) -> None:
    with pytest.raises(KeyError):
        address(app, "css/sight.css")


def test_the_same_sources_give_the_same_folder(tmp_path: Path) -> None:
    files = {"a.css": b"body{}"}
    names = {"a.css": assets.hashed_name("a.css", b"body{}")}

    first = assets.published(files, names, tmp_path)
    second = assets.published(files, names, tmp_path)

    assert first == second
    built = {path.name for path in (first / "static").iterdir()}
    assert built == {names["a.css"], names["a.css"] + ".br", names["a.css"] + ".gz"}
    assert list(tmp_path.iterdir()) == [first]


@pytest.mark.parametrize("drawing", sorted((assets.SOURCES / "produce").glob("*.svg")), ids=lambda path: path.stem)
def test_drawings_are_small_and_run_nothing(drawing: Path) -> None:
    text = drawing.read_text("utf-8")

    assert len(brotli.compress(text.encode())) <= 1_650
    assert 'viewBox="0 0 200 200"' in text
    assert not re.search(r"<script|style=|href=|url\((?!#)", text)
    assert all(name.startswith(drawing.stem) for name in re.findall(r' id="([^"]+)"', text))


def test_no_page_has_inline_script_or_style() -> None:
    for template in (assets.SOURCES.parent.parent / "templates").rglob("*.html"):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", template.read_text("utf-8")), template


def test_larger_text_is_one_link_away_and_remembered(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/anywhere?q=a&elder=1")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/anywhere?q=a")
    assert "elder=1" in answer.headers["Set-Cookie"]
    with app.test_request_context("/", headers={"Cookie": "elder=1"}):
        assert reading.elder_mode()


def test_the_way_back_never_leads_to_another_site(client: FlaskClient) -> None:
    asked = {"PATH_INFO": "//elsewhere.example/", "QUERY_STRING": "elder=1"}

    assert client.get("/", environ_overrides=asked).headers["Location"] == "/elsewhere.example/"


def test_every_product_of_the_demonstration_is_pictured() -> None:
    demo = assets.SOURCES.parent / "demo"
    with (demo / "products.csv").open(encoding="utf-8-sig", newline="") as file:
        products = [row["id"] for row in csv.DictReader(file)]
    with (demo / "pictures.csv").open(encoding="utf-8", newline="") as file:
        kinds = {row["product_id"]: row["kind"] for row in csv.DictReader(file)}

    assert list(kinds) == products
    assert all((assets.SOURCES / "produce" / f"{kind}.svg").exists() for kind in kinds.values())
