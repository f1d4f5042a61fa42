"""Pictures of what an institution does not accept: small, without where they were taken, for those of the claim alone."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from listings import pictures
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.orders.cases import forgetting
from marketplace.orders.cases.opening import TooManyPictures
from marketplace.orders.institutions import checking
from marketplace.orders.institutions.models import GoodsCheck, GoodsCheckPicture
from tests.factories import sign_in_as, signed_in
from tests.institutions.conftest import Canteen, build_canteen
from tests.orders.casework import later, picture
from tests.orders.conftest import JIXIAN, OURS, QINXIAN, build_shop, hidden, parcels, token_of

CLAIM = {"action": "claim", "words": "两箱压坏了"}
COLOURS = ("red", "green", "blue", "white", "black", "gray", "pink")


@pytest.fixture
def payer(canteen: Canteen) -> FlaskClient:
    client = canteen.shop.browser()
    sign_in_as(client, canteen.payer)
    return client


def arrived(canteen: Canteen) -> tuple[str, str]:
    """The parcel of an order of three packs, and its line."""
    number = canteen.order(apples=3)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    return parcel.public_id, parcel.lines[0].public_id


def send(client: FlaskClient, canteen: Canteen, parcel: str, *, pictures: Any = (), **fields: Any) -> TestResponse:
    """As the page's form would, put together in memory."""
    path = f"/institutions/{canteen.public_id}/parcels/{parcel}"
    page = client.get(path)
    key = hidden(page, "idempotency_key") if "idempotency_key" in page.text else "k"
    sent = MultiDict[str, Any]({**CLAIM, "idempotency_key": key, "csrf_token": token_of(client), **fields})
    for content, name in pictures:
        sent.add("pictures", FileStorage(content, name, "pictures", "image/jpeg"))
    boundary, body = encode_multipart(sent)
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=OURS)


def kept() -> list[GoodsCheckPicture]:
    db.session.rollback()
    return list(db.session.scalars(select(GoodsCheckPicture).order_by(GoodsCheckPicture.position)))


def placed_picture() -> tuple[io.BytesIO, str]:
    """As a phone takes it: it knows where it was taken."""
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken in the kitchen"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (60, 40), "brown").save(buffer, "JPEG", exif=exif)
    buffer.seek(0)
    return buffer, "kitchen.jpg"


def test_a_claim_has_pictures_for_its_institution_its_station_and_the_province(canteen: Canteen, payer: FlaskClient) -> None:
    parcel, line = arrived(canteen)

    fields: dict[str, Any] = {f"rejected-{line}": "2", f"reason-{line}": "damaged"}
    answer = send(payer, canteen, parcel, **fields, pictures=[placed_picture(), picture("green"), picture("green")])

    assert answer.status_code == 303, answer.text
    rows, check = kept(), db.session.scalars(select(GoodsCheck.public_id)).one()
    assert [row.position for row in rows] == [1, 2]  # the same one twice is one
    mine, at_station = f"/institutions/{canteen.public_id}/parcels/{parcel}", f"/station/checks/{check}"
    desk = f"/operator/institutions/{canteen.public_id}"
    clerk, elsewhere, stranger, auditor = (canteen.shop.browser() for _each in range(4))
    cook, operator, nobody = (canteen.shop.browser() for _each in range(3))
    signed_in(clerk, "station_clerk", station=JIXIAN)
    signed_in(elsewhere, "station_clerk", "seller", station=QINXIAN)
    signed_in(stranger)
    signed_in(auditor, "auditor")
    sign_in_as(cook, canteen.another().payer)
    sign_in_as(operator, canteen.operator)
    for client, door, status in (
        *((each, mine, 200) for each in (payer, cook)),
        *((each, mine, 404) for each in (clerk, elsewhere, stranger, operator)),
        (nobody, mine, 302),
        (clerk, at_station, 200),
        (elsewhere, at_station, 404),
        *((each, at_station, 403) for each in (payer, stranger)),
        *((each, f"{desk}/checks/{check}", 200) for each in (operator, auditor)),
        *((each, f"{desk}/checks/{check}", 403) for each in (payer, clerk, stranger)),
        (operator, f"{desk}/checks/0123456789abcdef", 404),
    ):
        shown = f"{door}/pictures/{rows[0].public_id}"
        found = client.get(f"{shown}-320.webp")
        assert found.status_code == status, door
        if status == 200:
            assert (found.mimetype, found.headers["Cache-Control"]) == ("image/webp", "private, max-age=3600")
            assert not Image.open(io.BytesIO(found.data)).getexif() and b"kitchen" not in found.data
            page = client.get(door)
            assert page.status_code == 200 and len(re.findall(r'src="[^"]+-320\.webp"', page.text)) == 2, door
            assert client.get(f"{shown}-321.webp").status_code == 404
    assert nobody.get(f"/media/{rows[0].public_id}-320.webp").status_code == 404
    assert "两箱压坏了" in operator.get(f"{desk}/checks/{check}").text
    assert f"{desk}/checks/{check}" in operator.get(desk).text


WRONG: list[tuple[bytes, str, int, str]] = [
    (b"<svg onload=alert(1)>", "x.jpg", 422, "x.jpg"),
    (b"\xff\xd8\xff" + b"0" * 99, "cut.jpg", 422, "cut.jpg"),
    (b"\0" * (10 * 2**20 + 1), "large.jpg", 422, "10 MB"),
    (b"\0" * (62 * 2**20), "huge.jpg", 413, "六张"),
]


@pytest.mark.parametrize(("raw", "name", "status", "says"), WRONG, ids=["drawing", "cut short", "large", "far too large"])
def test_what_is_no_picture_is_named_and_what_was_typed_is_kept(
    canteen: Canteen, payer: FlaskClient, raw: bytes, name: str, status: int, says: str
) -> None:
    parcel, line = arrived(canteen)
    fields: dict[str, Any] = {f"rejected-{line}": "2", f"reason-{line}": "damaged"}

    answer = send(payer, canteen, parcel, **fields, pictures=[(io.BytesIO(raw), name)])

    assert answer.status_code == status and says in answer.text and 'role="alert"' in answer.text
    assert status == 413 or ("两箱压坏了" in answer.text and 'value="2"' in answer.text)
    assert kept() == [] and db.session.scalar(select(func.count()).select_from(GoodsCheck)) == 0


def test_six_are_enough_and_what_is_accepted_has_none(canteen: Canteen, payer: FlaskClient) -> None:
    parcel, line = arrived(canteen)
    fields: dict[str, Any] = {f"rejected-{line}": "1", f"reason-{line}": "wrong"}
    answer = send(payer, canteen, parcel, **fields, pictures=[picture(each) for each in COLOURS])
    assert answer.status_code == 422 and "六张照片就够了" in answer.text and kept() == []
    made = [{"digest": each, "width": 1, "height": 1} for each in COLOURS]
    given: dict[str, Any] = {"institution": canteen.public_id, "parcel": parcel, "person_id": canteen.payer.id}
    claims = {line: checking.Claim(1, None, "wrong")}
    with pytest.raises(TooManyPictures):
        in_transaction(checking.check, **given, claims=claims, words="", pictures=made)

    answers = [send(payer, canteen, parcel, action="accept", words="") for _twice in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert kept() == [] and db.session.scalar(select(func.count()).select_from(GoodsCheck)) == 1


def test_who_presses_that_all_is_well_with_a_claim_filled_in_loses_nothing(canteen: Canteen, payer: FlaskClient) -> None:
    parcel, line = arrived(canteen)
    fields: dict[str, Any] = {f"rejected-{line}": "1", f"reason-{line}": "damaged"}
    slip = {f"rejected-{line}": "99"}

    for said in (fields, slip, {"words": ""}):  # the last: pictures alone
        refused = send(payer, canteen, parcel, action="accept", **said, pictures=[picture()])
        assert refused.status_code == 422 and refused.text.count('name="pictures_kept"') == 1, said
    assert send(payer, canteen, parcel, action="accept").status_code == 422  # words alone
    assert kept() == [] and db.session.scalar(select(func.count()).select_from(GoodsCheck)) == 0
    (token,) = re.findall(r'name="pictures_kept" value="([^"]+)"', refused.text)

    assert send(payer, canteen, parcel, **fields, pictures_kept=token).status_code == 303
    assert len(kept()) == 1


def test_a_claim_that_is_sent_twice_has_its_pictures_once_and_they_stay_when_it_is_paid(
    canteen: Canteen, payer: FlaskClient
) -> None:
    parcel, line = arrived(canteen)
    fields: dict[str, Any] = {f"rejected-{line}": "1", f"reason-{line}": "wrong"}
    for _twice in range(2):
        assert send(payer, canteen, parcel, **fields, pictures=[picture()]).status_code == 303
    (row,) = kept()
    name, check = row.public_id, db.session.scalars(select(GoodsCheck.public_id)).one()
    in_transaction(checking.answer, check=check, station=None, agrees=True, why="看过照片", actor="test")
    statement = canteen.bill().public_id
    canteen.pay(statement)
    path = f"/institutions/{canteen.public_id}/parcels/{parcel}"
    assert f'href="{path}"' in payer.get(f"/institutions/{canteen.public_id}/statements/{statement}").text

    page = payer.get(path)

    assert page.status_code == 200 and name in page.text and "看过照片" in page.text
    assert "multipart/form-data" not in page.text
    assert send(payer, canteen, parcel, **fields, pictures=[picture("red")]).status_code == 404 and len(kept()) == 1


@pytest.fixture
def lasting_canteen(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canteen]:
    monkeypatch.setattr(pictures, "JUST_NOW", -1)
    shop = build_shop(app)
    yield build_canteen(shop)
    shop.cashier.storage.dispose()


def test_they_are_forgotten_half_a_year_after_the_answer(lasting_canteen: Canteen) -> None:
    canteen, made = lasting_canteen, pictures.reencode(picture()[0].read(), settings().private_media_folder)
    parcel, line = arrived(canteen)
    given: dict[str, Any] = {"institution": canteen.public_id, "parcel": parcel, "words": "", "person_id": canteen.payer.id}
    claims = {line: checking.Claim(1, None, "damaged")}
    check = in_transaction(checking.check, **given, claims=claims, pictures=[made])
    with later(days=200):  # not answered yet
        in_transaction(forgetting.forget)
    assert len(kept()) == 1
    in_transaction(checking.answer, check=check, station=None, agrees=False, why="没有坏", actor="test")

    for days, left in ((179.9, 1), (180.1, 0)):
        with later(days=days):
            in_transaction(forgetting.forget)
        there = pictures.file_of(settings().private_media_folder, made["digest"], 320).exists()
        assert (len(kept()), there) == (left, bool(left)), (days, clock.now())
