"""How many packs somebody takes at least, and the papers of goods: in and out by sheet, on drafts and for sale."""

from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from listings import certificates
from listings.models import Certificate, Variant
from listings.sheets import papers
from listings.sheets.papers import Paper
from listings.sheets.states import Verdict
from listings.states import ListingState as L, RevisionState as R
from marketplace.core.db import db, in_transaction
from tests import factories
from tests.sheets.conftest import HEADINGS, MILLET, Trader, as_csv, latest, listed, rows, wrong
from tests.sheets.test_proposing import decide, edits, listing
from tests.sheets.test_several_packs import exported, offer_two, put

ORGANIC, TESTED = "有机：有机小米：CN-123", "检测报告：农残检测：2026-07"
SAID = [("organic", "有机小米", "CN-123"), ("test_report", "农残检测", "2026-07")]


def pack(code: str = "GA-1") -> Variant:
    db.session.rollback()
    return db.session.scalars(select(Variant).where(Variant.code == code)).one()


def papers_there() -> list[tuple[str, str, str]]:
    db.session.rollback()
    return [(row.kind, row.name_zh, row.number) for row in db.session.scalars(select(Certificate).order_by(Certificate.id))]


def stated(trader: Trader, state: L = L.PUBLISHED) -> Certificate:
    """Goods with one paper, which the station has seen, with its picture."""
    offered = trader.offer("GA", state=state)
    words: dict[str, Any] = {"kind": "organic", "name_zh": "有机小米", "number": "CN-123", "media_public_id": "p1"}
    return factories.make(Certificate, {"listing_id": offered.listing_id, "status": "verified", **words}, {})


def test_new_goods_come_with_both_and_an_export_sent_back_changes_nothing(trader: Trader, session: Session) -> None:
    headings = (*HEADINGS, "起卖份数", "证书")
    trader.done(as_csv(headings, (*MILLET, "２", f"{ORGANIC}；{TESTED}"), ("A002", *MILLET[1:], "", "")))

    first, second = listed(session)
    assert [pack(f"{each.code}-1").minimum_quantity for each in (first, second)] == [2, 1]
    assert papers_there() == SAID
    assert {row.status for row in session.scalars(select(Certificate))} == {"stated"}
    lines = exported(trader)
    assert [line[lines[0].index("起卖份数")] for line in lines[1:]] == ["2", ""]
    assert [line[lines[0].index("证书")] for line in lines[1:]] == [f"{ORGANIC}；{TESTED}", ""]
    trader.compared(as_csv(*lines))
    assert [row.verdict for row in rows(session)] == ["same", "same"]


def test_the_least_changes_at_once_and_goes_back(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    row = trader.done(as_csv(("平台编号", "起卖份数"), ("GA", "3")))
    assert pack().minimum_quantity == 3 and pack().price_fen == 3980 and edits() == []
    trader.compared(as_csv(("平台编号", "起卖份数"), ("GA", "3.0")))
    assert rows(session)[0].verdict == Verdict.SAME
    trader.undo(row)
    assert pack().minimum_quantity == 1


def test_a_column_that_is_left_out_leaves_both_alone(trader: Trader, session: Session) -> None:
    stated(trader)
    in_transaction(lambda session: session.execute(update(Variant).values(minimum_quantity=4)))
    trader.done(as_csv(("平台编号", "单价（元）"), ("GA", "41.00")))
    assert (pack().price_fen, pack().minimum_quantity, papers_there()) == (4100, 4, SAID[:1])


@pytest.mark.parametrize(
    ("least", "lower", "problem"),
    [
        ("0", ("", ""), ("minimum", "out_of_range")),
        ("1001", ("", ""), ("minimum", "out_of_range")),
        ("两份", ("", ""), ("minimum", "not_whole")),
        ("5", ("5", "30"), ("tier_from", "tier_of_least")),
    ],
)
def test_a_least_that_cannot_be_is_said(
    trader: Trader, session: Session, least: str, lower: tuple[str, str], problem: tuple[str, str]
) -> None:
    trader.offer("GA")
    headings = ("平台编号", "起卖份数", "满几份优惠", "优惠价（元）")
    trader.compared(as_csv(headings, ("GA", least, *lower)))
    assert wrong(session) == [(2, *problem)] and pack().minimum_quantity == 1
    trader.compared(as_csv((*HEADINGS, *headings[1:]), (*MILLET, least, *lower)))
    assert wrong(session) == [(2, *problem)]


def test_a_least_above_the_lower_price_that_is_there_is_said(trader: Trader, session: Session) -> None:
    trader.offer("GA")
    trader.done(as_csv(("平台编号", "满几份优惠", "优惠价（元）"), ("GA", "5", "30")))
    row = trader.compared(as_csv(("平台编号", "起卖份数"), ("GA", "5")))
    assert wrong(session) == [(2, "minimum", "least_above_lower")] and "满 5 份就有优惠了" in trader.page(row)
    trader.compared(as_csv(("平台编号", "起卖份数"), ("GA", "4")))
    assert rows(session)[0].entry == {"minimum": 4}


def test_each_pack_has_a_least_of_its_own_and_the_papers_stand_once(trader: Trader, session: Session) -> None:
    offer_two(trader)
    lines = exported(trader)
    put(lines, 2, "起卖份数", "6")
    put(lines, 1, "证书", ORGANIC)
    trader.done(as_csv(*lines))
    assert (pack("GA-1").minimum_quantity, pack("GA-2").minimum_quantity, papers_there()) == (1, 6, SAID[:1])
    put(lines, 2, "证书", TESTED)
    trader.compared(as_csv(*lines))
    assert wrong(session) == [(3, "certificates", "said_by_first")]


def test_papers_of_a_draft_change_and_go_back_and_what_stays_keeps_its_picture(trader: Trader, session: Session) -> None:
    stated(trader, L.DRAFT)
    row = trader.done(as_csv(("平台编号", "证书"), ("GA", f"Organic: 有机小米 : CN-123\n{TESTED}")))
    assert papers_there() == SAID
    known = {each.number: (each.status, each.media_public_id) for each in session.scalars(select(Certificate))}
    assert known == {"CN-123": ("verified", "p1"), "2026-07": ("stated", None)}
    trader.undo(row)
    assert papers_there() == SAID[:1] and session.scalars(select(Certificate)).one().status == "verified"


def test_papers_of_goods_for_sale_wait_for_the_station(trader: Trader, session: Session) -> None:
    stated(trader)
    sheet = as_csv(("平台编号", "证书"), ("GA", f"{TESTED}；{ORGANIC}"))
    row = trader.done(sheet)
    assert "站里同意后生效" in trader.page(row) and papers_there() == SAID[:1]
    (edit,) = edits()
    assert [each["number"] for each in edit.after["certificates"]] == ["2026-07", "CN-123"]
    assert edit.after["certificates"][1]["picture"] == "p1"
    trader.compared(sheet)
    assert rows(session)[0].verdict == Verdict.SAME

    decide(accept=True)
    assert sorted(papers_there()) == sorted(SAID)
    known = {each.number: (each.status, each.media_public_id) for each in session.scalars(select(Certificate))}
    assert known == {"CN-123": ("verified", "p1"), "2026-07": ("stated", None)}


def test_undone_papers_wait_no_more(trader: Trader) -> None:
    stated(trader)
    row = trader.done(as_csv(("平台编号", "证书"), ("GA", "")))
    assert edits()[-1].after == {"certificates": []} and papers_there() == SAID[:1]
    trader.undo(row)
    assert edits()[-1].state is R.REJECTED and listing("GA").state is L.PUBLISHED and papers_there() == SAID[:1]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("CN-123", "paper_parts"),
        ("有机：CN-123", "paper_parts"),
        ("奖状：最好吃：1", "paper_kind"),
        ("有机：米：1", "length"),
        ("有机：有机小米：", "length"),
        ("有机：有机小米：" + "9" * 41, "length"),
        ("；".join(f"有机：有机小米：{number}" for number in range(9)), "too_many_papers"),
    ],
)
def test_a_cell_that_names_no_papers_is_said(trader: Trader, session: Session, cell: str, code: str) -> None:
    stated(trader)
    trader.compared(as_csv(("平台编号", "证书"), ("GA", cell)))
    assert wrong(session) == [(2, "certificates", code)]
    assert latest().state.value == "ready" and papers_there() == SAID[:1] and edits() == []


def test_every_kind_is_known_in_both_languages_as_its_page_calls_it(trader: Trader) -> None:
    assert set(papers.KINDS) == set(certificates.KINDS)
    with trader.app.test_request_context(), force_locale("zh_Hans_CN"):
        assert [zh for zh, _en in papers.KINDS.values()] == [str(words) for words in certificates.KINDS.values()]
    with trader.app.test_request_context(), force_locale("en"):
        assert [en for _zh, en in papers.KINDS.values()] == [str(words) for words in certificates.KINDS.values()]


def test_a_name_with_colons_comes_back_as_it_was() -> None:
    one: Paper = {"kind": "other", "name_zh": "奖：金奖", "name_en": "", "number": "7", "picture": None}
    assert papers.in_words([one]) == "别的证：奖：金奖：7"
    assert papers.read("别的证：奖:金奖：7；别的证：奖：金奖：7") == [{**one, "name_zh": "奖:金奖"}]
