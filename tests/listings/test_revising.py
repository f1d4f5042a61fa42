"""Editing what is for sale: the old version stays up until the station has accepted; price and stock never wait."""

import re

import pytest
from flask import Flask

from listings import revising
from listings.models import Media
from listings.states import REVISION, ListingState as L, RevisionState as R
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.outbox import OutboxRow
from marketplace.core.transitions import EventRow, transition
from tests import factories
from tests.listings.selling import CONTENT, House, build, edits, fresh, listing, packs
from tests.listings.test_offering import JIXIAN, OURS, picture, post


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def traces(house: House) -> list[str]:
    return [row.to_state for row in fresh(EventRow) if row.subject.startswith("listing_revision:")]


def test_the_old_version_stays_up_until_the_station_accepts(house: House) -> None:
    before = listing(house.millet).version

    answer = house.edit(title="沁州黄小米 2026 新米", title_en="Qinzhou millet", story_en="One crop a year, on the slopes.")

    assert answer.status_code == 303 and answer.headers["Location"].endswith("/preview")
    (edit,) = edits()
    assert edit.before == {"title_zh": CONTENT["title"], "title_en": "", "story_en": ""}
    assert edit.after["title_zh"] == "沁州黄小米 2026 新米" and edit.state is R.SUBMITTED
    shop = house.browser()
    assert CONTENT["title"] in shop.get(f"/listings/{house.millet}").text
    shown = house.seller.get(f"/seller/listings/{house.millet}/preview").text
    assert CONTENT["title"] in shown and "沁州黄小米 2026 新米" in shown and "现在" in shown and "改成" in shown
    assert "沁州黄小米" in house.clerk.get("/station/listings").text
    told = len([row for row in fresh(OutboxRow) if row.topic == "listing.changed"])

    accepted = house.decide(house.clerk)

    assert accepted.status_code == 303
    assert "沁州黄小米 2026 新米" in shop.get(f"/listings/{house.millet}").text
    row = listing(house.millet)
    assert (row.title_en, row.state) == ("Qinzhou millet", L.PUBLISHED) and row.version > before
    assert len([row for row in fresh(OutboxRow) if row.topic == "listing.changed"]) == told + 1
    assert edits()[0].state is R.ACCEPTED and traces(house) == [R.SUBMITTED, R.ACCEPTED]


def test_an_edit_that_is_sent_back_changes_nothing_and_says_why(house: House) -> None:
    house.edit(title="最好的小米")
    before = listing(house.millet).version

    without = house.decide(house.clerk, "reject")
    assert without.status_code == 422 and "说说哪里要改" in without.text and edits()[0].state is R.SUBMITTED
    enter = house.decide(house.clerk, reason="不能说最好")  # in the field of the reason: it presses the first button
    assert enter.status_code == 422 and "你写了不同意的原因" in enter.text and edits()[0].state is R.SUBMITTED
    assert house.decide(house.clerk, "reject", reason="不能说最好").status_code == 303

    row = listing(house.millet)
    assert (row.title_zh, row.version) == (CONTENT["title"], before)
    assert edits()[0].state is R.REJECTED and edits()[0].reason == "不能说最好"
    assert "不能说最好" in house.seller.get(f"/seller/listings/{house.millet}/details").text
    assert "不能说最好" in house.seller.get("/seller").text
    house.edit(title="沁州黄 甲")
    assert "不能说最好" not in house.seller.get("/seller").text


def test_a_second_edit_goes_into_the_one_that_waits_and_nobody_accepts_what_they_have_not_seen(house: House) -> None:
    house.edit(title="沁州黄 甲")
    (first,) = edits()
    seen = house.clerk.get(f"/station/edits/{first.public_id}").text
    assert "站里还没看" in house.seller.get(f"/seller/listings/{house.millet}/details").text

    house.edit(title="沁州黄 乙", storage="放冰箱")

    (edit,) = edits()
    assert edit.version == 2 and edit.after == {"title_zh": "沁州黄 乙", "storage_zh": "放冰箱"}
    stale = re.search(r'name="version"[^>]*value="(\d+)"', seen)
    assert stale
    answer = post(house.clerk, f"/station/edits/{edit.public_id}/review", {"decision": "accept", "version": stale[1]})
    assert answer.status_code == 303 and answer.headers["Location"].endswith(edit.public_id)
    assert listing(house.millet).title_zh == CONTENT["title"] and edits()[0].state is R.SUBMITTED
    house.decide(house.clerk)
    assert listing(house.millet).title_zh == "沁州黄 乙" and listing(house.millet).storage_zh == "放冰箱"


def test_edited_back_is_taken_back(house: House) -> None:
    house.edit(title="沁州黄 甲")
    house.edit()

    assert edits()[0].state is R.REJECTED and edits()[0].reviewer_id is None
    assert traces(house) == [R.SUBMITTED, R.REJECTED]
    assert "和在卖的一样" in house.seller.get("/seller").text
    house.edit()
    assert len(edits()) == 1


def test_a_whole_edit_is_taken_back_by_one_button(house: House) -> None:
    house.edit(title="沁州黄 甲")
    assert "收回这份改动" in house.seller.get(f"/seller/listings/{house.millet}/preview").text
    for _time in range(2):
        assert post(house.seller, f"/seller/listings/{house.millet}/edit/removal").status_code == 303
    assert traces(house) == [R.SUBMITTED, R.REJECTED]
    stale = post(house.clerk, f"/station/edits/{edits()[0].public_id}/review", {"decision": "accept", "version": "1"})
    assert stale.status_code == 303 and listing(house.millet).title_zh == CONTENT["title"]


def test_the_same_edit_sent_twice_is_one(house: House) -> None:
    for _time in range(2):
        assert house.edit(title="沁州黄 甲").status_code == 303
    assert [edit.version for edit in edits()] == [1]


def test_what_was_decided_is_not_decided_again(house: House) -> None:
    house.edit(title="沁州黄 甲")
    house.decide(house.clerk)
    edit = edits()[0].public_id

    again = post(house.clerk, f"/station/edits/{edit}/review", {"decision": "reject", "version": "1", "reason": "晚了"})

    assert again.status_code == 303 and edits()[0].state is R.ACCEPTED
    assert listing(house.millet).title_zh == "沁州黄 甲"


def test_pictures_wait_with_the_rest(house: House) -> None:
    path = f"/seller/listings/{house.millet}/pictures"
    for width in (40, 50):
        assert post(house.seller, path, {"pictures": [picture((width, 30))]}).status_code == 303
    assert fresh(Media, listing_id=listing(house.millet).id) == []
    kept, dropped = edits()[0].after["pictures"]

    post(house.seller, f"{path}/{dropped}/removal")
    assert post(house.seller, f"{path}/{dropped}/removal").status_code == 404
    house.decide(house.clerk)

    assert [row.public_id for row in fresh(Media, listing_id=listing(house.millet).id)] == [kept]
    assert f"/media/{kept}-" in house.browser().get(f"/listings/{house.millet}").text


def test_a_picture_of_another_seller_is_none_of_ours(house: House) -> None:
    other = factories.make(Media, {"uploader_id": house.clerk_person.id, "width": 1, "height": 1, "digest": "d"}, {})
    with pytest.raises(NotFound):
        in_transaction(
            revising.propose, code=house.millet, person_id=house.person.id, changes={"pictures": [other.public_id]}
        )
    assert edits() == []


def test_an_unknown_field_is_our_own_mistake(house: House) -> None:
    with pytest.raises(ValueError, match="price_fen"):
        in_transaction(revising.propose, code=house.millet, person_id=house.person.id, changes={"price_fen": 1})


def test_a_new_pack_waits_while_prices_do_not(house: House) -> None:
    pack = {"unit": "10斤袋", "price": "75", "stock": "20", "tier_from": "5", "tier_price": "70"}

    assert post(house.seller, f"/seller/listings/{house.millet}/packs", pack).status_code == 303

    assert len(packs(house.millet)) == 1 and edits()[0].after["new_packs"][0]["price_fen"] == 7500
    page = house.seller.get(f"/seller/listings/{house.millet}/packs").text
    name = re.search(r"new-packs/(\w{16})/removal", page)
    assert "10斤袋" in page and name
    post(house.seller, f"/seller/listings/{house.millet}/new-packs/{name[1]}/removal")
    assert edits()[0].state is R.REJECTED
    post(house.seller, f"/seller/listings/{house.millet}/packs", pack)
    shown = house.clerk.get(f"/station/edits/{edits()[1].public_id}").text
    assert "10斤袋，¥75.00，5 份起 ¥70.00，有 20 份" in shown
    terms = {"price": "41", "minimum": "2", "tier_from": "10", "tier_price": "39"}
    post(house.seller, f"/seller/listings/{house.millet}/packs/GMILLET-1", terms)
    assert packs(house.millet) == [("GMILLET-1", "5斤袋", 4100, 10, True)]

    house.decide(house.clerk)

    assert packs(house.millet) == [("GMILLET-1", "5斤袋", 4100, 10, True), ("GMILLET-2", "10斤袋", 7500, 20, True)]


def test_an_edit_of_what_was_suspended_meanwhile_waits(house: House) -> None:
    house.edit(title="沁州黄 甲")
    row = listing(house.millet)
    transition(db.session(), row, L.SUSPENDED, expected=L.PUBLISHED, actor="test", why="test")
    db.session.commit()

    house.decide(house.clerk)

    assert edits()[0].state is R.SUBMITTED and listing(house.millet).title_zh == CONTENT["title"]
    assert house.edit(title="沁州黄 乙").status_code == 303  # mended, for the province to look at
    assert [(row.state, row.version) for row in edits()] == [(R.SUBMITTED, 2)]
    house.decide(house.clerk)
    assert edits()[0].state is R.SUBMITTED and listing(house.millet).title_zh == CONTENT["title"]


def test_taken_away_with_its_edit(house: House) -> None:
    house.edit(title="沁州黄 甲")
    post(house.seller, f"/seller/listings/{house.millet}/removal")
    assert listing(house.millet).state is L.ARCHIVED and edits()[0].state is R.REJECTED


def test_others_find_nothing(house: House) -> None:
    house.edit(title="沁州黄 甲")
    edit = edits()[0].public_id
    factories.make_station(JIXIAN)
    elsewhere, buyer, other = house.browser(), house.browser(), house.browser()
    factories.signed_in(elsewhere, "station_clerk", station=JIXIAN)
    factories.signed_in(buyer)
    factories.signed_in(other, "seller")

    assert elsewhere.get(f"/station/edits/{edit}").status_code == 404
    taken = post(elsewhere, f"/station/edits/{edit}/review", {"decision": "accept", "version": "1"})
    assert taken.status_code == 404
    assert buyer.get(f"/station/edits/{edit}").status_code == 403
    assert house.seller.get(f"/station/edits/{edit}").status_code == 403
    assert house.browser().post(f"/station/edits/{edit}/review", headers=OURS).status_code == 401
    for page in ("packs", "packs/new", "certificates", "packs/GMILLET-1", "consent"):
        assert other.get(f"/seller/listings/{house.millet}/{page}").status_code == 404, page
    assert edits()[0].state is R.SUBMITTED


@pytest.mark.parametrize("rubbish", [{"version": ""}, {"version": "x"}, {"version": "9" * 40}, {"decision": "perhaps"}])
def test_rubbish_decides_nothing(house: House, rubbish: dict[str, str]) -> None:
    house.edit(title="沁州黄 甲")
    path = f"/station/edits/{edits()[0].public_id}/review"
    answer = post(house.clerk, path, {"decision": "accept", "version": "1"} | rubbish)
    assert answer.status_code == 422 and edits()[0].state is R.SUBMITTED


@pytest.mark.parametrize(("here", "there"), [(a, b) for a in R for b in R if b not in REVISION[a]])
def test_whatever_is_not_in_the_table_is_refused(house: House, here: R, there: R) -> None:
    house.edit(title="沁州黄 甲")
    with pytest.raises(IllegalTransition):
        transition(db.session(), edits()[0], there, expected=here, actor="anyone", why="test")
