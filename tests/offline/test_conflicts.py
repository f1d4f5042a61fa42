"""What does not fit: listed in plain words, decided by a person of the station, once, and kept in the audit log."""

import html
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from marketplace.core.audit import AuditRecord
from marketplace.core.db import db
from marketplace.core.transitions import EventRow
from marketplace.orders.offline.states import ActState as A
from marketplace.orders.states import ParcelState as S
from tests import factories
from tests.offline.conftest import OURS, TO_THE_SHELF, MakePhone, Phone, get, make_parcel, state_of, stored, take


def decide(phone: Phone, act: dict[str, Any], decision: str, note: str = "") -> TestResponse:
    phone.list()
    form = {"decision": decision, "note": note, "csrf_token": phone.token}
    return phone.client.post(f"/station/conflicts/{act['key']}", data=form, headers=OURS)


def page_of(phone: Phone) -> str:
    return html.unescape(phone.client.get("/station/conflicts").text)


def decisions() -> list[tuple[str, str, str]]:
    db.session.rollback()
    rows = db.session.query(AuditRecord).filter_by(action="desk_act.decided")
    return [(row.subject, row.detail["decision"], row.why) for row in rows]


def two_shelves(phone: Phone) -> tuple[Any, dict[str, Any]]:
    parcel = make_parcel("acceptance", "collection")
    act = phone.act("packing", parcel.public_id, 2, shelf="A-1")
    take(parcel, "packing", shelf="B-03")
    assert phone.send_one(act) == ("conflict", "other_details")
    return parcel, act


def test_it_says_in_plain_words_what_was_written_and_what_stands(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel, _act = two_shelves(phone)

    page = page_of(phone)
    assert "两个人办了同一步，写的不一样" in page
    assert f"{parcel.order.number}-1" in page
    assert "<strong>A-1</strong>" in page and "<strong>B-03</strong>" in page
    assert "没网时记下的" in phone.client.get("/station").text
    assert 'value="leave"' in page and 'value="mine"' in page and " checked" not in page


def test_the_phones_word_is_taken_and_what_stood_there_is_kept(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel, act = two_shelves(phone)

    assert decide(phone, act, "mine", "去看了").status_code == 303

    assert get(parcel.public_id).shelf == "A-1"
    assert stored(act["key"]).state is A.CORRECTED and stored(act["key"]).decided_by
    assert decisions() == [(f"desk_act:{act['key']}", "mine", "去看了")]
    corrected = db.session.query(AuditRecord).filter_by(action="parcel.corrected").one()
    assert corrected.detail == {"shelf": "A-1", "shelf_before": "B-03"}
    assert "都对得上" in page_of(phone)


def test_a_decision_that_is_sent_twice_is_taken_once(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel, act = two_shelves(phone)
    decide(phone, act, "leave")

    again = decide(phone, act, "mine")

    assert again.status_code == 303
    assert get(parcel.public_id).shelf == "B-03"
    assert stored(act["key"]).state is A.DISMISSED
    assert len(decisions()) == 1


def test_what_is_set_aside_takes_along_what_was_written_after_it(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    wrong, later = phone.act("no-show", parcel.public_id, 3), phone.act("second-shelving", parcel.public_id, 5)
    assert phone.send_one(wrong) == ("conflict", "went_otherwise")
    assert phone.send_one(later)[0] == "waiting"

    decide(phone, wrong, "leave")

    assert (stored(later["key"]).state, stored(later["key"]).problem) == (A.CONFLICT, "follows_dismissed")
    assert state_of(parcel) is S.READY_FOR_PICKUP


def test_a_step_that_is_possible_now_is_taken_and_what_waited_for_it_goes_on(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel("acceptance")
    early = phone.act("packing", parcel.public_id, 1)
    assert phone.send_one(early) == ("conflict", "not_possible")
    take(parcel, "collection")
    shelving = phone.act("shelving", parcel.public_id, 3)
    assert phone.send_one(shelving)[0] == "waiting"

    assert decide(phone, early, "again").status_code == 303

    assert state_of(parcel) is S.READY_FOR_PICKUP
    assert stored(early["key"]).state is stored(shelving["key"]).state is A.APPLIED
    moved = db.session.query(EventRow).filter_by(client_key=early["key"], to_state="packed").one()
    assert moved.subject == f"parcel:{parcel.public_id}"


def test_goods_that_may_be_gone_need_a_word(make_phone: MakePhone) -> None:
    phone, other = make_phone(), make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    code = parcel.pickup_code or ""
    act = other.act("pickup", parcel.public_id, 4, code=code)
    phone.send_one(phone.act("pickup", parcel.public_id, 4, code=code))
    other.send_one(act)
    page = page_of(phone)
    assert "这个包裹记了两次交货" in page and code not in page and "现在照办" not in page

    refused = decide(phone, act, "leave")
    assert refused.status_code == 422 and "货可能已经出去了" in refused.text
    assert decide(phone, act, "again", "x").status_code == 422
    assert stored(act["key"]).state is A.CONFLICT and decisions() == []

    decide(phone, act, "leave", "是同一个人，取了一次")
    assert decisions() == [(f"desk_act:{act['key']}", "leave", "是同一个人，取了一次")]


@pytest.mark.parametrize("note", ["x" * 201, "\0" * 3 + "x" * 201])
def test_what_was_typed_is_kept_where_it_is_too_long(make_phone: MakePhone, note: str) -> None:
    phone = make_phone()
    _parcel, act = two_shelves(phone)
    answer = decide(phone, act, "mine", note)

    assert answer.status_code == 422 and "x" * 201 in answer.text
    assert stored(act["key"]).state is A.CONFLICT


def test_another_station_sees_none_of_it_and_decides_nothing(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel, act = two_shelves(phone)
    factories.make_station("140430", county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    there = make_phone(station="140430")

    assert parcel.order.number not in page_of(there)
    assert decide(there, act, "leave").status_code == 404
    seller = phone.client.application.test_client()
    factories.signed_in(seller, "seller")
    assert seller.get("/station/conflicts").status_code == 403
    assert stored(act["key"]).state is A.CONFLICT


def test_a_page_of_conflicts_costs_the_same_however_many_they_are(
    make_phone: MakePhone, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    phone = make_phone()
    two_shelves(phone)
    with count_statements() as one:
        phone.client.get("/station/conflicts")
    for _ in range(3):
        two_shelves(phone)
    with count_statements() as four:
        phone.client.get("/station/conflicts")
    assert len(one) == len(four)
