"""The sandbox cashier's own records beside ours: two databases that are never joined, read side by side in pages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from marketplace.auditing.checks import PAGE, Difference, moment, read
from marketplace.core import clock
from marketplace.core.records import record

Side = Row[Any] | None
CHECK: Final = "the cashier and the books agree"
ON_THE_WAY: Final = timedelta(minutes=10)  # what the cashier has decided since may not have reached us yet


PAID_HERE: Final = "NOT EXISTS (SELECT 1 FROM giving_import i WHERE attempt.created_at < i.begun_at)"
"""What came with another house's giving was paid at that house's cashier; this one had taken nothing before."""


@record
class Facing:
    """The same thing on both sides. Both statements give (id, fen, state), from an id on, a page at a time."""

    what: str
    theirs: str
    ours: str
    received: frozenset[str]  # states of ours that answer to `succeeded` of theirs


FACING: Final = (
    Facing(
        "attempt",
        "SELECT attempt AS id, amount AS fen, status AS state, decided_at AS at FROM {schema}payment",
        # LIKE: with = SQLite takes the index of gateways, and sorts all of them again for each page
        f"SELECT public_id AS id, fen AS fen, state AS state FROM attempt WHERE gateway LIKE 'sandbox' AND {PAID_HERE}",
        frozenset({"succeeded", "quarantine"}),
    ),
    Facing(
        "refund",
        "SELECT refund AS id, amount AS fen, status AS state, due_at AS at FROM {schema}refund",
        """SELECT refund.public_id AS id, refund.fen AS fen, refund.state AS state FROM refund
        JOIN attempt ON attempt.id = refund.attempt_id
        WHERE attempt.gateway = 'sandbox' AND refund.reason_key NOT LIKE 'elsewhere:%' AND """
        + PAID_HERE,
        frozenset({"succeeded"}),
    ),
    Facing(
        "refund that was made there",
        "SELECT id, amount AS fen, status AS state, due_at AS at FROM {schema}refund WHERE refund = ''",
        """SELECT refund.remote_id AS id, refund.fen AS fen, refund.state AS state FROM refund
        JOIN attempt ON attempt.id = refund.attempt_id
        WHERE attempt.gateway = 'sandbox' AND refund.reason_key LIKE 'elsewhere:%' AND """
        + PAID_HERE,
        frozenset({"succeeded"}),
    ),
    Facing(
        "transfer",
        "SELECT transfer AS id, amount AS fen, 'succeeded' AS state, at FROM {schema}transfer",
        """SELECT transfer.public_id AS id, transfer.fen AS fen, transfer.state AS state FROM transfer
        JOIN gateway_payee ON gateway_payee.id = transfer.payee_id WHERE gateway_payee.gateway = 'sandbox'""",
        frozenset({"succeeded"}),
    ),
    Facing(
        "reversal",
        "SELECT reversal AS id, amount AS fen, 'succeeded' AS state, at FROM {schema}reversal",
        """SELECT r.public_id AS id, r.fen AS fen, r.state AS state FROM transfer_reversal r
        JOIN transfer ON transfer.id = r.transfer_id JOIN gateway_payee ON gateway_payee.id = transfer.payee_id
        WHERE gateway_payee.gateway = 'sandbox'""",
        frozenset({"succeeded"}),
    ),
)


def differences(connection: Connection, cashier: Connection) -> Iterator[Difference | str]:
    schema = "sandbox." if cashier.dialect.name == "postgresql" else ""
    for facing in FACING:
        yield f"{CHECK}: {facing.what}s"
        for there, here in side_by_side(cashier, facing.theirs.format(schema=schema), connection, facing.ours):
            yield from (Difference(CHECK, f"{facing.what} {words}") for words in apart(facing, there, here))


def apart(facing: Facing, there: Side, here: Side) -> Iterator[str]:
    """How what they have and what we have of one thing do not go together; of what moves just now, nothing is said."""
    if here is not None and here.state == "succeeded" and (there is None or there.state != "succeeded"):
        yield f"{here.id} of {here.fen} fen counts as succeeded, but not at the cashier"
    if there is None or there.state != "succeeded" or is_recent(there.at):
        return
    if here is None:
        yield f"{there.id} of {there.fen} fen succeeded, we know nothing of it"
    elif here.state not in facing.received:
        yield f"{there.id} of {there.fen} fen succeeded, for us it is {here.state}"
    elif here.state == "succeeded" and here.fen != there.fen:
        yield f"{there.id} is {there.fen} fen there, {here.fen} here"


def side_by_side(cashier: Connection, theirs: str, connection: Connection, ours: str) -> Iterator[tuple[Side, Side]]:
    """Each id once: what they have of it and what we have. Both statements give an `id` first, which is text.

    A page of theirs is in memory at a time, and read beside it what we have up to its last id: both sides have the same
    kind of database, and its order."""
    page_of_theirs = text(f"SELECT * FROM ({theirs}) t WHERE id > :after ORDER BY id LIMIT {PAGE}")
    after = ""
    while page := {row.id: row for row in cashier.execute(page_of_theirs, {"after": after})}:
        until = next(reversed(page))
        beside = f"SELECT * FROM ({ours}) t WHERE id > :after AND id <= :until"
        for row in read(connection, beside, after=after, until=until):
            yield page.pop(row.id, None), row
        yield from ((row, None) for row in page.values())
        after = until
    yield from ((None, row) for row in read(connection, f"SELECT * FROM ({ours}) t WHERE id > :after", after=after))


def is_recent(at: datetime | str | None) -> bool:
    return at is not None and clock.now() - moment(at) < ON_THE_WAY
