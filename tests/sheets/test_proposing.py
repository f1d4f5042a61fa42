"""A sheet about goods for sale: what they are goes to the station as an edit, all or nothing, and can be taken back."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import reviewing, revising
from listings.models import Listing, Revision
from listings.sheets.states import ImportState as I, Outcome, Verdict
from listings.states import RevisionState as R
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from tests import factories
from tests.factories import STATION
from tests.sheets.conftest import STORY, Trader, as_csv, rows, wrong


def sheet(*lines: tuple[str, ...], headings: tuple[str, ...] = ("平台编号", "品名", "单价（元）", "介绍")) -> bytes:
    return as_csv(headings, *lines)


def listing(code: str) -> Listing:
    db.session.rollback()
    return db.session.scalars(select(Listing).where(Listing.code == code)).one()


def edits(code: str = "GA") -> list[Revision]:
    found = select(Revision).where(Revision.listing_id == listing(code).id)
    return list(db.session.scalars(found.order_by(Revision.id)))


def decide(*, accept: bool) -> None:
    clerk, row = factories.make_person("station_clerk").id, edits()[-1]
    given: dict[str, Any] = {"edit": row.public_id, "station": STATION, "reviewer_id": clerk, "version": row.version}
    if accept:
        in_transaction(reviewing.accept_edit, **given)
    else:
        in_transaction(reviewing.reject_edit, **given, reason="看不明白")


def test_price_at_once_and_name_once_the_station_agrees(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    sent = sheet(("GA", "沁州黄 新米", "41.00", STORY))
    row = trader.compared(sent)
    assert [each.verdict for each in rows(session)] == [Verdict.CHANGED] and edits() == []
    page = trader.page(row)
    assert page.count("站里同意后生效") == 1 and "沁州黄 新米" in page
    before = listing("GA").version

    trader.confirm(row)

    shown = listing("GA")
    assert shown.title_zh == "小米GA" and shown.version == before + 1
    (edit,) = edits()
    assert (edit.state, edit.before, edit.after) == (R.SUBMITTED, {"title_zh": "小米GA"}, {"title_zh": "沁州黄 新米"})
    assert edit.author_id == trader.person.id and "沁州黄 新米" in trader.client.get("/seller/listings/GA/preview").text
    (born,) = db.session.scalars(select(EventRow).where(EventRow.subject == f"listing_revision:{edit.public_id}"))
    assert (born.from_state, born.to_state, born.why) == ("", "submitted", f"import:{row.public_id}")
    again = trader.compared(sent)
    assert [each.verdict for each in rows(session)] == [Verdict.SAME] and again.state is I.READY
    decide(accept=True)
    assert listing("GA").title_zh == "沁州黄 新米"


def test_one_row_that_cannot_be_done_keeps_all_edits_back(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    trader.offer("GB")
    row = trader.compared(sheet(("GA", "沁州黄 新米", "39.80", STORY), ("GB", "", "39.80", STORY)))
    assert wrong(session) == [(3, "title", "missing")]
    answer = trader.post(f"/seller/imports/{row.public_id}/confirmation", {"again": "0"})
    assert answer.status_code in {303, 409} and edits() == [] == edits("GB")


def test_the_shops_own_words_take_no_waiting_edit_back(trader: Trader, session: Session) -> None:
    """An export that is sent back changes nothing."""
    trader.offer("GA")
    in_transaction(revising.propose, code="GA", person_id=trader.person.id, changes={"title_zh": "手写的名字"})
    trader.compared(sheet(("GA", "小米GA", "39.80", STORY)))
    assert [each.verdict for each in rows(session)] == [Verdict.SAME]
    assert [edit.after for edit in edits()] == [{"title_zh": "手写的名字"}]


def test_undone_the_edit_is_withdrawn(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    row = trader.done(sheet(("GA", "沁州黄 新米", "41.00", STORY)))
    trader.undo(row)
    assert [each.outcome for each in rows(session)] == [Outcome.UNDONE]
    (edit,) = edits()
    assert (edit.state, edit.reviewer_id) == (R.REJECTED, None)
    assert listing("GA").title_zh == "小米GA"
    assert "站里没同意" not in trader.client.get("/account").text


def test_what_waited_before_waits_again(trader: Trader) -> None:
    trader.offer("GA")
    in_transaction(
        revising.propose, code="GA", person_id=trader.person.id, changes={"title_zh": "沁州黄 甲种", "storage_zh": "放冰箱"}
    )
    row = trader.done(sheet(("GA", "沁州黄 乙种", "39.80", STORY + "今年的。")))
    (edit,) = edits()
    assert (
        edit.after == {"title_zh": "沁州黄 乙种", "storage_zh": "放冰箱", "story_zh": STORY + "今年的。"}
        and edit.version == 2
    )
    trader.undo(row)
    (edit,) = edits()
    assert (edit.state, edit.after) == (R.SUBMITTED, {"title_zh": "沁州黄 甲种", "storage_zh": "放冰箱"})


@pytest.mark.parametrize("accept", [True, False])
def test_what_the_station_has_decided_is_not_undone(trader: Trader, session: Session, accept: bool) -> None:
    trader.offer("GA")
    row = trader.done(sheet(("GA", "沁州黄 新米", "41.00", STORY)))
    decide(accept=accept)
    trader.undo(row)
    (line,) = rows(session)
    assert line.outcome == Outcome.KEPT and [each["code"] for each in line.problems] == ["edit_decided"]
    assert "站里已经定了" in trader.page(row, "?show=kept")
    assert listing("GA").title_zh == ("沁州黄 新米" if accept else "小米GA")


def test_what_moved_between_look_and_word_is_shown_anew(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    row = trader.compared(sheet(("GA", "沁州黄 新米", "41.00", STORY)))
    before = listing("GA").version
    in_transaction(revising.propose, code="GA", person_id=trader.person.id, changes={"title_zh": "手写的名字"})
    trader.confirm(row)
    assert [edit.after for edit in edits()] == [{"title_zh": "手写的名字"}] and listing("GA").version == before
    trader.confirm(row)
    assert [edit.after for edit in edits()] == [{"title_zh": "沁州黄 新米"}]


def test_the_kind_of_goods_for_sale_stays(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    trader.compared(as_csv(("平台编号", "类别"), ("GA", "鸡蛋")))
    assert {code for _row, _column, code in wrong(session)} == {"not_a_draft"} and edits() == []
