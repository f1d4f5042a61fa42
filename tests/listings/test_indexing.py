"""The index is a copy that may be lost at any moment: the worker writes all of it anew, and nobody sees an empty shop."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from listings import announcing, indexing
from listings.models import Listing
from marketplace import duties
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from search_index import layout
from tests import factories

ROOT = Path(__file__).parents[2]
OTHER_PROCESS = """
import sys, time
from search_index import IndexUnavailable, Query, open_index
index = open_index(sys.argv[1])
for line in sys.stdin:
    time.sleep(0.3)
    try:
        print(",".join(sorted(index.search(Query(text=line.strip())).codes)), flush=True)
    except IndexUnavailable:
        print("unavailable", flush=True)
"""


@pytest.fixture
def shop(real_app: Flask) -> Iterator[Flask]:
    factories.make_station()
    factories.make_category()
    for code in ("A1", "A2", "A3"):
        factories.make_variant(factories.make_listing(code=code), code=f"{code}-1")
    indexing.rebuild()
    yield real_app
    real_app.extensions.pop("search_index", None)


@pytest.fixture
def elsewhere(shop: Flask) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", OTHER_PROCESS, str(settings().search_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def ask(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdin and process.stdout
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def change(session: Session, *, code: str, title: str) -> None:
    session.execute(update(Listing).where(Listing.code == code).values(title_zh=title))
    announcing.announce(session, session.query(Listing).filter_by(code=code).one())


def test_a_lost_index_comes_back_whole_with_the_next_change(shop: Flask, elsewhere: "subprocess.Popen[str]") -> None:
    assert ask(elsewhere, "苹果") == "A1,A2,A3"
    shutil.rmtree(settings().search_folder)
    assert ask(elsewhere, "苹果") == "unavailable"
    page = shop.test_client().get("/search?q=苹果").text
    assert "搜索正在重新整理" in page and "/listings/A3" in page

    in_transaction(change, code="A2", title="紫皮大蒜")
    indexing.collect([{"code": "A2"}])

    assert ask(elsewhere, "") == "A1,A2,A3"
    assert "A2" in ask(elsewhere, "紫皮大蒜")
    page = shop.test_client().get("/search").text
    assert [code for code in ("A1", "A2", "A3") if f"/listings/{code}" not in page] == []


@pytest.mark.parametrize("fault", [{"is_whole": False}, {"format": 0}, {"fingerprint": 0}])
def test_the_worker_mends_it_before_anything_changes(shop: Flask, fault: dict[str, int]) -> None:
    folder = settings().search_folder
    layout.write_current(folder, replace(before := layout.read_current(folder), **fault))  # type: ignore[arg-type]

    (due,) = [job for job in duties.compose_worker(shop).periodic if job.work is indexing.mend]
    due.work()

    assert layout.complaint(layout.read_current(folder)) == ""
    assert layout.read_current(folder).name != before.name
    assert "/listings/A2" in shop.test_client().get("/search?q=苹果").text


def test_a_sound_index_is_left_alone(shop: Flask) -> None:
    before = layout.read_current(settings().search_folder)

    assert indexing.mend() is False
    assert layout.read_current(settings().search_folder) == before
    db.session.rollback()
