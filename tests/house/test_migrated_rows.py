"""What was there before a migration is there after it, and knows what the new columns ask for."""

from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.core import migrations
from tests.house.conftest import At
from tests.house.rows import SHOP, put_in, rows_of

pytestmark = pytest.mark.full  # migrations that were made stay as they are

LEDGER: dict[str, list[dict[str, Any]]] = {
    **{name: SHOP[name] for name in ("county", "station", "person")},
    "organisation": [{"code": "f", "certificate_from": date(2020, 1, 1), "certificate_until": date(2099, 1, 1)}],
    "campaign": [
        {"id": 1, "organisation_code": "f", "owner_id": 1, "kind": "donation", "past_goal": "stop", "goal_fen": 100}
    ],
    "public_row": [
        {"id": number, "kind": kind, "fen": fen, "campaign_id": 1, "reference": str(number)}
        for number, (kind, fen) in enumerate([("gift", 5), ("gift", 7), ("refund", -7), ("gift", 1)], start=1)
    ],
    "sealed_row": [
        {"number": number, "row_id": number, "kind": kind, "campaign_id": 1, "at": datetime(2026, 11, 1, *hour, tzinfo=UTC)}
        for number, (kind, hour) in enumerate(
            [("gift", (15, 58)), ("gift", (15, 59)), ("refund", (15, 59)), ("gift", (16, 0))], start=1
        )
    ],
    "ledger_day": [{"campaign_id": 1, "day": date(2026, 11, day), "rows": rows} for day, rows in ((1, 3), (2, 1))],
}


def test_days_that_were_sealed_before_know_how_many_gifts_they_had(at: At) -> None:
    engine = at("0003")
    put_in(engine, LEDGER)

    migrations.bring_up_to_date(engine)

    days = rows_of(engine, {"ledger_day": ["day", "gifts", "rows"]})["ledger_day"]
    assert sorted(days, key=itemgetter("day")) == [
        {"day": date(2026, 11, 1), "gifts": 2, "rows": 3},  # until midnight in Shanxi
        {"day": date(2026, 11, 2), "gifts": 1, "rows": 1},
    ]


def test_webhooks_that_were_kept_before_know_what_they_are_about(at: At) -> None:
    raw = b'{"id": "evt_1", "data": {"object": {"object": "refund", "id": "re_1"}}}'
    engine = at("0005")
    put_in(engine, {"gateway_event": [{"id": 1, "event_id": "evt_1", "raw": raw, "status": "done"}]})

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"gateway_event": ["raw", "remote_id"]})["gateway_event"] == [{"raw": raw, "remote_id": "re_1"}]


def test_money_of_before_was_settled_in_the_currency_that_it_was_paid_in(at: At) -> None:
    engine = at("0010")
    moved = {"id": 1, "gross": 3980, "fee": 24, "net": 3956, "currency": "CNY", "verdict": "matched"}
    attempt = {"id": 1, "fen": 3980, "state": "succeeded", "currency": "CNY"}
    dispute = {"id": 1, "attempt_id": 1, "fen": 3980, "fee_fen": 1500, "currency": "CNY", "state": "lost"}
    put_in(engine, {"gateway_movement": [moved], "attempt": [attempt], "dispute": [dispute]})

    migrations.bring_up_to_date(engine)

    new = ["presented", "presented_currency", "rate"]
    assert rows_of(engine, {"gateway_movement": [*moved, *new]})["gateway_movement"] == [moved | dict.fromkeys(new)]
    assert rows_of(engine, {"dispute": [*dispute, "fee_currency"]})["dispute"] == [dispute | {"fee_currency": None}]


def test_public_rows_of_before_stay_as_they_were_and_a_match_may_be_taken_back(at: At) -> None:
    engine = at("0015")
    before = rows_of(engine, put_in(engine, LEDGER))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(rows[0]) for table, rows in before.items()}) == before
    row = {"id": 5, "kind": "unmatch", "campaign_id": 1, "reference": "5"}
    with pytest.raises(DBAPIError, match="known_kind"):
        put_in(engine, {"public_row": [row | {"fen": 3}]})
    put_in(engine, {"public_row": [row | {"fen": -3}]})
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE public_row SET fen = -4 WHERE id = 5"))


def test_papers_of_before_stay_as_stated_and_goods_get_edits(at: At) -> None:
    engine = at("0016")
    paper = {"id": 1, "listing_id": 1, "kind": "organic", "name_zh": "有机", "number": "O-1", "status": "stated"}
    before = rows_of(engine, put_in(engine, {**SHOP, "certificate": [paper]}))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(rows[0]) for table, rows in before.items()}) == before
    new = {"media_public_id": None, "verified_by": None, "verified_at": None}
    assert rows_of(engine, {"certificate": list(new)})["certificate"] == [new]
    edit = {"listing_id": 1, "author_id": 1, "state": "submitted", "reviewer_id": None, "decided_at": None}
    put_in(engine, {"listing_revision": [edit | {"id": 1, "public_id": "e1"}]})
    with pytest.raises(DBAPIError, match=r"listing_revision\.listing_id|one_waiting_revision"):
        put_in(engine, {"listing_revision": [edit | {"id": 2, "public_id": "e2"}]})
    agreed = {"listing_id": 1, "seller_id": 1, "clerk_id": 2, "way": "on_paper", "picture_digest": None}
    with pytest.raises(DBAPIError, match="paper_has_a_picture"):
        put_in(engine, {"listing_consent": [agreed]})


def line(number: int, parcel: int, grams: int, quantity: int) -> dict[str, Any]:
    figures = {"unit_price_fen": 100, "unit_service_fee_fen": 8, "quantity": quantity, "net_weight_grams": grams}
    return {"id": number, "public_id": f"l{number}", "parcel_id": parcel} | figures


def parcel(number: int, state: str, goods_fen: int, shipping_fen: int, grams: int) -> dict[str, Any]:
    sums = {"goods_fen": goods_fen, "shipping_fen": shipping_fen, "service_fee_fen": 0, "net_weight_grams": grams}
    return {"id": number, "public_id": f"p{number}", "number": number, "state": state} | sums


def refund(number: int, reason_key: str, fen: int, state: str) -> dict[str, Any]:
    return {"id": number, "public_id": f"r{number}", "reason_key": reason_key, "fen": fen, "state": state, "remote_id": None}


SENT_AND_NOT_SENT: dict[str, list[dict[str, Any]]] = {
    **{name: SHOP[name] for name in ("county", "station", "person")},
    "province": [{"code": "140000"}],
    "order": [
        {"id": 1, "number": "SX-1", "province_code": "140000", "goods_fen": 1800, "total_fen": 2900, "shipping_fen": 1100}
    ],
    "parcel": [
        parcel(1, "accepted", 600, 1000, 7000),
        parcel(2, "refused", 500, 100, 0),
        parcel(3, "settled", 300, 0, 300),
        parcel(4, "refused", 400, 0, 100),
    ],
    "order_line": [
        *(line(number, 1, 1000, quantity) for number, quantity in ((1, 3), (2, 2), (3, 1))),
        line(4, 1, 333, 3),
        *(line(number, 2, 0, quantity) for number, quantity in ((5, 2), (6, 3))),
        line(7, 3, 100, 3),
        line(8, 4, 25, 4),
    ],
    "attempt": [{"id": 1, "public_id": "a1", "purpose": "order", "reference": "SX-1", "fen": 2900, "state": "succeeded"}],
    "refund": [
        refund(1, "parcel:p2", 600, "succeeded"),
        refund(2, "lost:p3", 300, "pending"),
        refund(3, "parcel:p4", 400, "failed"),
    ],
}


def test_lines_of_before_have_their_part_of_the_shipping_and_know_what_went_back(at: At) -> None:
    engine = at("0005")
    put_in(engine, SENT_AND_NOT_SENT)

    migrations.bring_up_to_date(engine)

    lines = rows_of(engine, {"order_line": ["id", "shipping_fen", "refunded_quantity"]})["order_line"]
    assert [tuple(row.values()) for row in sorted(lines, key=itemgetter("id"))] == [
        (1, 428, 0),  # of 6999 grams, the largest remainders
        (2, 286, 0),
        (3, 143, 0),
        (4, 143, 0),
        (5, 40, 2),  # by number, where nothing weighs anything
        (6, 60, 3),
        (7, 0, 3),
        (8, 0, 0),  # its refund has failed
    ]
    given = ["refund_public_id", "order_line_id", "quantity", "goods_fen", "service_fee_fen", "shipping_fen", "by_station"]
    backs = [tuple(row.values()) for row in rows_of(engine, {"refund_line": given})["refund_line"]]
    assert sorted(backs) == [
        ("r1", 5, 2, 200, 16, 40, False),
        ("r1", 6, 3, 300, 24, 60, False),
        ("r2", 7, 3, 300, 24, 0, True),
        ("r3", 8, 4, 400, 32, 0, False),
    ]


def test_roles_of_before_are_held_since_they_were_recorded_and_cases_stay_refunded_by_us(at: At) -> None:
    engine = at("0022")
    then, later = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 4, 1, 8, tzinfo=UTC)
    granted = {"action": "role.granted", "subject": "person:p1"}
    here = {"person_id": 1, "role": "station_clerk", "scope_kind": "station"}
    case = {"order_line_id": 1, "parcel_id": 1, "quantity": 1, "kind": "damaged", "wish": "refund"}
    counted = ("received_quantity", "missing_quantity", "replaced_quantity", "refunded_quantity", "shipping_fen")
    refunded = {"id": 1, "public_id": "c1", "state": "refunded", "refund_public_id": "r1", "exchange_number": None}
    put_in(
        engine,
        {
            **SENT_AND_NOT_SENT,
            "order_line": [row | dict.fromkeys(counted, 0) for row in SENT_AND_NOT_SENT["order_line"]],
            "audit_record": [
                granted | {"id": 1, "at": then, "detail": {"role": "station_clerk", "scope": "station:140430"}},
                granted | {"id": 2, "at": later, "detail": {"role": "station_clerk", "scope": "station:140430"}},
                granted | {"id": 3, "at": then, "detail": {"role": "operator", "scope": "province:140000"}},
            ],
            "role_grant": [here | {"id": 1, "scope_id": "140430"}, here | {"id": 2, "scope_id": "141028"}],
            "after_sales_case": [case | refunded | {"returned_quantity": None, "condition": None}],
        },
    )
    before = datetime.now(UTC)

    migrations.bring_up_to_date(engine)

    since = {row["id"]: row["granted_at"] for row in rows_of(engine, {"role_grant": ["id", "granted_at"]})["role_grant"]}
    assert since[1].replace(tzinfo=UTC) == later and since[2].replace(tzinfo=UTC) >= before.replace(microsecond=0)
    assert rows_of(engine, {"after_sales_case": ["state", "is_paid_by_bank"]})["after_sales_case"] == [
        {"state": "refunded", "is_paid_by_bank": False}
    ]
    with pytest.raises(DBAPIError, match="refunded_once"), engine.begin() as connection:
        connection.execute(text("UPDATE after_sales_case SET refund_public_id = NULL"))
    with pytest.raises(DBAPIError, match="bank_pays_for_returned_goods"), engine.begin() as connection:
        connection.execute(text("UPDATE after_sales_case SET refund_public_id = NULL, is_paid_by_bank = TRUE"))
    with pytest.raises(DBAPIError, match="spoiled_is_paid_for"), engine.begin() as connection:
        connection.execute(text("UPDATE after_sales_case SET spoiled_grams = 0"))
    for wrong in ("spoiled_pieces = 2", "pieces_of_pack = 30", "spoiled_pieces = 2, pieces_of_pack = 30, spoiled_grams = 5"):
        with pytest.raises(DBAPIError, match=r"pieces_of_packs|spoiled_is_paid_for"), engine.begin() as connection:
            connection.execute(text(f"UPDATE after_sales_case SET {wrong}"))


def test_keys_of_before_are_as_old_as_their_wish_and_unused_ones_have_no_age(at: At) -> None:
    engine = at("0033")
    then = datetime(2026, 11, 1, tzinfo=UTC)
    states = ("requested", "submitting", "unknown")
    rows = [refund(number, f"order:{state}", 100, state) for number, state in enumerate(states, start=1)]
    put_in(engine, {"attempt": SENT_AND_NOT_SENT["attempt"], "refund": rows})

    migrations.bring_up_to_date(engine)

    asked = {
        row["state"]: row["first_asked_at"] for row in rows_of(engine, {"refund": ["state", "first_asked_at"]})["refund"]
    }
    assert asked["requested"] is None
    assert asked["submitting"].replace(tzinfo=UTC) == asked["unknown"].replace(tzinfo=UTC) == then


def test_receipts_of_before_are_for_a_gift_and_pdfs_wait_for_a_second_person(at: At) -> None:
    engine = at("0034")
    then = datetime(2026, 11, 1, tzinfo=UTC)
    gift = {"id": 1, "public_id": "g", "token_hash": "t", "campaign_id": 1, "state": "received", "fen": 5, "book": "test"}
    receipt = {"id": 1, "public_id": "T2026-0000001", "series": "T2026", "sequence": 1, "contribution_id": 1, "fen": 5}
    budget = {"id": 1, "campaign_id": 1, "position": 1, "fen": 5}
    payment = {"id": 1, "public_id": "d", "campaign_id": 1, "budget_line_id": 1, "fen": 5, "requester_id": 1}
    files = {"i.pdf": False, "p.webp": True, "": False}
    seen = {"is_public": True, "overruled_by": None, "at": then, "added_by": 1, "disbursement_id": 1}
    put_in(
        engine,
        {
            **{name: LEDGER[name] for name in ("county", "station", "person", "organisation", "campaign")},
            "contribution": [gift | {"person_id": None, "anonymity": "anonymous", "message_state": ""}],
            "receipt": [receipt | {"state": "issued", "book": "test", "issued_at": then}],
            "budget_line": [budget],
            "disbursement": [payment | {"state": "paid", "approver_id": None, "book": "test"}],
            "evidence": [
                seen | {"id": number, "public_id": f"e{number}", "file_name": name, "is_picture": is_picture, "faces": faces}
                for number, (name, is_picture, faces) in enumerate(
                    [(name, is_picture, 0 if is_picture else None) for name, is_picture in files.items()], start=1
                )
            ],
        },
    )

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"receipt": [*receipt, "year_id"]})["receipt"] == [receipt | {"year_id": None}]
    shown = {row["file_name"]: row for row in rows_of(engine, {"evidence": ["file_name", "is_public", "faces"]})["evidence"]}
    assert {name: (row["is_public"], row["faces"]) for name, row in shown.items()} == {
        "i.pdf": (False, -1),
        "p.webp": (True, 0),
        "": (True, None),
    }
    with pytest.raises(DBAPIError, match="only voided"), engine.begin() as connection:
        connection.execute(text("UPDATE receipt SET fen = 6"))


def test_monthly_gifts_of_before_go_on_and_one_of_them_may_sponsor_a_student(at: At) -> None:
    engine = at("0034")
    today = date(2026, 11, 1)
    plan = {"id": 1, "public_id": "l1", "campaign_id": 1, "state": "active", "fen": 16_000, "first_on": today}
    plan |= {"anonymity": "masked", "person_id": None, "stopped_at": None, "mandate": None}
    given = {name: LEDGER[name] for name in ("county", "station", "person", "organisation", "campaign")}
    before = rows_of(engine, put_in(engine, {**given, "plan": [plan]}))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(rows[0]) for table, rows in before.items()}) == before
    place = {"id": 1, "public_id": "p1", "campaign_id": 1, "stage": "senior", "month_fen": 16_000, "published_by": 1}
    put_in(engine, {"student_place": [place | {"state": "taken", "alias_zh": "山桃 204", "student": "s"}]})
    sponsor = {"place_id": 1, "plan_id": 1, "state": "active"}
    put_in(engine, {"sponsorship": [sponsor | {"id": 1, "public_id": "s1"}]})
    with pytest.raises(DBAPIError, match=r"one_sponsor_a_place|one_place_a_plan|sponsorship\.(place|plan)_id"):
        put_in(engine, {"sponsorship": [sponsor | {"id": 2, "public_id": "s2"}]})
    again = {"id": 2, "public_id": "p2", "state": "offered", "alias_zh": "荞麦 1", "student": "s"}
    with pytest.raises(DBAPIError, match=r"one_place_a_student|student_place\.student"):
        put_in(engine, {"student_place": [place | again]})
    dates = {"starts_on": date(2026, 9, 1), "ends_on": date(2027, 1, 31), "opened_by": 1, "disbursement_id": None}
    put_in(engine, {"school_term": [dates | {"id": 1, "public_id": "t1", "place_id": 1, "state": "opened", "fen": 96_000}]})
    with pytest.raises(DBAPIError, match="a proof that somebody has seen"), engine.begin() as connection:
        connection.execute(text("UPDATE school_term SET state = 'enrolled'"))


def test_campaigns_of_before_are_on_no_platform_and_their_channel_is_locked_once_open(at: At) -> None:
    engine = at("0034")
    campaign = {**LEDGER["campaign"][0], "channel": "own_site", "state": "draft"}
    people = [{"id": 1, "public_id": "p1"}, {"id": 2, "public_id": "p2"}]
    given = {name: LEDGER[name] for name in ("county", "station", "organisation")}
    put_in(engine, {**given, "person": people, "campaign": [campaign]})

    migrations.bring_up_to_date(engine)

    columns = {"campaign": ["channel", "past_goal", "platform", "platform_url"]}
    kept = {"channel": "own_site", "past_goal": "stop", "platform": "", "platform_url": ""}
    assert rows_of(engine, columns)["campaign"] == [kept]
    with engine.begin() as connection:
        filed = "filing_number = 'x', filed_on = '2026-01-01', reviewer_id = 2, state = 'live'"
        connection.execute(text(f"UPDATE campaign SET owner_id = 1, {filed}"))
    with pytest.raises(DBAPIError, match="locked when it opens"), engine.begin() as connection:
        connection.execute(text("UPDATE campaign SET channel = 'directed'"))


def test_funds_of_before_keep_nothing_for_matches_that_wait_and_stay_within_what_was_paid_in(at: At) -> None:
    engine = at("0036")
    people = [*SHOP["person"], *({"id": number, "public_id": f"p{number}"} for number in (7, 8))]
    fund = {"id": 1, "public_id": "f1", "campaign_id": 1, "state": "active", "rate_percent": 100, "owner_id": 7}
    fund |= {"approver_id": 8, "person_id": None, "total_fen": 1000, "received_fen": 1000, "matched_fen": 400, "gone_fen": 0}
    gift = {"id": 1, "campaign_id": 1, "state": "received", "fen": 400, "person_id": None, "anonymity": "anonymous"}
    attempt = {"id": 1, "public_id": "a1", "purpose": "contribution", "reference": "g1", "fen": 400, "state": "succeeded"}
    shop = {name: LEDGER[name] for name in ("county", "station", "organisation")}
    rows = {
        **shop,
        "person": people,
        "campaign": LEDGER["campaign"],
        "matching_fund": [fund],
        "contribution": [gift],
        "attempt": [attempt],
    }
    before = rows_of(engine, put_in(engine, rows))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(rows[0]) for table, rows in before.items()}) == before
    new = {"held_fen": 0, "continues_id": None}
    assert rows_of(engine, {"matching_fund": list(new)})["matching_fund"] == [new]
    assert rows_of(engine, {"attempt": ["payer"]})["attempt"] == [{"payer": ""}]
    with pytest.raises(DBAPIError, match="no_more_than_is_there"), engine.begin() as connection:
        connection.execute(text("UPDATE matching_fund SET held_fen = 601"))
    held = {"id": 1, "public_id": "h1", "fund_id": 1, "contribution_id": 1, "state": "held", "fen": 100_000}
    held |= {"released_fen": 0, "proposer_id": None, "decider_id": None, "decided_at": None, "proposal": ""}
    put_in(engine, {"held_match": [held]})
    with pytest.raises(DBAPIError, match="large_by_two_people"), engine.begin() as connection:
        connection.execute(text("UPDATE held_match SET state = 'denied', decider_id = 7"))
    with pytest.raises(DBAPIError, match="two_people"), engine.begin() as connection:
        connection.execute(text("UPDATE held_match SET proposer_id = 7, decider_id = 7"))
    with pytest.raises(DBAPIError, match="decided_by_somebody"), engine.begin() as connection:
        connection.execute(text("UPDATE held_match SET state = 'released'"))


def test_what_was_sealed_before_is_no_news_to_partners_machines(at: At) -> None:
    engine = at("0034")
    put_in(engine, {**LEDGER, "campaign": [LEDGER["campaign"][0] | {"past_goal": "stretch"}]})

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"ledger_told": ["id", "number"]})["ledger_told"] == [{"id": 1, "number": 4}]
    assert rows_of(engine, {"giving_import": ["id"]})["giving_import"] == []


def test_where_nothing_was_sealed_nothing_was_told(at: At) -> None:
    engine = at("0034")

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"ledger_told": ["id", "number"]})["ledger_told"] == []


def test_organisations_of_before_stay_and_the_next_word_about_them_wants_two(at: At) -> None:
    engine = at("0040")
    people = [{"id": 7, "public_id": "p7"}, {"id": 8, "public_id": "p8"}]
    before = rows_of(engine, put_in(engine, {"organisation": LEDGER["organisation"], "person": people}))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(rows[0]) for table, rows in before.items()}) == before
    assert rows_of(engine, {"organisation_entry": ["code"]})["organisation_entry"] == []
    entry = {"id": 1, "code": "f", "state": "written", "writer_id": 7, "decider_id": None, "decided_at": None}
    put_in(engine, {"organisation_entry": [entry | LEDGER["organisation"][0]]})
    for wrong, rule in (("decider_id = 7", "two_people"), ("decider_id = 8", "decided_by_somebody")):
        decided = "decided_at = written_at, " if rule == "two_people" else ""
        with pytest.raises(DBAPIError, match=f"{rule}|decided"), engine.begin() as connection:
            connection.execute(text(f"UPDATE organisation_entry SET state = 'confirmed', {decided}{wrong}"))
    with pytest.raises(DBAPIError, match="is written once"), engine.begin() as connection:
        connection.execute(text("UPDATE organisation_entry SET certificate_until = '2098-01-01'"))


def test_roles_of_before_stay_and_the_next_word_about_an_officer_wants_two(at: At) -> None:
    engine = at("0042")
    people = [{"id": number, "public_id": f"p{number}"} for number in (7, 8, 9)]
    role = {"id": 1, "person_id": 9, "role": "charity_officer", "scope_kind": "organisation", "scope_id": "f"}
    rows = {"organisation": LEDGER["organisation"], "person": people, "role_grant": [role]}
    before = rows_of(engine, put_in(engine, rows))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(known[0]) for table, known in before.items()}) == before
    entry = {"id": 1, "public_id": "e1", "state": "written", "person_id": 9, "role": "charity_approver", "is_given": True}
    entry |= {"organisation_code": LEDGER["organisation"][0]["code"], "writer_id": 7, "decider_id": None, "decided_at": None}
    put_in(engine, {"officer_entry": [entry]})
    for wrong in ("decider_id = 7, decided_at = written_at", "decider_id = 9, decided_at = written_at", "decider_id = 8"):
        with pytest.raises(DBAPIError, match=r"two_people|nobody_themselves|decided"), engine.begin() as connection:
            connection.execute(text(f"UPDATE officer_entry SET state = 'confirmed', {wrong}"))
    with pytest.raises(DBAPIError, match="is written once"), engine.begin() as connection:
        connection.execute(text("UPDATE officer_entry SET role = 'charity_officer'"))


def test_an_invoice_that_was_rejected_before_may_be_asked_for_again(at: At) -> None:
    engine = at("0040")
    bill = {"campaign_id": 1, "budget_line_id": 1, "fen": 5, "requester_id": 1, "approver_id": None, "book": "test"}
    bill |= {"provider_credit_code": "C", "invoice_number": "I"}
    rows = {name: LEDGER[name] for name in ("county", "station", "person", "organisation", "campaign")}
    rows |= {"budget_line": [{"id": 1, "campaign_id": 1, "position": 1, "fen": 5}]}
    rows |= {"disbursement": [bill | {"id": 1, "public_id": "d1", "state": "rejected"}]}
    before = rows_of(engine, put_in(engine, rows))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(known[0]) for table, known in before.items()}) == before
    put_in(engine, {"disbursement": [bill | {"id": 2, "public_id": "d2", "state": "requested"}]})
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("UPDATE disbursement SET state = 'requested' WHERE id = 1"))


def test_quality_of_before_is_forgotten_and_counted_anew_with_its_causes(at: At) -> None:
    engine = at("0042")
    old = {"delivered_lately": 20, "refunded_lately": 2, "delivered": 20, "refunded": 2}
    put_in(engine, {"quality_count": [{"owner_kind": "seller", "owner": "s", **old}]})

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"quality_count": ["owner"]})["quality_count"] == []
    causes = dict.fromkeys(("on_station", "on_province", "not_sent", "called_off", "replaced", "lighter", "spoiled"), 0)
    new = {"owner_kind": "seller", "owner": "s", "sold_lately": 20, "refunded_lately": 2, "sold": 20, "refunded": 2}
    with pytest.raises(DBAPIError):
        put_in(engine, {"quality_count": [{**new, **causes, "on_seller": 1}]})
    put_in(engine, {"quality_count": [{**new, **causes, "on_seller": 2}]})


def test_quality_of_before_knows_nothing_that_was_bad_in_part(at: At) -> None:
    engine = at("0053")
    causes = dict.fromkeys(("on_station", "on_province", "not_sent", "called_off", "replaced", "lighter"), 0)
    row = {"owner_kind": "seller", "owner": "s", "sold_lately": 20, "refunded_lately": 2, "sold": 20, "refunded": 2}
    put_in(engine, {"quality_count": [{**row, **causes, "on_seller": 2}]})

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {"quality_count": ["owner", "on_seller", "spoiled"]})["quality_count"] == [
        {"owner": "s", "on_seller": 2, "spoiled": 0}
    ]
    with pytest.raises(DBAPIError, match="each_has_a_cause"), engine.begin() as connection:
        connection.execute(text("UPDATE quality_count SET spoiled = 1"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE quality_count SET on_seller = 1, spoiled = 1"))


def test_rows_of_the_public_ledger_are_what_they_were_and_one_may_say_what_came_back(at: At) -> None:
    engine = at("0045")
    put_in(engine, {name: rows for name, rows in LEDGER.items() if name != "ledger_day"})
    columns = {"public_row": ["id", "kind", "fen", "reference"], "sealed_row": ["number", "row_id", "kind"]}
    before = rows_of(engine, columns)

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, columns) == before
    back = {"id": 5, "campaign_id": 1, "reference": "repaid:x", "book": "test", "kind": "repayment"}
    with pytest.raises(DBAPIError):
        put_in(engine, {"public_row": [back | {"fen": -1}]})
    put_in(engine, {"public_row": [back | {"fen": 1}]})
    kinds = rows_of(engine, {"public_row": ["id", "kind", "fen"]})["public_row"]
    assert kinds[-1] == {"id": 5, "kind": "repayment", "fen": 1}


def test_what_came_back_before_corrections_stays_let_in_and_its_bank_reference_is_taken(at: At) -> None:
    engine = at("0049")
    back = {"disbursement_id": 1, "fen": 10, "bank_reference": "HUI-1", "received_on": date(2026, 10, 1), "why_zh": "多付"}
    back |= {
        "sha256": "ab",
        "file_name": "a.pdf",
        "officer_id": 1,
        "entered_at": datetime(2026, 10, 2, tzinfo=UTC),
        "refused_why": "",
    }
    paid = {"id": 1, "campaign_id": 1, "budget_line_id": 1, "requester_id": 1, "state": "paid"}
    whose = {name: rows for name, rows in LEDGER.items() if name not in {"public_row", "sealed_row", "ledger_day"}}
    whose["budget_line"] = [{"id": 1, "campaign_id": 1}]
    put_in(engine, {**whose, "disbursement": [paid], "repayment": [{**back, "id": 1, "public_id": "r1"}]})

    migrations.bring_up_to_date(engine)

    columns = ["public_id", "fen", "corrected_at"]
    assert rows_of(engine, {"repayment": columns})["repayment"] == [{"public_id": "r1", "fen": 10, "corrected_at": None}]
    with pytest.raises(DBAPIError):
        put_in(engine, {"repayment": [{**back, "id": 2, "public_id": "r2"}]})
    row = {"id": 5, "campaign_id": 1, "reference": "repaid_undone:x", "book": "test", "kind": "correction"}
    with pytest.raises(DBAPIError):
        put_in(engine, {"public_row": [row | {"fen": 1}]})
    put_in(engine, {"public_row": [row | {"fen": -1}]})


def test_bills_of_before_were_credited_without_discounts(at: At) -> None:
    engine = at("0045")
    line = {"id": 1, "public_id": "l1", "parcel_id": 1, "quantity": 1, "unit_price_fen": 3980, "unit_service_fee_fen": 318}
    off = {"seller_discount_fen": 0, "platform_discount_fen": 0, "shipping_discount_fen": 0}
    parcel = {"id": 1, "order_id": 1, "state": "delivered", "delivery": "courier", "discount_fen": 0}
    order: dict[str, Any] = {
        "id": 1,
        "number": "SX-1",
        "state": "placed_on_account",
        "province_code": "140000",
        "total_fen": 3980,
    }
    order |= {"goods_fen": 3980, "shipping_fen": 0, "discount_fen": 0, "buyer_id": None, "backing": None}
    none = {"received_quantity": 0, "missing_quantity": 0, "replaced_quantity": 0}
    credit = {"public_id": "c1", "order_line_id": 1, "goods_fen": 3980, "service_fee_fen": 318, "shipping_fen": 0}
    rows: dict[str, list[dict[str, Any]]] = {name: SHOP[name] for name in ("county", "station")}
    rows["province"] = [{"code": "140000"}]
    rows |= {"order": [order], "parcel": [parcel | {"goods_fen": 3980, "service_fee_fen": 318, "shipping_fen": 0}]}
    rows |= {"order_line": [{**line, **off, "shipping_fen": 0, "refunded_quantity": 1, **none}], "bill_credit": [credit]}
    before = rows_of(engine, put_in(engine, rows))

    migrations.bring_up_to_date(engine)

    assert rows_of(engine, {table: list(known[0]) for table, known in before.items()}) == before
    assert rows_of(engine, {"bill_credit": list(off)})["bill_credit"] == [off]
    for wrong in ({"platform_discount_fen": 3981}, {"shipping_discount_fen": 1}, {"seller_discount_fen": -1}):
        with pytest.raises(DBAPIError, match="discount_within_goods"):
            put_in(engine, {"bill_credit": [credit | off | {"public_id": "c2", "reason_key": "k"} | wrong]})
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("UPDATE bill_credit SET platform_discount_fen = 1"))
    checked = {
        "id": 1,
        "public_id": "g1",
        "parcel_id": 1,
        "state": "accepted",
        "ended_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    put_in(engine, {"goods_check": [checked]})
    for position in (0, 7):
        with pytest.raises(DBAPIError, match="few"):
            put_in(engine, {"goods_check_picture": [{"id": 1, "public_id": "i1", "check_id": 1, "position": position}]})


def test_what_waited_for_ever_is_looked_at_again(at: At) -> None:
    """A packed parcel of a presale that is over, and what an appeal brought to a campaign that is; nothing else."""
    engine = at("0047")
    presales = [{"id": 1, "public_id": "over", "state": "defaulted"}, {"id": 2, "public_id": "open", "state": "delivering"}]
    figures = {"goal_fen": 1, "area_tenths": 1, "yield_kg": 1, "cap_grams": 100, "taken_grams": 0, "start_percent": 0}
    days = {"closes_on": date(2026, 9, 1), "harvest_on": date(2026, 10, 1), "grace_days": 7, "reviewer_id": 2}
    whose = {"listing_id": 1, "seller_id": 1, "station_code": "140430"}
    tier = {"packs": 1, "grams": 1, "unit_price_fen": 1, "unit_service_fee_fen": 0, "shipping_fen": 0, "most": 3, "taken": 1}
    rows: dict[str, list[dict[str, Any]]] = {name: SHOP[name] for name in ("county", "station", "category", "person")}
    rows["person"] = [*SHOP["person"], {"id": 2, "public_id": "p2", "name": "李强"}]
    rows |= {"listing": SHOP["listing"], "province": [{"code": "140000"}]}
    rows["presale"] = [each | figures | days | whose for each in presales]
    rows["presale_tier"] = [{"id": number, "public_id": f"t{number}", "presale_id": number, **tier} for number in (1, 2)]
    places = [(1, 1, "packed"), (2, 1, "shipped"), (3, 2, "packed")]
    rows["order"] = [
        {"id": number, "number": f"SX-{number}", "state": "paid", "province_code": "140000", "total_fen": 1, "goods_fen": 1}
        | {"shipping_fen": 0, "discount_fen": 0, "buyer_id": None, "backing": f"b{number}"}
        for number, _presale, _state in places
    ]
    rows["parcel"] = [
        {"id": number, "public_id": f"p{number}", "order_id": number, "state": state, "delivery": "courier", "number": 1}
        | {"discount_fen": 0, "goods_fen": 1, "service_fee_fen": 0, "shipping_fen": 0}
        for number, _presale, state in places
    ]
    rows["backing"] = [
        {"id": number, "public_id": f"b{number}", "token_hash": f"t{number}", "presale_id": presale, "tier_id": presale}
        | {
            "state": "ordered",
            "order_number": f"SX-{number}",
            "fen": 1,
            "start_fen": 0,
            "answered_at": None,
            "person_id": None,
        }
        for number, presale, _state in places
    ]
    rows["organisation"] = LEDGER["organisation"]
    opened = {"reviewer_id": 2, "filing_number": "晋1", "filed_on": date(2026, 1, 1), "starts_on": date(2026, 2, 1)}
    opened |= {"opened_at": datetime(2026, 2, 1, tzinfo=UTC), "ends_on": date(2026, 3, 1)}
    rows["campaign"] = [
        LEDGER["campaign"][0] | {"id": number, "public_id": f"c{number}", "state": state} | opened
        for number, state in enumerate(["closed", "live"], start=1)
    ]
    rows["contribution"] = [
        {"id": number, "public_id": f"g{number}", "campaign_id": number, "state": "received", "fen": 5, "person_id": None}
        | {"anonymity": "masked", "message_state": "shown", "token_hash": f"g{number}"}
        for number in (1, 2)
    ]
    rows["entry"] = [
        {"id": number, "key": f"dispute_appealed:{number}", "kind": "dispute_appealed", "reference": f"g{number}"}
        for number in (1, 2)
    ]
    rows["ledger_account"] = SHOP["ledger_account"]
    rows["line"] = [
        {"id": 2 * number + side, "entry_id": number, "account_id": 1 + side, "amount": 5 - 10 * side}
        for number in (1, 2)
        for side in (0, 1)
    ]
    put_in(engine, {name: rows[name] for name in rows if name not in {"entry", "line"}})
    put_in(engine, {"line": rows["line"], "entry": rows["entry"]})

    migrations.bring_up_to_date(engine)

    waiting = rows_of(engine, {"outbox": ["topic", "payload", "is_done"]})["outbox"]
    assert [(row["topic"], row["payload"], row["is_done"]) for row in waiting] == [
        ("backing.returns", {"backing_id": "b1"}, False),
        ("gift.regained", {"gift": "g1"}, False),
    ]


def test_parcels_that_have_not_left_know_when_they_must(at: At) -> None:
    engine = at("0049")
    order: dict[str, Any] = {"id": 1, "number": "SX-1", "province_code": "110000", "goods_fen": 1, "shipping_fen": 0}
    order |= {"total_fen": 1, "discount_fen": 0, "buyer_id": None}
    states = {1: ("courier", "packed"), 2: ("pickup", "packed"), 3: ("courier", "delivered"), 4: ("courier", "accepted")}
    common = {"order_id": 1, "promised_by": date(2026, 11, 5), "goods_fen": 0, "service_fee_fen": 0, "discount_fen": 0}
    parcels = [
        common
        | {"id": each, "public_id": f"p{each}", "number": each, "delivery": delivery, "state": state}
        | {"net_weight_grams": 9000 if each == 4 else 2000}
        for each, (delivery, state) in states.items()
    ]
    rates = [
        {"id": number, "zone": "north", "up_to_grams": grams, "days": days, "valid_from": date(2026, month, 1)}
        for number, (grams, days, month) in enumerate([(3000, 9, 1), (3000, 2, 10), (10000, 4, 10)], start=1)
    ]
    province = [{"code": "110000", "zone": "north"}]
    rows: dict[str, list[dict[str, Any]]] = {
        "province": province,
        "shipping_rate": rates,
        "order": [order],
        "parcel": parcels,
    }
    put_in(engine, {name: SHOP[name] for name in ("county", "station")} | rows)

    migrations.bring_up_to_date(engine)

    days = {row["id"]: row["leave_by"].day for row in rows_of(engine, {"parcel": ["id", "leave_by"]})["parcel"]}
    assert days == {1: 3, 2: 5, 3: 5, 4: 1}


def test_what_waited_beside_its_own_loss_lessens_it(at: At) -> None:
    """Paid twice, asked back, taken by the payer's bank, and the refund failed: 3980 waited, and 1000 were lost."""
    engine = at("0052")
    accounts = ["gateway_clearing", "suspense", "chargeback_loss", "refund_in_transit", "dispute_receivable"]
    moved = {
        "surplus:a1": (0, 1, 3980),
        "refund:r1": (1, 3, 3980),
        "dispute_lost:d1": (2, 4, 1000),
        "refund_failed:r1": (3, 1, 3980),
        "surplus:a2": (0, 1, 500),  # another, that no bank asked for
    }
    entries = [
        {"id": str(number), "key": key, "kind": key.partition(":")[0], "reference": "SX-1", "book": "test"}
        for number, key in enumerate(moved, start=1)
    ]
    lines = [
        {
            "id": 90 + 2 * number + side,
            "entry_id": str(number),
            "account_id": account,
            "amount": sign * fen,
            "commodity": "CNY",
        }
        for number, (debit, credit, fen) in enumerate(moved.values(), start=1)
        for side, (account, sign) in enumerate(((debit + 1, 1), (credit + 1, -1)))
    ]
    paid = {"fen": 3980, "state": "succeeded", "currency": "CNY", "book": "test", "reference": "SX-1", "is_surplus": True}
    back = {"attempt_id": 1, "fen": 3980, "currency": "CNY", "reason_key": "surplus", "remote_payment": None}
    lost = {"attempt_id": 1, "fen": 1000, "fee_fen": 0, "currency": "CNY", "state": "lost"}
    put_in(
        engine,
        {
            "ledger_account": [
                {"id": number, "kind": kind, "owner": "", "book": "test"} for number, kind in enumerate(accounts, start=1)
            ],
            "attempt": [paid | {"id": number, "public_id": f"a{number}"} for number in (1, 2)],
            "refund": [back | {"id": 1, "public_id": "r1", "state": "failed"}],
            "dispute": [lost | {"id": 1, "public_id": "d1"}],
        },
    )
    put_in(engine, {"line": lines, "entry": entries})

    migrations.bring_up_to_date(engine)

    made = [row for row in rows_of(engine, {"entry": ["id", "key", "kind"]})["entry"] if row["kind"] == "dispute_kept"]
    assert [row["key"] for row in made] == ["dispute_kept:r1"]
    of_it = rows_of(engine, {"line": ["entry_id", "account_id", "amount"]})["line"]
    assert {row["account_id"]: row["amount"] for row in of_it if row["entry_id"] == made[0]["id"]} == {2: 1000, 3: -1000}
