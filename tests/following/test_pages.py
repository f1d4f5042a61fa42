"""The list, its forms, and the way out of messages; what is another's is not there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from listings.following import keeping, telling
from listings.following.models import Favourite
from listings.models import Listing
from listings.states import ListingState
from marketplace.core.db import in_transaction
from tests import statements
from tests.factories import STATION, make_listing, make_person, make_variant, sign_in_as
from tests.following.conftest import NOON, Orchard

SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def token(client: FlaskClient, path: str = "/account/favourites") -> str:
    return client.get(path).text.partition('name="csrf_token" value="')[2].partition('"')[0]


def press(orchard: Orchard, path: str, **fields: str) -> tuple[int, str]:
    """Status and where it leads."""
    sent = {"csrf_token": token(orchard.client, "/account/messages"), **fields}
    answer = orchard.client.post(path, data=sent, headers=SAME_SITE)
    return answer.status_code, answer.headers.get("Location", answer.text)


def count(orchard: Orchard) -> int:
    return orchard.session.scalar(select(func.count()).select_from(Favourite)) or 0


def test_a_product_is_saved_once_and_its_page_says_so(signed_in: Orchard) -> None:
    assert "加收藏" in signed_in.client.get("/listings/G7").text

    for _twice in range(2):
        assert press(signed_in, "/account/favourites", variant="G7-1") == (303, "/listings/G7?variant=G7-1")

    page = signed_in.client.get("/listings/G7").text
    assert count(signed_in) == 1
    assert "已收藏" in page and "加收藏" not in page


def test_a_stranger_signs_in_and_what_they_pressed_is_not_lost(orchard: Orchard) -> None:
    page = orchard.client.get("/listings/G7").text
    wanted = "/account/favourites/new?variant=G7-1"
    assert f'href="{wanted}"' in page and "csrf_token" not in page

    asked = orchard.client.get(wanted)
    assert asked.headers["Location"] == "/sign-in?next=/account/favourites/new?variant%3DG7-1"
    sign_in_as(orchard.client, orchard.person)
    page = orchard.client.get(wanted).text
    assert 'name="variant" value="G7-1"' in page and count(orchard) == 0

    assert press(orchard, "/account/favourites", variant="G7-1") == (303, "/listings/G7?variant=G7-1")
    assert count(orchard) == 1
    assert orchard.client.get(wanted).headers["Location"] == "/listings/G7?variant=G7-1"
    assert orchard.client.get("/account/favourites/new?variant=G9-9").status_code == 404


def test_a_heart_on_a_card_saves_it_and_leads_back_to_its_place(signed_in: Orchard) -> None:
    page = signed_in.client.get("/search?sort=price&page=1").text
    assert 'aria-label="收藏 吉县红富士苹果"' in page and 'name="here" value="/search?sort=price&amp;page=1"' in page

    saved = press(signed_in, "/account/favourites", variant="G7-1", here="/search?sort=price&page=1")
    assert saved == (303, "/search?sort=price&page=1#G7-1") and count(signed_in) == 1
    page = signed_in.client.get("/search?sort=price&page=1").text
    assert 'href="/account/favourites#G7-1" aria-label="已收藏 吉县红富士苹果，看我的收藏"' in page
    assert 'aria-label="收藏 吉县红富士苹果"' not in page


@pytest.mark.parametrize("elsewhere", ["https://bad.example/", "//bad.example/", "/\\bad.example", "search"])
def test_a_heart_leads_to_no_other_house(signed_in: Orchard, elsewhere: str) -> None:
    assert press(signed_in, "/account/favourites", variant="G7-1", here=elsewhere) == (303, "/listings/G7?variant=G7-1")


def test_a_strangers_list_is_the_same_for_all_and_has_no_hearts(orchard: Orchard) -> None:
    assert "item__heart" not in orchard.client.get("/search").text
    sign_in_as(orchard.client, orchard.person)
    assert "item__heart" in orchard.client.get("/search").text
    assert "item__heart" not in orchard.client.application.test_client().get("/search").text


def test_grids_have_hearts_too(signed_in: Orchard) -> None:
    """On the home page, a station's page, and beside a product; none for strangers."""
    make_variant(make_listing(code="G8", harvest_months=[10], published_at=NOON - timedelta(days=1)), code="G8-1")
    stranger = signed_in.client.application.test_client()
    for path in ("/", f"/stations/{STATION}", "/listings/G7"):
        page = signed_in.client.get(path).text
        assert 'name="variant" value="G8-1"' in page and f'name="here" value="{path}"' in page, path
        assert press(signed_in, "/account/favourites", variant="G8-1", here=path) == (303, f"{path}#G8-1")
        assert 'href="/account/favourites#G8-1"' in signed_in.client.get(path).text, path
        assert press(signed_in, "/account/favourites/G8-1/removal")[0] == 303
        assert "item__heart" not in stranger.get(path).text, path
    assert count(signed_in) == 0


def test_hearts_cost_one_statement(signed_in: Orchard) -> None:
    signed_in.client.get("/search")
    with statements.gathered() as before:
        signed_in.client.get("/search")
    signed_in.save()
    with statements.gathered() as after:
        signed_in.client.get("/search")
    assert len(after) == len(before)


def test_the_list_says_how_things_are_now(signed_in: Orchard) -> None:
    signed_in.save()
    assert "价格和收藏时一样" in signed_in.client.get("/account/favourites").text

    signed_in.price(3500)
    page = signed_in.client.get("/account/favourites").text
    assert "比收藏时便宜 ¥4.80（当时 ¥39.80）" in page and "当季" in page and "加入购物车" in page

    signed_in.price(4000)
    signed_in.count(-20)
    page = signed_in.client.get("/account/favourites").text
    assert "比收藏时贵 ¥0.20（当时 ¥39.80）" in page and "卖完了" in page and "/cart/items" not in page

    signed_in.pause()
    page = signed_in.client.get("/account/favourites").text
    assert "现在不卖" in page and "/listings/G7" not in page


def test_what_was_removed_can_be_brought_back(signed_in: Orchard) -> None:
    signed_in.save()

    assert press(signed_in, "/account/favourites/G7-1/removal") == (303, "/account/favourites")
    assert count(signed_in) == 0
    assert "已从收藏里拿掉" in signed_in.client.get("/account/favourites").text
    assert "已从收藏里拿掉" not in signed_in.client.get("/account/favourites").text
    assert press(signed_in, "/account/favourites/G7-1/removal") == (303, "/account/favourites")
    back = press(signed_in, "/account/favourites", variant="G7-1", **{"from": "list"})
    assert back == (303, "/account/favourites#G7-1") and count(signed_in) == 1


def test_it_comes_back_as_it_was_kept_also_while_it_is_not_for_sale(signed_in: Orchard) -> None:
    """With its price and alerts; another time, or somebody else's press, begins anew."""
    press(signed_in, "/account/favourites", variant="G7-1")
    press(signed_in, "/account/favourites/G7-1", wish="25", tells_return="y")
    signed_in.session.execute(update(Favourite).values(saved_price_fen=5000))
    signed_in.session.execute(update(Listing).where(Listing.code == "G7").values(state=ListingState.PAUSED))
    signed_in.session.commit()

    def kept() -> tuple[int, bool, bool, int | None]:
        row = signed_in.session.scalars(select(Favourite).execution_options(populate_existing=True)).one()
        return row.saved_price_fen, row.tells_price, row.tells_return, row.wish_fen

    press(signed_in, "/account/favourites/G7-1/removal")
    assert count(signed_in) == 0
    assert press(signed_in, "/account/favourites", variant="G7-1")[0] == 404
    assert press(signed_in, "/account/favourites", variant="G7-1", **{"from": "list"})[0] == 303
    assert kept() == (5000, True, True, 2500)


def test_alerts_are_chosen_and_shown(signed_in: Orchard) -> None:
    signed_in.save()
    chosen = {"tells_price": "y", "wish": "30", "tells_return": "y"}
    assert press(signed_in, "/account/favourites/G7-1", **chosen) == (303, "/account/favourites#G7-1")

    row = signed_in.favourite
    assert (row.tells_price, row.tells_return, row.wish_fen, row.language) == (True, True, 3000, "zh_Hans_CN")
    assert "降价或者又有货，会告诉你" in signed_in.client.get("/account/favourites").text
    assert 'value="30.00"' in signed_in.client.get("/account/favourites/G7-1").text


def test_whoever_types_a_price_need_not_tick_the_box_and_unticking_it_ends_it(signed_in: Orchard) -> None:
    signed_in.save()
    press(signed_in, "/account/favourites/G7-1", wish="30")
    assert (signed_in.favourite.tells_price, signed_in.favourite.wish_fen) == (True, 3000)

    press(signed_in, "/account/favourites/G7-1", wish="30.00")

    assert (signed_in.favourite.tells_price, signed_in.favourite.wish_fen) == (False, None)


@pytest.mark.parametrize("typed", ["abc", "0", "-5", "1e9", "39.80", "9" * 30, "1.999"])
def test_a_price_that_cannot_be_is_said_by_the_field_and_kept(signed_in: Orchard, typed: str) -> None:
    signed_in.save()

    status, page = press(signed_in, "/account/favourites/G7-1", tells_price="y", wish=typed)

    assert status == 422 and f'value="{typed}"' in page and 'aria-invalid="true"' in page
    assert signed_in.favourite.tells_price is False


@pytest.mark.parametrize("variant", ["", "G9-9", "x" * 80, "G7-1'; --", "\0"])
def test_what_is_not_there_cannot_be_saved(signed_in: Orchard, variant: str) -> None:
    assert press(signed_in, "/account/favourites", variant=variant)[0] == 404
    assert signed_in.client.get("/account/favourites/new", query_string={"variant": variant}).status_code == 404
    assert count(signed_in) == 0


def test_what_is_not_for_sale_cannot_be_saved(signed_in: Orchard) -> None:
    signed_in.pause()

    assert press(signed_in, "/account/favourites", variant="G7-1")[0] == 404
    assert count(signed_in) == 0


def test_anothers_favourite_is_not_there(signed_in: Orchard) -> None:
    other = make_person()
    in_transaction(keeping.save, person_id=other.id, variant="G7-1")

    assert signed_in.client.get("/account/favourites/G7-1").status_code == 404
    assert press(signed_in, "/account/favourites/G7-1", tells_price="y")[0] == 404
    assert press(signed_in, "/account/favourites/G7-1/removal")[0] == 303
    assert count(signed_in) == 1 and signed_in.favourite.tells_price is False


def test_a_hundred_are_enough(signed_in: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 1)
    make_variant(signed_in.listing, code="G7-2")
    signed_in.save()

    press(signed_in, "/account/favourites", variant="G7-2")

    assert count(signed_in) == 1
    assert "已经收藏了一百样" in signed_in.client.get("/listings/G7").text
    signed_in.save()  # what is kept already is no matter


def test_the_list_takes_the_same_statements_for_any_number(
    signed_in: Orchard, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    signed_in.save()
    with count_statements() as few:
        signed_in.client.get("/account/favourites")
    for number in range(5):
        make_variant(make_listing(code=f"H{number}"), code=f"H{number}-1")
        in_transaction(keeping.save, person_id=signed_in.person.id, variant=f"H{number}-1")
    with count_statements() as many:
        page = signed_in.client.get("/account/favourites").text

    assert len(many) == len(few) and page.count("<article") == 6


def test_a_signed_link_ends_messages_without_signing_in(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(price=True, back=True)
    way_out = f"/favourites/{telling.serializer().dumps(orchard.favourite.public_id)}"

    assert "不再发这件货的消息" in orchard.client.get(way_out).text
    assert orchard.favourite.tells_price is True  # machines follow links too
    for _twice in range(2):
        assert orchard.client.post(way_out, headers=SAME_SITE).status_code == 303
    orchard.session.expire_all()
    assert (orchard.favourite.tells_price, orchard.favourite.tells_return) == (False, False)
    assert "不会再收到这件货的消息" in orchard.client.get(way_out).text
    orchard.price(100)
    assert orchard.look() == []


def test_one_press_ends_messages_about_all_of_them(orchard: Orchard) -> None:
    make_variant(orchard.listing, code="G7-2")
    orchard.save()
    orchard.ask(price=True)
    way_out = f"/favourites/{telling.serializer().dumps(orchard.favourite.public_id)}"
    for person in (orchard.person, make_person()):
        in_transaction(keeping.save, person_id=person.id, variant="G7-2")
        wanted: dict[str, Any] = {"tells_price": True, "tells_return": True}
        in_transaction(keeping.choose_alerts, person_id=person.id, variant="G7-2", **wanted)

    orchard.client.post(way_out, data={"which": "all"}, headers=SAME_SITE)

    orchard.session.expire_all()
    told = select(Favourite.person_id).where(Favourite.tells_price | Favourite.tells_return)
    assert orchard.session.scalars(told).all() != [] and orchard.person.id not in orchard.session.scalars(told).all()


def test_the_link_of_what_was_removed_says_that_there_is_nothing_more_to_come(orchard: Orchard) -> None:
    orchard.save()
    way_out = f"/favourites/{telling.serializer().dumps(orchard.favourite.public_id)}"
    in_transaction(keeping.remove, person_id=orchard.person.id, variant="G7-1")

    assert "它已经不在收藏里" in orchard.client.get(way_out).text
    for which in ("", "all"):
        assert orchard.client.post(way_out, data={"which": which}, headers=SAME_SITE).status_code == 303


@pytest.mark.parametrize("rubbish", ["x", "x.y", "IjEi.AAAA", "%00"])
def test_a_link_that_is_not_ours_leads_nowhere(orchard: Orchard, rubbish: str) -> None:
    orchard.save()
    assert orchard.client.get(f"/favourites/{rubbish}").status_code == 404
    assert orchard.client.post(f"/favourites/{rubbish}", headers=SAME_SITE).status_code == 404


def test_staff_keep_favourites_as_everybody_does_and_strangers_are_led_to_sign_in(orchard: Orchard) -> None:
    assert orchard.client.get("/account/favourites").headers["Location"].startswith("/sign-in?next=")
    sign_in_as(orchard.client, make_person("station_clerk"))
    assert orchard.client.get("/account/favourites").status_code == 200
