"""Another house's giving, read into a house that has none: page by page, each in a transaction of its own.

What is derived is not taken over but made again by the house's own commands: balances, sums of days, where each fen went. At
the end every account must be what the other house said, and the chain must end with its code."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Column, Date, func, insert, null, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.chain import CHAIN
from crowdfund.campaigns.ledger_models import LedgerTold, SealedRow
from crowdfund.campaigns.models import PublicRow
from crowdfund.campaigns.moving import folder as folders, ledger, students, writing, years
from crowdfund.campaigns.moving.folder import ENTRIES, LEDGER, SEALS, File, Manifest, NotAnExport
from crowdfund.campaigns.moving.models import GivingImport
from crowdfund.campaigns.moving.tables import ANEW, Carried, carried, table as table_of
from crowdfund.campaigns.students.models import LEFT_BEHIND
from crowdfund.campaigns.whereabouts import following
from marketplace.accounts.models import Person
from marketplace.core import audit, clock, ids, page_cache
from marketplace.core.db import Instant, add_rows, db, in_transaction, insert_or_ignore
from marketplace.core.encryption import token_hash
from marketplace.core.records import record
from marketplace.core.sealing import Seal
from marketplace.ledger import books
from marketplace.ledger.models import Entry, Line

Told = Callable[[str], None]
PAGE: Final = 500
PERSON: Final = "person:"


class NotEmpty(Exception):
    """This house has giving of its own."""


@record
class Reading:
    """One import: who stands for the people that are carried as numbers."""

    manifest: Manifest
    people: dict[int, int]

    def person(self, number: int | None) -> int | None:
        return None if number is None else self.people[number]

    def actor(self, actor: str) -> str:
        return f"{PERSON}{self.people[int(actor.removeprefix(PERSON))]}" if actor.startswith(PERSON) else actor


def read_in(folder: Path, told: Told) -> int:
    """Returns the number of rows of the public ledger. Interrupted, it goes on where it was when it is called again.

    Raises NotAnExport, NotEmpty."""
    manifest = folders.read_manifest(folder)
    first, later = ([each.file for each in carried() if each.is_after_entries is is_after] for is_after in (False, True))
    expected = [*first, ENTRIES, *later, SEALS, LEDGER]
    if [file.name for file in manifest.files] != expected:
        raise NotAnExport("The files are not those that this version reads.")
    for name in folders.check(folder, manifest):
        told(f"{name} is whole")
    done = in_transaction(begin, manifest=manifest)
    if done:
        raise NotEmpty("This export was read in before, to its end.")
    reading = Reading(manifest, people_of(db.session(), manifest))
    for file in manifest.files:
        if file.name != SEALS:
            read_file(folder, reading, file, told)
    while following.follow():
        pass
    in_transaction(finish, manifest=manifest)
    return manifest.rows


def begin(session: Session, *, manifest: Manifest) -> bool:
    """True where this was done before. Raises NotEmpty for a house that has giving of its own, or half of another's."""
    known = session.get(GivingImport, 1, with_for_update=True)
    if known is not None:
        if known.manifest_sha256 != manifest.sha256:
            raise NotEmpty("Another export is being read in, or was.")
        return known.done_at is not None
    for each in (*(each.table for each in carried() if not (each.is_shared or each.is_renumbered)), *OWN):
        if session.execute(select(1).select_from(each).limit(1)).first():
            raise NotEmpty(f"There is something in {each.name}: an export is read into a house without giving of its own.")
    session.add(GivingImport(id=1, manifest_sha256=manifest.sha256, file="", lines=0))
    for number in range(1, manifest.people + 1):
        session.add(Person(public_id=name_of(manifest, number), name="", is_active=False))
    return False


OWN: Final = tuple(table_of(model) for model in (Entry, Line, PublicRow, SealedRow))


def name_of(manifest: Manifest, number: int) -> str:
    """The public id of whoever stands for a number, alike each time that it is asked for."""
    return hashlib.sha256(f"{manifest.sha256}:{number}".encode()).hexdigest()[:16]


def people_of(session: Session, manifest: Manifest) -> dict[int, int]:
    names = {name_of(manifest, number): number for number in range(1, manifest.people + 1)}
    found = session.execute(select(Person.public_id, Person.id).where(Person.public_id.in_(names)))
    return {names[row.public_id]: row.id for row in found}


def read_file(folder: Path, reading: Reading, file: File, told: Told) -> None:
    """From the line behind the last that is in; nothing of a file that is in as a whole."""
    order = [each.name for each in reading.manifest.files]
    done = in_transaction(where_it_is, file=file.name, order=order)
    if done is None:
        return
    lines = folders.lines_of(folder, file.name, done)
    seals = folders.lines_of(folder, SEALS, max(0, done - 1))  # the ledger's first line is no row
    while page := list(islice(lines, PAGE)):
        rows = sum(each.startswith(ledger.ROW) for each in page) if file.name == LEDGER else 0
        in_transaction(take, reading=reading, file=file.name, page=page, seals=list(islice(seals, rows)), done=done)
        done += len(page)
        told(f"{file.name}: {done} of {file.lines}")


def where_it_is(session: Session, *, file: str, order: Sequence[str]) -> int | None:
    """How many lines of this file are in; None where another after it is being read."""
    known = session.get_one(GivingImport, 1, with_for_update=True)
    if known.file == file:
        return known.lines
    if known.file and order.index(known.file) > order.index(file):
        return None
    known.file, known.lines = file, 0
    return 0


def take(session: Session, *, reading: Reading, file: str, page: list[bytes], seals: list[bytes], done: int) -> None:
    known = session.get_one(GivingImport, 1, with_for_update=True)
    if (known.file, known.lines) != (file, done):
        raise NotEmpty("Somebody else is reading this export in.")
    known.lines = done + len(page)
    if file == LEDGER:
        ledger.take(session, lines=page, seals=seals)
    elif file == ENTRIES:
        take_entries(session, page)
    else:
        (each,) = [each for each in carried() if each.file == file]
        take_rows(session, reading, each, page)


def take_rows(session: Session, reading: Reading, each: Carried, page: list[bytes]) -> None:
    rows = [row_of(reading, each, json.loads(line)) for line in page]
    if each.is_shared:
        for row in rows:
            insert_or_ignore(session, each.model, row)
    elif each.changes:
        session.execute(update(each.model), rows)  # by their ids
    elif each.name == "receipt":
        years.take(session, rows)
    else:
        session.execute(insert(each.table), rows)


def row_of(reading: Reading, each: Carried, told: dict[str, Any]) -> dict[str, Any]:
    """With what stands for whatever was left behind."""
    columns = each.table.columns
    row = {name: value_of(columns[name], value) if name in columns else value for name, value in told.items()}
    row |= {name: f"{value}{row['public_id']}" if value == LEFT_BEHIND else value for name, value in anew(each).items()}
    row |= {name: reading.person(told[name]) for name in (*each.people, *each.alone)}
    if "actor" in row:
        row["actor"] = reading.actor(row["actor"])
    if row.get("token_hash") == ANEW:  # of a gift it is made from its id, with a key of this house
        row["token_hash"] = token_hash(
            giving.link_token(row["public_id"]) if each.name == "contribution" else ids.secret_token()
        )
    return row


def anew(each: Carried) -> Mapping[str, Any]:
    return {} if each.changes else each.instead


def value_of(column: Column[Any], value: Any) -> Any:
    if value is None:
        return null() if isinstance(column.type, JSON) else None
    if isinstance(column.type, Instant):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


def take_entries(session: Session, page: list[bytes]) -> None:
    """Lines first, entry last, as the books want it."""
    found = [json.loads(line) for line in page]
    lines, entries = [], []
    for entry in found:
        accounts = [(kind, owner) for kind, owner, _commodity, _amount in entry["lines"]]
        known = books.account_ids(session, entry["book"], list(dict.fromkeys(accounts)))
        lines += [
            {"entry_id": entry["id"], "account_id": known[kind, owner], "commodity": commodity, "amount": amount}
            for kind, owner, commodity, amount in entry["lines"]
        ]
        plain = {name: entry[name] for name in ("id", "key", "book", "reference")}
        entries.append(plain | {"kind": entry["key"].partition(":")[0], "at": datetime.fromisoformat(entry["at"])})
    add_rows(session, Line, *lines)
    add_rows(session, Entry, *entries)


def finish(session: Session, *, manifest: Manifest) -> None:
    """Raises NotAnExport where an account or the chain is not what the other house said: then the house stays closed."""
    balances = tuple(tuple(each) for each in writing.balances(session))
    if balances != manifest.balances:
        raise NotAnExport(f"The balances differ: {set(balances) ^ set(manifest.balances)}")
    last = session.scalar(select(Seal.hash).where(Seal.chain == CHAIN, Seal.number == manifest.rows))
    if manifest.rows and last != manifest.last_code:
        raise NotAnExport("The chain ends otherwise.")
    insert_or_ignore(session, LedgerTold, {"id": 1, "number": manifest.rows})  # what happened there is no news here
    count_on(session)
    students.without_sponsors(session)
    session.get_one(GivingImport, 1).done_at = clock.now()
    about = {"actor": "operator", "action": "giving.imported", "subject": f"giving:{manifest.sha256[:16]}"}
    audit.record(session, **about, rows=manifest.rows)
    page_cache.expire(session, "giving", "ledger", "stations")


def count_on(session: Session) -> None:
    """PostgreSQL counts ids apart from the rows: it goes on behind those that came with their own."""
    if session.get_bind().dialect.name != "postgresql":
        return
    models = [each.model for each in carried() if not each.is_renumbered]
    for table in (table_of(model) for model in (*models, PublicRow)):
        if "id" in table.columns:
            highest = func.coalesce(select(func.max(table.c.id)).scalar_subquery(), 1)
            session.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))
