"""The independent reader of edits, papers and farmers' words: silent where all is well, naming what is not."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import Connection

from listings.models import Certificate
from marketplace.auditing import editing
from marketplace.auditing.checks import Difference
from tests.auditing.test_giving import named
from tests.listings.selling import House, build, edits, fresh
from tests.listings.test_consenting import finished, review
from tests.listings.test_offering import post
from tests.listings.test_packs import PAPER

EDIT = "(SELECT MIN(id) FROM listing_revision WHERE state = 'accepted')"
SENT_BACK = "(SELECT MIN(id) FROM listing_revision WHERE state = 'rejected')"
REVIEWER = f"(SELECT 'person:' || reviewer_id FROM listing_revision WHERE id = {EDIT})"
BEGUN = "subject LIKE 'listing_revision:%' AND from_state = ''"
EDITED = f"(SELECT 'listing_revision:' || public_id FROM listing_revision WHERE id = {EDIT})"
CHANGED_BY_REVIEWER = f"""INSERT INTO audit_record (at, actor, action, subject, why, detail)
    VALUES (CURRENT_TIMESTAMP, {REVIEWER}, 'edit.changed', {EDITED}, '', '{{}}')"""
TAMPERING = (
    ("one edit waits at a time", "DROP INDEX one_waiting_revision; UPDATE listing_revision SET state = 'submitted'"),
    ("edits are accepted by another", f"UPDATE listing_revision SET reviewer_id = author_id WHERE id = {EDIT}"),
    ("edits are accepted by another", f"UPDATE event SET actor = {REVIEWER} WHERE {BEGUN}"),
    ("edits are accepted by another", f"UPDATE event SET subject = '' WHERE {BEGUN}; {CHANGED_BY_REVIEWER}"),
    ("edits that were sent back say why", f"UPDATE listing_revision SET reason = '' WHERE id = {SENT_BACK}"),
    ("edits that were sent back say why", f"UPDATE listing_revision SET reviewer_id = NULL WHERE id = {SENT_BACK}"),
    ("papers are verified by somebody", "UPDATE certificate SET verified_by = NULL"),
    ("stations list by a farmer's word", "DELETE FROM listing_consent"),
    ("nothing is listed against a farmer's word", "UPDATE listing_consent SET withdrawn_at = '2026-01-01 00:00:00+00:00'"),
    (
        "clerks do not review what they wrote",
        "UPDATE listing_review SET reviewer_id = (SELECT clerk_id FROM listing_consent)",
    ),
    ("accepted edits are in the shop", "UPDATE listing SET title_zh = 'something else'"),
    ("accepted edits are in the shop", "UPDATE listing SET harvest_months = '[1]'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'listing_revision:%'"),
)


@pytest.fixture
def house(real_app: Flask) -> House:
    return build(real_app)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(house: House) -> None:
    """Two accepted edits, one sent back, one that waits, a verified paper, and what a clerk listed for the farmer."""
    house.edit(title="沁州黄 甲", months=["9"])
    house.decide(house.clerk)
    post(house.seller, f"/seller/listings/{house.millet}/certificates", PAPER)
    house.decide(house.clerk)
    post(house.clerk, f"/station/listings/{house.millet}/papers", {"papers": [str(fresh(Certificate)[0].id)]})
    house.edit(title="最好的小米")
    house.decide(house.clerk, "reject", reason="不能说最好")
    house.edit(title="沁州黄 乙")
    assert len(edits()) == 4
    review(house.colleague, finished(house))

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


def test_edits_are_read_a_listing_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many were accepted: what the latest of each column says counts, and no other listing is waited for."""
    taken = []

    def read(_connection: object, _sql: str) -> Iterator[SimpleNamespace]:
        shop = dict.fromkeys(editing.COLUMNS, "") | {"title_zh": "甲", "harvest_months": "[9]"}
        for number, after in enumerate(({"title_zh": "乙"}, {"harvest_months": [9]}, {"title_zh": "甲"})):
            for code in (1, 2, 3) if number == 0 else (4,):
                taken.append(code)
                yield SimpleNamespace(id=code, code=f"G{code}", after=json.dumps(after), **shop)

    monkeypatch.setattr(editing, "read", read)
    found = editing.differences(cast(Connection, None))
    assert next(found) == editing.IN_THE_SHOP
    assert next(found) == Difference(editing.IN_THE_SHOP, "G1: title_zh is not what the station accepted last")
    assert taken == [1, 2]
    assert [each.words[:2] for each in found if isinstance(each, Difference)] == ["G2", "G3"]
