"""What must be true of edits, of papers, and of what stations list for farmers."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection

from marketplace.auditing.checks import Check, Difference, read

IN_THE_SHOP: Final = "accepted edits are in the shop"
COLUMNS: Final = (
    *("title_zh", "title_en", "story_zh", "story_en", "origin_village_zh"),
    *("harvest_months", "shelf_life_days", "storage_zh"),
)
ALONE: Final = "reviewed by the clerk who wrote it: nobody else works here"

EDITS: Final = (
    Check(
        "one edit waits at a time",
        """SELECT l.code AS name, COUNT(*) AS amount FROM listing_revision r JOIN listing l ON l.id = r.listing_id
        WHERE r.state = 'submitted' GROUP BY l.code HAVING COUNT(*) > 1""",
        "{name}: {amount} edits wait",
    ),
    Check(
        "edits are accepted by another",
        f"""SELECT l.code AS name, r.public_id AS edit FROM listing_revision r JOIN listing l ON l.id = r.listing_id
        LEFT JOIN event e ON e.subject = 'listing_revision:' || r.public_id AND e.to_state = 'accepted' AND e.why = '{ALONE}'
        WHERE r.state = 'accepted' AND (r.reviewer_id IS NULL OR r.decided_at IS NULL OR r.reviewer_id = l.seller_id
        OR (e.id IS NULL AND (r.reviewer_id = r.author_id
        OR EXISTS (SELECT 1 FROM event w WHERE w.subject = 'listing_revision:' || r.public_id AND w.from_state = ''
            AND w.actor = 'person:' || r.reviewer_id)
        OR EXISTS (SELECT 1 FROM audit_record a WHERE a.subject = 'listing_revision:' || r.public_id
            AND a.action = 'edit.changed' AND a.actor = 'person:' || r.reviewer_id))))""",
        "{name}: the edit {edit} was accepted by who wrote of it, or by nobody",
    ),
    Check(
        "edits that were sent back say why",
        """SELECT l.code AS name, r.public_id AS edit FROM listing_revision r JOIN listing l ON l.id = r.listing_id
        WHERE r.state = 'rejected' AND (r.reviewer_id IS NULL) <> (r.reason = '')""",
        "{name}: the edit {edit} was sent back without a reason, or by nobody for one",
    ),
    Check(
        "papers are verified by somebody",
        """SELECT l.code AS name, c.name_zh AS paper FROM certificate c JOIN listing l ON l.id = c.listing_id
        WHERE c.status = 'verified' AND NOT c.is_demo
        AND (c.verified_by IS NULL OR c.verified_at IS NULL OR c.verified_by = l.seller_id)""",
        "{name}: nobody but its seller has seen the paper {paper}",
    ),
)

CONSENTS: Final = (
    Check(
        "stations list by a farmer's word",
        """SELECT l.code AS name, e.actor AS actor FROM listing l
        JOIN event e ON e.subject = 'listing:' || l.code AND e.from_state = ''
        LEFT JOIN listing_consent c ON c.listing_id = l.id AND c.seller_id = l.seller_id
        AND e.actor = 'person:' || c.clerk_id
        WHERE e.actor LIKE 'person:%' AND e.actor <> 'person:' || l.seller_id AND c.listing_id IS NULL""",
        "{name} was begun by {actor} without the farmer's word",
    ),
    Check(
        "nothing is listed against a farmer's word",
        """SELECT l.code AS name, e.to_state AS state FROM listing_consent c JOIN listing l ON l.id = c.listing_id
        JOIN event e ON e.subject = 'listing:' || l.code AND e.actor = 'person:' || c.clerk_id
        WHERE e.at > c.withdrawn_at AND e.to_state IN ('draft', 'submitted', 'published', 'archived')""",
        "{name} was {state} by its clerk after the farmer had objected",
    ),
    Check(
        "clerks do not review what they wrote",
        f"""SELECT l.code AS name FROM listing_consent c JOIN listing l ON l.id = c.listing_id
        JOIN listing_review r ON r.listing_id = l.id AND r.is_accepted AND r.reviewer_id = c.clerk_id
        LEFT JOIN event e ON e.subject = 'listing:' || l.code AND e.to_state = 'published' AND e.why = '{ALONE}'
        WHERE e.id IS NULL""",
        "{name} was let in by the clerk who wrote it, though others work there",
    ),
)


def differences(connection: Connection) -> Iterator[Difference | str]:
    """The columns of each listing are as the latest accepted edit of each left them: a listing in memory at a time."""
    yield IN_THE_SHOP
    columns = ", ".join(f"l.{name}" for name in COLUMNS)
    edits = f"""SELECT l.id, l.code, {columns}, r.after FROM listing_revision r JOIN listing l ON l.id = r.listing_id
        WHERE r.state = 'accepted' ORDER BY l.id, r.decided_at, r.id"""
    for _listing, rows in groupby(read(connection, edits), key=lambda row: row.id):
        accepted: dict[str, Any] = {}
        for row in rows:
            accepted |= plain(row.after)
        for name in COLUMNS:
            now = plain(getattr(row, name)) if name == "harvest_months" else getattr(row, name)
            if name in accepted and now != accepted[name]:
                yield Difference(IN_THE_SHOP, f"{row.code}: {name} is not what the station accepted last")


def plain(value: Any) -> Any:
    """SQLite gives JSON as text, PostgreSQL what it says."""
    return json.loads(value) if isinstance(value, str) else value
