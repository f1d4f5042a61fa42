"""Encrypted columns go over to the newest key, a few hundred rows at a time, while the shop is open.

A row that is changed meanwhile keeps its change. Whoever is interrupted begins again and finds only what is left."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Column, Table, Text, bindparam, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.db import Base, db, in_transaction
from marketplace.core.encryption import Encrypted, Keyring, keyring
from marketplace.core.records import record

BATCH: Final = 500
SAMPLE: Final = 20  # rows from either end of a table
Progress = Callable[[str, int, int], object]


@record
class EncryptedTable:
    table: Table
    key: Column[Any]
    columns: tuple[Column[Any], ...]


def rotate(progress: Progress = lambda table, done, total: None) -> int:
    """Encrypt everything under the newest key; returns how many rows changed. `progress` hears table, done and total.

    Raises Unreadable, before anything is changed, where these keys are not the ones that were written with."""
    ring = keyring()
    for each in encrypted_tables():
        read_sample(each, ring)
    changed = sum(rotate_table(each, ring, progress) for each in encrypted_tables())
    if changed:
        what = {"actor": "operator", "action": "keys.rotated", "subject": f"key:{ring.newest}"}
        in_transaction(audit.record, **what, rows=changed)
    return changed


def encrypted_tables() -> Iterator[EncryptedTable]:
    for table in Base.metadata.sorted_tables:
        columns = tuple(column for column in table.columns if isinstance(column.type, Encrypted))
        if columns:
            (key,) = table.primary_key.columns
            yield EncryptedTable(table, key, columns)


def read_sample(what: EncryptedTable, ring: Keyring) -> None:
    """A few of the oldest and newest values, under whatever key they are. A name alone does not prove the key."""
    session = db.session()
    for column in what.columns:
        filled = select(stored(column)).where(stored(column).is_not(None))
        for order in (what.key.asc(), what.key.desc()):
            for value in session.scalars(filled.order_by(order).limit(SAMPLE)).all():
                ring.decrypt(value, purpose_of(column))


def rotate_table(what: EncryptedTable, ring: Keyring, progress: Progress) -> int:
    session = db.session()
    total = session.scalar(select(func.count()).select_from(what.table).where(has_old(what, ring))) or 0
    done, last = 0, None
    while True:
        keys = in_transaction(rotate_batch, what=what, ring=ring, after=last)
        if not keys:
            return done
        done, last = done + len(keys), keys[-1]
        progress(what.table.name, done, max(total, done))


def rotate_batch(session: Session, *, what: EncryptedTable, ring: Keyring, after: Any) -> list[Any]:
    """The keys of the rows that went over; empty at the end of the table."""
    waiting = select(what.key, *(stored(column) for column in what.columns)).where(has_old(what, ring)).order_by(what.key)
    if after is not None:
        waiting = waiting.where(what.key > after)
    rows = session.execute(waiting.limit(BATCH)).all()
    for index, column in enumerate(what.columns, start=1):
        olds = [(row[0], row[index]) for row in rows if row[index] is not None and not ring.is_newest(row[index])]
        if olds:
            replace(session, what, column, [(key, old, renewed(column, old, ring)) for key, old in olds])
    return [row[0] for row in rows]


def replace(session: Session, what: EncryptedTable, column: Column[Any], values: list[tuple[Any, str, str]]) -> None:
    """Only where the old value still stands: what somebody wrote meanwhile is newer than ours."""
    unchanged = stored(column) == bindparam("old", type_=Text)
    swap = update(what.table).where(what.key == bindparam("row"), unchanged)
    swap = swap.values({column: bindparam("new", type_=Text)})
    parameters = [{"row": key, "old": old, "new": new} for key, old, new in values]
    session.connection().execute(swap, parameters)


def renewed(column: Column[Any], old: str, ring: Keyring) -> str:
    purpose = purpose_of(column)
    return ring.encrypt(ring.decrypt(old, purpose), purpose)


def purpose_of(column: Column[Any]) -> str:
    return column.type.purpose if isinstance(column.type, Encrypted) else ""


def has_old(what: EncryptedTable, ring: Keyring) -> Any:
    """SQL: some value of the row is under an older key."""
    return or_(*(~stored(column).startswith(f"{ring.newest}:", autoescape=True) for column in what.columns))


def stored(column: Column[Any]) -> Any:
    """The column as it is kept, not read."""
    return type_coerce(column, Text)
