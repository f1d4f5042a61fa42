"""Pictures as they come: deep, tall, many at once, or none."""

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from listings import pictures
from marketplace.core.settings import settings
from tests.listings.test_offering import OURS, begin, make_seller, media, picture, post, shop

__all__ = ["shop"]


@pytest.mark.parametrize("path", ["x-" + "9" * 5000, "x-３２０", "x-0320", "x-"])
def test_no_other_width_is_there(shop: Flask, path: str) -> None:
    assert shop.test_client().get(f"/media/{path}.webp").status_code == 404


def reencoded(image: Image.Image, kind: str = "PNG") -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    digest = pictures.reencode(buffer.getvalue())["digest"]
    kept = Path(settings().media_folder) / digest[:2] / digest / "1280.webp"
    return Image.open(io.BytesIO(kept.read_bytes()))


def test_greys_of_sixteen_bits_stay_grey(shop: Flask) -> None:
    for deep, shown in ((0, 0), (30_000, 117), (65_535, 255)):
        (red, green, blue) = reencoded(Image.new("I;16", (50, 50), deep)).convert("RGB").getpixel((25, 25))  # type: ignore[misc]
        assert abs(red - shown) <= 2 and red == green == blue


def test_a_very_tall_picture_is_kept_narrower(shop: Flask) -> None:
    assert reencoded(Image.new("RGB", (1000, 18_000), "#C9402A")).size == (284, 5120)


def test_no_picture_leads_to_the_pictures(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)
    none = (io.BytesIO(b""), "")  # as browsers send an empty file field

    answer = post(client, "/seller/listings", {"category": "grain-millet", "pictures": none})

    assert answer.status_code == 303 and answer.headers["Location"].endswith("/pictures")


def post_many(client: FlaskClient, path: str, count: int) -> TestResponse:
    """So many pictures of 10 MB in one form, put together in memory."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    sent = MultiDict([("category", "grain-millet"), ("csrf_token", found[1] if found else "")])
    for _ in range(count):
        content, name = heavy(10)
        sent.add("pictures", FileStorage(content, name, "pictures", "image/jpeg"))
    boundary, body = encode_multipart(sent)
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=OURS)


def heavy(megabytes: int) -> tuple[io.BytesIO, str]:
    """A small picture with much behind its pixels."""
    content = picture()[0].getvalue()
    return io.BytesIO(content + b"\0" * (megabytes * 2**20 - len(content))), f"heavy{megabytes}.jpeg"


def test_six_large_pictures_come_at_once(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)

    answer = post_many(client, "/seller/listings", 6)

    assert answer.status_code == 303 and len(media()) == 6


def test_more_than_that_is_said_on_the_page_it_came_from(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)
    code = begin(client)

    for path in ("/seller/listings", f"/seller/listings/{code}/pictures"):
        answer = post_many(client, path, 7)
        assert answer.status_code == 413 and "六张" in answer.text
        assert f'action="{path}"' in answer.text
    assert media() == []
    assert post(client, f"/seller/listings/{code}/details", {"story": "x" * 13 * 2**20}).status_code == 413


def test_the_form_offers_only_what_is_taken(shop: Flask) -> None:
    client = shop.test_client()
    make_seller(client)

    assert 'accept="image/jpeg,image/png,image/webp"' in client.get("/seller/listings/new").text
