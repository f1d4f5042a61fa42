"""Files as they come out of broken sticks and strange programs: no error of ours, and nothing of the goods is touched."""

import io
import random
import zipfile
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.models import Listing, Media, StockMovement, Variant
from listings.sheets.states import ImportState as I
from listings.views import sheets as views
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, as_xlsx, changed, latest, work
from tests.sheets.test_zip_of_pictures import WITH_PICTURES, picture, zipped

Corruption = Callable[[random.Random, bytearray], None]
TOUCHED = (Listing, Variant, StockMovement, Media)


def flip(chance: random.Random, raw: bytearray) -> None:
    for _ in range(chance.randint(1, 40)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)


def cut(chance: random.Random, raw: bytearray) -> None:
    del raw[chance.randrange(len(raw)) :]


def lose(chance: random.Random, raw: bytearray) -> None:
    start = chance.randrange(len(raw))
    del raw[start : start + chance.randint(1, 400)]


def repeat(chance: random.Random, raw: bytearray) -> None:
    start = chance.randrange(len(raw))
    raw[start:start] = raw[start : start + chance.randint(1, 400)] * chance.randint(1, 50)


def scatter(chance: random.Random, raw: bytearray) -> None:
    for _ in range(chance.randint(1, 20)):
        place = chance.randrange(len(raw) + 1)
        raw[place:place] = chance.choice(
            [b'"', b"\0", b",", b"\r", b"\n\n", b"\xff\xfe", b"=", b"<", b"&#0;", b"\xe2\x80\xae", b"9" * 50]
        )


CORRUPTIONS: tuple[Corruption, ...] = (flip, cut, lose, repeat, scatter)


def inside(chance: random.Random, raw: bytes) -> bytes:
    """One member of a ZIP corrupted, the ZIP itself whole."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    chosen = members[chance.choice(sorted(name for name in members if members[name]))]
    chance.choice(CORRUPTIONS)(chance, chosen)
    return zipped({name: bytes(content) for name, content in members.items()})


def corrupted(seed: int) -> tuple[str, bytes, bytes]:
    """The name of a file, its content, and a ZIP beside it or nothing."""
    chance = random.Random(seed)
    lines = [
        (*changed(MILLET, number=f"A{number}", story=f"第 {number} 行，\n一年一茬，煮粥香。"), "a.jpg")
        for number in range(12)
    ]
    kind = chance.choice(["xlsx", "inside", "csv", "gbk", "zip", "members"])
    sheet = as_xlsx(WITH_PICTURES, *lines) if kind in {"xlsx", "inside"} else as_csv(WITH_PICTURES, *lines)
    packed = b""
    if kind == "inside":
        return "a.xlsx", inside(chance, sheet), b""
    if kind == "members":
        return "a.csv", sheet, inside(chance, zipped({"a.jpg": picture(), "b.png": picture(kind="PNG")}))
    raw = bytearray(sheet.decode().encode("gb18030") if kind == "gbk" else sheet)
    if kind == "zip":
        raw = bytearray(zipped({"a.jpg": picture(), "b.png": picture(kind="PNG")}))
    chance.choice(CORRUPTIONS)(chance, raw)
    if kind == "zip":
        return "a.csv", sheet, bytes(raw)
    return ("a.xlsx" if kind == "xlsx" else "a.csv"), bytes(raw), packed


def counted(session: Session) -> list[int]:
    session.expire_all()
    return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in TOUCHED]


@pytest.mark.parametrize(
    "seeds",
    [
        range(8),
        pytest.param(range(8, 50), marks=pytest.mark.full),
        pytest.param(range(50, 1000), marks=pytest.mark.nightly),
    ],
    ids=["first", "more", "thousand"],
)
def test_no_corrupted_file_breaks_or_changes_anything(
    trader: Trader, apart: None, session: Session, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "hit", lambda *_args, **_limits: None)
    trader.done(as_csv(HEADINGS, MILLET))
    before, read = counted(session), 0
    for seed in seeds:
        name, sheet, packed = corrupted(seed)
        answer = trader.send(sheet, name, packed)
        assert answer.status_code in (303, 422), (seed, answer.status_code)
        if answer.status_code == 303:
            work()
            row = latest()
            assert row.state in (I.READY, I.UNREADABLE), (seed, row.state)
            assert row.problem is None or row.problem["code"] != "failed", seed
            trader.page(row)
            assert trader.client.get(f"/seller/imports/{row.public_id}/errors.csv").status_code == 200
            if row.state is I.READY:
                read += 1
                trader.post(f"/seller/imports/{row.public_id}/removal")
        assert counted(session) == before, seed
    assert read > len(seeds) // 10
