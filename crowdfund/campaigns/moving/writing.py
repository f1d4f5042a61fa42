"""A house's giving, written into a folder: one moment of the database, in files that `reading` takes in again.

Only what is at rest is written: while money is on its way between two houses' books, nobody could say whose it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import json_lines
from crowdfund.campaigns.chain import CHAIN, microseconds
from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.mirrors.models import MirrorFile
from crowdfund.campaigns.mirrors.states import OPEN
from crowdfund.campaigns.models import Disbursement, PublicRow
from crowdfund.campaigns.moving import folder as folders, years
from crowdfund.campaigns.moving.folder import ENTRIES, LEDGER, SEALS, line
from crowdfund.campaigns.moving.tables import Carried, attempts, carried, entries, refunds
from crowdfund.campaigns.repayments.models import Repayment, RepaymentCorrection
from crowdfund.campaigns.states import WAITS, DisbursementState, FundState
from marketplace.core import sealing
from marketplace.core.db import db, in_transaction
from marketplace.core.sealing import GENESIS, Seal
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import RefundState

Told = Callable[[str], None]
PAGE: Final = 1_000
PERSON: Final = "person:"
WHO_GAVE: Final = ("contribution:", "attempt:", "receipt:")
AT_AN_END: Final = (DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED)


class NotAtRest(Exception):
    """What is still on its way, in words."""


def export(folder: Path, told: Told) -> int:
    """Returns the number of rows of the public ledger in it. Raises NotAtRest, NotAnExport."""
    folders.begin(folder)
    while in_transaction(sealing.seal, chain=CHAIN, everything=True):
        pass
    with moment() as connection:
        refuse_what_moves(connection)
        rows = connection.scalar(select(func.max(SealedRow.number))) or 0
        code = connection.scalar(select(Seal.hash).where(Seal.chain == CHAIN, Seal.number == rows)) or GENESIS
        people = People()
        files = []
        for is_after in (False, True):
            for each in (each for each in carried() if each.is_after_entries is is_after):
                files.append(folders.write(folder, each.file, rows_of(connection, each, people)))
                told(f"{each.name}: {files[-1].lines}")
            if not is_after:
                files.append(folders.write(folder, ENTRIES, entries_of(connection)))
                told(f"entries: {files[-1].lines}")
        files.append(folders.write(folder, SEALS, seals_of(connection, rows)))
        files.append(folders.write(folder, LEDGER, json_lines.lines(db.session(), rows)))
        told(f"ledger: {rows}")
        content = {"people": len(people.numbers), "rows": rows, "last_code": code, "balances": balances(connection)}
    shown = [{"name": file.name, "sha256": file.sha256, "lines": file.lines} for file in files]
    folders.write_manifest(folder, content | {"files": shown})
    return rows


@contextmanager
def moment() -> Iterator[Connection]:
    """One moment of the database, whatever is written meanwhile."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect() as connection:
        yield connection.execution_options(**options) if connection.dialect.name == "postgresql" else connection


def refuse_what_moves(connection: Connection) -> None:
    """Raises NotAtRest with the first that is on its way."""
    of_gifts = attempts(Attempt.id)
    moving: list[tuple[str, Select[Any]]] = [
        (
            "row of the public ledger without its seal",
            select(PublicRow.id).where(~sealing.is_sealed(CHAIN, PublicRow.id, 0)),
        ),
        (
            "refund on its way",
            refunds(Refund.public_id).where(Refund.state.not_in((RefundState.SUCCEEDED, RefundState.FAILED))),
        ),
        (
            "payment to a provider on its way",
            select(Disbursement.public_id).where(
                Disbursement.state.in_((DisbursementState.PAYING, DisbursementState.FAILED))
            ),
        ),
        (
            "repayment of a provider that waits for a second person",
            select(Repayment.public_id).where(Repayment.decided_at.is_(None)),
        ),
        (
            "correction of what a provider paid back that waits for a second person",
            select(RepaymentCorrection.public_id).where(RepaymentCorrection.decided_at.is_(None)),
        ),
        (
            "dispute that is open",
            select(Dispute.public_id).where(Dispute.attempt_id.in_(of_gifts), Dispute.state.not_in(AT_AN_END)),
        ),
        (
            "matching fund that is paid in and waits to be opened",
            select(MatchingFund.public_id).where(MatchingFund.state == FundState.FUNDED),
        ),
        ("match that waits for a person", select(HeldMatch.public_id).where(HeldMatch.state.in_(WAITS))),
        ("file of a platform that nobody has decided on", select(MirrorFile.public_id).where(MirrorFile.state.in_(OPEN))),
    ]
    for what, wanted in moving:
        found = connection.scalar(wanted.limit(1))
        if found is not None:
            raise NotAtRest(f"{found}: a {what}.")


class People:
    """Numbers instead of people: each has one, and nobody learns whose it is."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}

    def number(self, person: int | None) -> int | None:
        return None if person is None else self.numbers.setdefault(person, len(self.numbers) + 1)

    def another(self) -> int:
        """A number that is nobody else's, whoever it is: two of them may be one person, and nothing says so."""
        number = len(self.numbers) + 1
        return self.numbers.setdefault(-number, number)

    def actor(self, actor: str, subject: str) -> str:
        """Who took a step; of gifts nobody, since their givers' steps would say which gifts belong together."""
        if not actor.startswith(PERSON):
            return actor
        if subject.startswith("student_place:"):
            return "somebody"  # an officer or a sponsor, whose plan stays behind
        if subject.startswith(WHO_GAVE) or not actor.removeprefix(PERSON).isdigit():
            return "giver"
        return f"{PERSON}{self.number(int(actor.removeprefix(PERSON)))}"


def rows_of(connection: Connection, each: Carried, people: People) -> Iterator[bytes]:
    """A page at a time, without what is left behind."""
    columns = each.columns
    for row in connection.execute(each.rows(), execution_options={"yield_per": PAGE}).mappings():
        content = {name: plain(row[name]) for name in columns}
        content |= {name: people.number(row[name]) for name in each.people}
        content |= {name: people.another() for name in each.alone}
        yield line(content | told_otherwise(connection, each, row, people))


def told_otherwise(connection: Connection, each: Carried, row: Any, people: People) -> dict[str, Any]:
    """What a row says otherwise in another house, column by column, and the list of a year's receipt."""
    if each.name == "event":
        is_of_a_giver = row["subject"].startswith("held_match:")  # why it waited says something of who gave
        return {"actor": people.actor(row["actor"], row["subject"]), **({"why": ""} if is_of_a_giver else {})}
    if each.name == "attempt" and row["purpose"] == "installment":
        return {"purpose": "contribution"}
    if each.name == "contribution" and row["message_state"] != "shown":
        return {"message": "", "message_state": ""}
    if each.name == "enrolment_proof" and not row["verdict"]:
        return {"verdict": "dropped"}  # its paper stays
    return {"gifts": years.listed(connection, row["public_id"])} if each.name == "receipt" and row["year_id"] else {}


def plain(value: Any) -> Any:
    """As JSON has it; a moment is text in UTC."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def entries_of(connection: Connection) -> Iterator[bytes]:
    """Each with its lines, which name accounts by kind and owner: whole, or not there."""
    wanted = select(Entry.id, Entry.key, Entry.book, Entry.reference, Entry.at, LedgerAccount.kind, LedgerAccount.owner)
    wanted = wanted.add_columns(Line.commodity, Line.amount).join(Line, Line.entry_id == Entry.id)
    wanted = wanted.join(LedgerAccount, LedgerAccount.id == Line.account_id).where(entries())
    known: dict[str, Any] = {}
    for row in connection.execute(wanted.order_by(Entry.at, Entry.id, Line.id), execution_options={"yield_per": PAGE}):
        if known and known["id"] != row.id:
            yield line(known)
            known = {}
        if not known:
            known = {"id": row.id, "key": row.key, "book": row.book, "reference": row.reference, "at": row.at.isoformat()}
            known["lines"] = []
        known["lines"].append([row.kind, row.owner, row.commodity, row.amount])
    if known:
        yield line(known)


def seals_of(connection: Connection, last: int) -> Iterator[bytes]:
    wanted = select(Seal.number, Seal.record_id, Seal.at).where(Seal.chain == CHAIN, Seal.number <= last)
    for row in connection.execute(wanted.order_by(Seal.number), execution_options={"yield_per": PAGE}):
        yield line({"number": row.number, "record": row.record_id, "at": microseconds(row.at)})


def balances(source: Connection | Session) -> list[list[Any]]:
    """What the carried entries leave in each account."""
    wanted = select(LedgerAccount.kind, LedgerAccount.owner, LedgerAccount.book, Line.commodity, func.sum(Line.amount))
    wanted = wanted.join(Line, Line.account_id == LedgerAccount.id).join(Entry, Entry.id == Line.entry_id).where(entries())
    key = (LedgerAccount.kind, LedgerAccount.owner, LedgerAccount.book, Line.commodity)
    return [[*row[:4], int(row[4])] for row in sorted(source.execute(wanted.group_by(*key)), key=lambda row: row[:4])]
