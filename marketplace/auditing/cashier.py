"""The sandbox cashier's own records beside ours: two databases that are never joined, read side by side in pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping, text

from marketplace.auditing.checks import PAGE, Difference, moment
from marketplace.core import clock

CHECK: Final = "the cashier and the books agree"
ON_THE_WAY: Final = timedelta(minutes=10)  # what the cashier has decided since may not have reached us yet


@dataclass(frozen=True)
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
        "SELECT public_id AS id, fen AS fen, state AS state FROM attempt WHERE gateway LIKE 'sandbox'",
        frozenset({"succeeded", "quarantine"}),
    ),
    Facing(
        "refund",
        "SELECT refund AS id, amount AS fen, status AS state, due_at AS at FROM {schema}refund",
        """SELECT refund.public_id AS id, refund.fen AS fen, refund.state AS state FROM refund
        JOIN attempt ON attempt.id = refund.attempt_id WHERE attempt.gateway = 'sandbox'""",
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
        theirs, ours = facing.theirs.format(schema=schema), facing.ours
        for page in pages(cashier, theirs):
            known = by_id(connection, ours, list(page))
            yield from (Difference(CHECK, words) for words in unknown_to_us(facing, page, known))
        for page in pages(connection, ours):
            known = by_id(cashier, theirs, [id_ for id_, row in page.items() if row["state"] == "succeeded"])
            yield from (Difference(CHECK, words) for words in unknown_to_them(facing, page, known))


def unknown_to_us(facing: Facing, page: dict[str, RowMapping], ours: dict[str, RowMapping]) -> Iterator[str]:
    for id_, row in page.items():
        mine = ours.get(id_)
        if row["state"] != "succeeded" or is_recent(row["at"]):
            continue
        if mine is None:
            yield f"{facing.what} {id_} of {row['fen']} fen succeeded, we know nothing of it"
        elif mine["state"] not in facing.received:
            yield f"{facing.what} {id_} of {row['fen']} fen succeeded, for us it is {mine['state']}"
        elif mine["state"] == "succeeded" and mine["fen"] != row["fen"]:
            yield f"{facing.what} {id_} is {row['fen']} fen there, {mine['fen']} here"


def unknown_to_them(facing: Facing, page: dict[str, RowMapping], theirs: dict[str, RowMapping]) -> Iterator[str]:
    for id_, row in page.items():
        if row["state"] == "succeeded" and (id_ not in theirs or theirs[id_]["state"] != "succeeded"):
            yield f"{facing.what} {id_} of {row['fen']} fen counts as succeeded, but not at the cashier"


def pages(connection: Connection, statement: str) -> Iterator[dict[str, RowMapping]]:
    """Rows by id, a page at a time, each page from where the one before ended."""
    last = ""
    wanted = text(f"SELECT * FROM ({statement}) t WHERE id > :last ORDER BY id LIMIT {PAGE}")
    while page := {row["id"]: row for row in connection.execute(wanted, {"last": last}).mappings()}:
        yield page
        last = next(reversed(page))  # the database orders text in its own way


def by_id(connection: Connection, statement: str, ids: list[str]) -> dict[str, RowMapping]:
    """What lies between the first of these ids and the last: both sides have the same kind of database, and its order."""
    wanted = text(f"SELECT * FROM ({statement}) t WHERE id BETWEEN :first AND :last")
    return (
        {row["id"]: row for row in connection.execute(wanted, {"first": ids[0], "last": ids[-1]}).mappings()} if ids else {}
    )


def is_recent(at: datetime | str | None) -> bool:
    return at is not None and clock.now() - moment(at) < ON_THE_WAY
