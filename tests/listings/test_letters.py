"""What a seller hears of the station's decisions: each once, with the reason, by the way they want."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from listings import letters, reviewing
from listings.models import Listing
from listings.states import ListingState as L
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.outbox import OutboxRow
from marketplace.core.settings import settings
from marketplace.notifications import preferences
from marketplace.notifications.models import Message
from tests.listings.selling import House, build, edits
from tests.listings.test_offering import QINXIAN

SEEN: dict[str, Any] = {"origin_seen": True, "goods_seen": True, "price_sane": True}


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def told() -> list[str]:
    """All letters about goods, first to last."""
    while outbox.deliver():
        pass
    db.session.rollback()
    return [row.text for row in db.session.scalars(select(Message).order_by(Message.id))]


def submitted(house: House) -> dict[str, Any]:
    """The seller's goods wait for the station; who looks at them."""
    db.session.rollback()
    db.session.scalars(select(Listing).where(Listing.code == house.millet)).one().state = L.SUBMITTED
    db.session.commit()
    return {"code": house.millet, "station": QINXIAN, "reviewer_id": house.clerk_person.id}


def test_what_is_let_in_and_what_is_not(house: House) -> None:
    in_transaction(reviewing.reject, **submitted(house), reason="照片看不清")
    assert told() == [
        "“沁州黄小米 当年新米”站里还没让上架。原因：照片看不清。到这里改一改：http://127.0.0.1:8000/seller/listings/GMILLET"
    ]
    in_transaction(reviewing.accept, **submitted(house), **SEEN)
    assert told()[1:] == ["“沁州黄小米 当年新米”上架了：http://127.0.0.1:8000/listings/GMILLET"]
    assert [row.person_id for row in db.session.scalars(select(Message))] == [house.person.id] * 2
    with pytest.raises(StaleState):
        in_transaction(reviewing.accept, **submitted(house), **SEEN, version=99)
    assert len(told()) == 2


def test_edits_that_are_accepted_and_refused(house: House) -> None:
    house.edit(title="最好的小米")
    house.decide(house.clerk, "reject", reason="不能说最好")
    house.edit(title="沁州黄 新米")
    assert len(edits()) == 2
    house.decide(house.clerk)
    refused, accepted = told()
    assert "修改，站里没同意，还是照原来的卖。原因：不能说最好" in refused
    assert accepted == "“沁州黄 新米”的修改，站里同意了：http://127.0.0.1:8000/listings/GMILLET"


def test_taken_back_by_its_author_nobody_is_told(house: House) -> None:
    house.edit(title="沁州黄 甲")
    house.edit()
    assert told() == []


def test_suspended_and_cleared(house: House) -> None:
    in_transaction(reviewing.suspend, code=house.millet, actor="person:9", reason="有人投诉掺假")
    in_transaction(reviewing.clear, code=house.millet, actor="person:9", reason="查清楚了，没有掺假")
    suspended, cleared = told()
    assert suspended == (
        "“沁州黄小米 当年新米”被省里停售了。原因：有人投诉掺假。改好后在这里申请复看："
        f"{settings().base_url}/seller/listings/{house.millet}/suspension"
    )
    assert "停售取消了。原因：查清楚了，没有掺假" in cleared


def test_one_decision_is_told_once_and_who_wants_no_letters_finds_it_on_their_page(house: House) -> None:
    in_transaction(preferences.keep, person_id=house.person.id, wanted=[])
    in_transaction(reviewing.suspend, code=house.millet, actor="person:9", reason="投诉")
    row = db.session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == letters.DECIDED)).one()
    for _time in range(2):
        letters.decided(**row)
    assert len(told()) == 1
    assert db.session.scalars(select(OutboxRow).where(OutboxRow.topic == "message.send")).all() == []
    assert "被省里停售了" in house.seller.get("/account").text
