"""The sealed chains, read by the format of docs/adr/0004 and by nothing that wrote them."""

import calendar
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row

from marketplace.auditing.checks import Difference, moment, read

GENESIS: Final = "0" * 64
LINKS: Final = "SELECT chain, number, digest, previous, hash FROM seal ORDER BY chain, number"
ROOTS: Final = "SELECT chain, day, first_number, last_number, root FROM daily_root ORDER BY chain, day"
RECORDS: Final = """SELECT r.id AS id, r.at AS at, r.actor AS actor, r.action AS action, r.subject AS subject, r.why AS why,
    r.detail AS detail, s.digest AS digest, s.record_id AS sealed FROM seal s
    LEFT JOIN audit_record r ON r.id = s.record_id WHERE s.chain = 'audit' ORDER BY s.number"""
ROWS: Final = """SELECT r.id AS id, r.at AS at, r.book AS book, r.kind AS kind, r.fen AS fen, r.who AS who, r.what AS what,
    r.commitment AS commitment, r.reference AS reference, c.public_id AS campaign, s.number AS number, s.digest AS digest
    FROM seal s LEFT JOIN public_row r ON r.id = s.record_id LEFT JOIN campaign c ON c.id = r.campaign_id
    WHERE s.chain = 'public' ORDER BY s.number"""
UNSEALED: Final = """SELECT r.id AS id FROM public_row r LEFT JOIN seal s ON s.chain = 'public' AND s.record_id = r.id
    WHERE s.number IS NULL AND r.id < (SELECT MAX(record_id) FROM seal WHERE chain = 'public') - 10000"""
# the sealer looks ten thousand records back for those that committed late; an older one will never get its seal
SKIPPED: Final = """SELECT r.id AS id FROM audit_record r LEFT JOIN seal s ON s.chain = 'audit' AND s.record_id = r.id
    WHERE s.number IS NULL AND r.id < (SELECT MAX(record_id) FROM seal WHERE chain = 'audit') - 10000"""


def differences(connection: Connection) -> Iterator[Difference | str]:
    yield "the chains hold"
    yield from (Difference("the chains hold", words) for words in broken_links(connection))
    yield "the daily roots hold"
    yield from (Difference("the daily roots hold", words) for words in broken_roots(connection))
    yield "records are as they were sealed"
    yield from (Difference("records are as they were sealed", words) for words in changed_records(connection))
    yield "public rows are as they were sealed"
    yield from (Difference("public rows are as they were sealed", words) for words in changed_rows(connection))


def broken_links(connection: Connection) -> Iterator[str]:
    """Numbers without gaps, each hash over the one before. A broken link is named once; the chain is followed from there."""
    chain, number, previous = "", 0, GENESIS
    for row in read(connection, LINKS):
        if row.chain != chain:
            chain, number, previous = row.chain, 0, GENESIS
        number += 1
        expected = hashlib.sha256(f"{previous}\n{number}\n{row.digest}".encode()).hexdigest()
        if (row.number, row.previous, row.hash) != (number, previous, expected):
            yield f"{chain} is broken at number {row.number}"
        number, previous = row.number, row.hash


def broken_roots(connection: Connection) -> Iterator[str]:
    """Each day's root is the Merkle root over the hashes it says, one day after the other, none left out."""
    chain, expected = "", 1
    for day in list(read(connection, ROOTS)):
        if day.chain != chain:
            chain, expected = day.chain, 1
        count = day.last_number - day.first_number + 1
        if day.first_number != expected or (count, day.root) != merkle_root(connection, day):
            yield f"the root of {chain} on {day.day} does not fit its seals"
        expected = day.last_number + 1


def merkle_root(connection: Connection, day: Row[Any]) -> tuple[int, str]:
    """(how many leaves, root) by RFC 6962, holding no more than one hash for each level of the tree."""
    hashes = "SELECT hash FROM seal WHERE chain = :chain AND number BETWEEN :first AND :last ORDER BY number"
    levels: list[tuple[int, bytes]] = []  # complete subtrees: (leaves, hash), the largest first
    count = 0
    for row in read(connection, hashes, chain=day.chain, first=day.first_number, last=day.last_number):
        count += 1
        levels.append((1, hashlib.sha256(b"\x00" + bytes.fromhex(row.hash)).digest()))
        while len(levels) > 1 and levels[-1][0] == levels[-2][0]:
            fold(levels)
    while len(levels) > 1:
        fold(levels)
    return count, levels[0][1].hex() if levels else ""


def fold(levels: list[tuple[int, bytes]]) -> None:
    (left_size, left), (right_size, right) = levels[-2], levels[-1]
    levels[-2:] = [(left_size + right_size, hashlib.sha256(b"\x01" + left + right).digest())]


def changed_records(connection: Connection) -> Iterator[str]:
    """Each sealed audit record is there and says what its seal was made over; none was passed by."""
    for row in read(connection, RECORDS):
        if row.id is None:
            yield f"audit record {row.sealed} is gone"
        elif hashlib.sha256(canonical(row)).hexdigest() != row.digest:
            yield f"audit record {row.id} was changed"
    for row in read(connection, SKIPPED):
        yield f"audit record {row.id} was never sealed"


def canonical(row: Row[Any]) -> bytes:
    content: dict[str, Any] = {name: getattr(row, name) for name in ("id", "actor", "action", "subject", "why")}
    content["detail"] = json.loads(row.detail) if isinstance(row.detail, str) else row.detail
    content["at"] = int(moment(row.at).timestamp() * 1_000_000)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def changed_rows(connection: Connection) -> Iterator[str]:
    """Each sealed public row is there and says what its seal was made over (docs/adr/0009); none was passed by."""
    for row in read(connection, ROWS):
        if row.id is None:
            yield f"public row {row.number} is gone"
        elif hashlib.sha256(public(row)).hexdigest() != row.digest:
            yield f"public row {row.number} was changed"
    for row in read(connection, UNSEALED):
        yield f"the public row of id {row.id} was never sealed"


def public(row: Row[Any]) -> bytes:
    names = ("book", "campaign", "commitment", "fen", "kind", "reference", "what", "who")
    at = moment(row.at)
    microseconds = calendar.timegm(at.utctimetuple()) * 1_000_000 + at.microsecond
    content = {name: getattr(row, name) for name in names} | {"at": microseconds}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
