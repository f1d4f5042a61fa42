"""The independent reader of edits, papers and farmers' words: silent where all is well, naming what is not."""

import pytest
from flask import Flask

from listings.models import Certificate
from tests.auditing.test_giving import named
from tests.listings.selling import House, build, edits, fresh
from tests.listings.test_consenting import finished, review
from tests.listings.test_offering import post
from tests.listings.test_packs import PAPER

EDIT = "(SELECT MIN(id) FROM listing_revision WHERE state = 'accepted')"
SENT_BACK = "(SELECT MIN(id) FROM listing_revision WHERE state = 'rejected')"
BY_CLERK = "(SELECT 'listing:' || l.code FROM listing l JOIN listing_consent c ON c.listing_id = l.id)"
TAMPERING = (
    ("one edit waits at a time", "DROP INDEX one_waiting_revision; UPDATE listing_revision SET state = 'submitted'"),
    ("edits are accepted by another", f"UPDATE listing_revision SET reviewer_id = author_id WHERE id = {EDIT}"),
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
