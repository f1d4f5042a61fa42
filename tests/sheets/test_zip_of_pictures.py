"""Pictures in a ZIP beside the sheet: looked at before anything is unpacked, then re-encoded as any other."""

import io
import stat
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing, Media
from listings.sheets import archives, storing
from listings.sheets.models import ListingImport
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, changed, latest, listed, rows, wrong

WITH_PICTURES = (*HEADINGS, "图片")


def picture(colour: str = "#C9402A", kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(buffer, kind)
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def digests(session: Session, listing: Listing) -> list[tuple[int, str]]:
    found = select(Media.position, Media.digest).where(Media.listing_id == listing.id).order_by(Media.position)
    return [(each.position, each.digest) for each in session.execute(found)]


def test_pictures_come_with_their_goods_and_a_second_time_nothing_comes(trader: Trader, session: Session) -> None:
    sheet = as_csv(WITH_PICTURES, (*MILLET, "谷子.JPG，b.png"), (*changed(MILLET, number="A002"), ""))
    packed = zipped(
        {"照片/谷子.jpg": picture(), "B.PNG": picture("#1E6249", "PNG"), "__MACOSX/._b.png": b"x", "注.txt": b"x"}
    )

    row = trader.compared(sheet, pictures=packed)
    assert "谷子.jpg、b.png" in trader.page(row) and row.total == row.done == 4
    trader.confirm(row)

    millet, other = listed(session)
    assert [position for position, _digest in digests(session, millet)] == [1, 2] and digests(session, other) == []
    assert not any(storing.path_of(name).exists() for name in (row.sheet, row.pictures))
    trader.compared(sheet, pictures=packed)
    assert [each.verdict for each in rows(session)] == ["same", "same"]


def test_pictures_are_added_to_a_draft_and_taken_away_by_undoing(trader: Trader, session: Session) -> None:
    trader.done(as_csv(WITH_PICTURES, (*MILLET, "a.jpg")), pictures=zipped({"a.jpg": picture()}))
    (millet,) = listed(session)
    before = digests(session, millet)

    more = zipped({"a.jpg": picture(), "b.jpg": picture("#1E6249")})
    row = trader.done(as_csv(("货号", "图片"), ("A001", "a.jpg,b.jpg")), pictures=more)
    assert len(digests(session, millet)) == 2
    trader.undo(row)
    assert digests(session, millet) == before and len(before) == 1


@pytest.mark.parametrize(
    ("cell", "packed", "code"),
    [
        ("a.jpg", {}, "no_zip"),
        ("b.jpg", {"a.jpg": picture()}, "no_such_picture"),
        ("a.jpg", {"a.jpg": b"no picture"}, "unusable_picture"),
        ("、".join(f"{n}.jpg" for n in range(7)), {"0.jpg": picture()}, "too_many_pictures"),
    ],
)
def test_a_picture_that_cannot_be_had_is_said_at_its_row(
    trader: Trader, session: Session, cell: str, packed: dict[str, bytes], code: str
) -> None:
    trader.compared(as_csv(WITH_PICTURES, (*MILLET, cell)), pictures=zipped(packed) if packed else b"")
    assert wrong(session) == [(2, "pictures", code)]


def test_goods_for_sale_get_no_pictures_past_the_station(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    trader.compared(as_csv(("code", "图片"), ("GA", "a.jpg")), pictures=zipped({"a.jpg": picture()}))
    assert wrong(session) == [(2, "pictures", "not_a_draft")]


def link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("a.jpg")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def locked() -> bytes:
    raw = bytearray(zipped({"a.jpg": picture()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + place] |= 1
    return bytes(raw)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "out of its folder": (lambda: zipped({"../../a.jpg": b"x"}), "路径指到了外面"),
    "from the root": (lambda: zipped({"/etc/a.jpg": b"x"}), "路径指到了外面"),
    "of a drive": (lambda: zipped({"C:\\a.jpg": b"x"}), "路径指到了外面"),
    "a link": (link, "路径指到了外面"),
    "dense": (lambda: zipped({"a.jpg": bytes(9 * 2**20)}), "压得太厉害"),
    "large": (lambda: zipped({"a.jpg": bytes(11 * 2**20)}), "有个文件太大"),
    "many": (lambda: zipped({f"{n}.jpg": b"" for n in range(1001)}), "文件太多"),
    "with a password": (locked, "加了密码"),
    "broken": (lambda: b"PK\x03\x04 no", "压缩包坏了"),
    "no ZIP": (picture, "压缩包坏了"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bad_zip_is_refused_at_the_door(trader: Trader, session: Session, kind: str) -> None:
    make, words = BOMBS[kind]
    before = set(storing.folder().iterdir()) if storing.folder().is_dir() else set()
    answer = trader.send(as_csv(WITH_PICTURES, (*MILLET, "a.jpg")), pictures=make())
    assert answer.status_code == 422 and words in answer.text
    assert session.scalars(select(ListingImport)).all() == []
    assert set(storing.folder().iterdir()) == before


def test_names_of_chinese_windows_are_read(trader: Trader) -> None:
    raw = zipped({"AAAA.jpg": b"x"}).replace(b"AAAA.jpg", "谷子.jpg".encode("gb18030"))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert [name for name, _member in archives.pictures(archive)] == ["谷子.jpg"]


def test_no_file_and_too_large_a_file_are_said(trader: Trader, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = trader.post("/seller/imports", {"then": "draft"})
    assert answer.status_code == 422 and "选好你的货品表格" in answer.text
    monkeypatch.setattr(storing, "LARGEST_SHEET", 100)
    answer = trader.send(as_csv(HEADINGS, MILLET))
    assert answer.status_code == 413 and "表格最大 10 MB" in answer.text
    assert latest() is None


def test_a_long_table_of_contents_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LONGEST_MEMBER", 60)
    packed = zipped({f"{number}{'x' * 100}.jpg": b"" for number in range(900)})
    with pytest.raises(archives.BadArchive) as refused:
        archives.look_at_directory(io.BytesIO(packed), archives.PICTURES)
    assert refused.value.code == "zip_members"
    archives.look_at_directory(io.BytesIO(zipped({"a.jpg": b""})), archives.PICTURES)
    archives.look_at_directory(io.BytesIO(b"no ZIP"), archives.PICTURES)
