"""A large past out of a small one: whole lives of orders and gifts, copied many times by the database itself.

Every row that belongs to a life is copied, at the sandbox cashier's too, and whatever names one of its rows names the copy
instead: so the books, the states and the shelves of the many agree exactly where those of the few did."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from benchmarks.places import Place
from marketplace.core import triggers
from marketplace.core.db import Base

DIGITS: Final = 7  # of the number that ends every name of a copy; a receipt's number ends with as many
LAST_RECEIPT: Final = "SELECT COALESCE(MAX(sequence), 0) FROM receipt"
GOALS_ARE_PASSED: Final = "UPDATE campaign SET past_goal = 'stretch' WHERE past_goal = 'stop'"  # by so many gifts
RECEIPTS_NUMBERED: Final = """UPDATE receipt_series
    SET last = (SELECT MAX(sequence) FROM receipt r WHERE r.series = receipt_series.series)"""
FINISHED: Final = """SELECT number AS name FROM "order" WHERE state NOT IN ('pending_payment', 'placed_on_account')
    AND number NOT IN (SELECT a.reference FROM attempt a JOIN dispute d ON d.attempt_id = a.id)
    AND id NOT IN (SELECT order_id FROM account_order)
    AND id NOT IN (SELECT order_id FROM group_member) AND NOT is_exchange AND discount_fen = 0
    AND id NOT IN (SELECT p.order_id FROM parcel p JOIN after_sales_case c ON c.parcel_id = p.id
        WHERE c.exchange_number IS NOT NULL)
    UNION ALL SELECT public_id FROM contribution
    WHERE state = 'received' AND id NOT IN (SELECT contribution_id FROM installment)
    AND campaign_id NOT IN (SELECT campaign_id FROM campaign_report)
    AND (SELECT COUNT(*) FROM receipt r WHERE r.contribution_id = contribution.id) = 1"""
COUNTED_AGAIN: Final = """INSERT INTO stock_movement (variant_code, kind, on_hand_change, reserved_change, reference, at)
    SELECT variant_code, 'counted', -SUM(on_hand_change), 0, 'benchmark', MAX(at) FROM stock_movement WHERE id > :last
    GROUP BY variant_code HAVING SUM(on_hand_change) <> 0"""


@dataclass(frozen=True)
class Step:
    """Rows of a life in one table: how they are found by what is known of it so far, and the columns that name them."""

    table: str
    found_by: str
    names: tuple[str, ...] = ()

    @property
    def quoted(self) -> str:
        return '"order"' if self.table == "order" else self.table


TRAIL: Final = (
    Step("order", "number IN :names", ("number",)),
    Step("contribution", "public_id IN :names", ("public_id", "token_hash")),
    Step("receipt", "contribution_id IN :contribution", ("public_id",)),
    Step("parcel", "order_id IN :order", ("public_id",)),
    Step("order_line", "parcel_id IN :parcel", ("public_id",)),
    Step("after_sales_case", "parcel_id IN :parcel", ("public_id",)),
    Step("case_appeal", "case_id IN :after_sales_case", ("public_id",)),
    Step("attempt", "reference IN :names", ("public_id", "remote_id")),
    Step("refund", "attempt_id IN :attempt", ("public_id", "remote_id")),
    Step("refund_line", "refund_public_id IN :names"),
    Step("gateway_movement", "ours IN :names", ("remote_id",)),
    Step("stock_movement", "reference IN :names"),
    Step("entry", "reference IN :names", ("id",)),
    Step("line", "entry_id IN :names"),
    Step("public_row", "reference IN (SELECT key FROM entry WHERE id IN :names)"),
    Step("event", "subject IN :subjects"),
    Step("sandbox.payment", "attempt IN :names"),
    Step("sandbox.refund", "refund IN :names"),
    Step("sandbox.movement", "ours IN :names"),
)


@dataclass
class Life:
    """The rows of one order or gift, by table, and every name that only they have."""

    names: list[str]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def known(self) -> dict[str, list[Any]]:
        ids = {table: [row["id"] for row in rows] for table, rows in self.rows.items() if rows and "id" in rows[0]}
        named = [(step, row) for step in TRAIL if step.names for row in self.rows.get(step.table, ())]
        subjects = [f"{step.table}:{row[step.names[0]]}" for step, row in named]
        return ids | {"names": self.names, "subjects": subjects}


def multiply(place: Place, lines: int) -> None:
    """Until the ledger has about so many lines."""
    with place.engine() as engine:
        with engine.begin() as connection:
            reach_the_cashier(connection, place)
            unguard(connection)
            lives = [follow(connection, name) for name in connection.scalars(text(FINISHED))]
            lives.sort(key=lambda life: not life.rows["receipt"])  # gifts first: receipts have no gap in their numbers
            there = int(connection.scalar(text("SELECT COUNT(*) FROM line")) or 0)
            each = sum(len(life.rows["line"]) for life in lives)
            last = int(connection.scalar(text("SELECT MAX(id) FROM stock_movement")) or 0)
            copies = Copies(connection, -(-max(0, lines - there) // each), int(connection.scalar(text(LAST_RECEIPT)) or 0))
            for life in lives:
                copies.make(life)
            copies.give_back_numbers()
            connection.execute(text(RECEIPTS_NUMBERED))
            connection.execute(text(GOALS_ARE_PASSED))
            connection.execute(text(COUNTED_AGAIN), {"last": last})
            guard(connection)
        if engine.dialect.name == "postgresql":
            with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("VACUUM ANALYZE"))


def reach_the_cashier(connection: Connection, place: Place) -> None:
    """PostgreSQL has the cashier's tables in a schema of the same name."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")  # nothing can be attached within a transaction
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-200000"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        connection.exec_driver_sql(f"ATTACH DATABASE '{place.data / 'sandbox.db'}' AS sandbox")
        connection.exec_driver_sql("BEGIN")


def unguard(connection: Connection) -> None:
    """The guards look at one row after another; what is copied here is looked at by the audit."""
    if connection.dialect.name == "sqlite":
        triggers.drop_all(connection)
    else:
        connection.execute(text("SET LOCAL session_replication_role = replica"))


def guard(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        triggers.create_all(connection)


def follow(connection: Connection, name: str) -> Life:
    life = Life([name])
    for step in TRAIL:
        known = life.known()
        asked = {key: known.get(key, []) for key in re.findall(r":(\w+)", step.found_by)}
        wanted = text(f"SELECT * FROM {step.quoted} WHERE {step.found_by}")
        rows = connection.execute(wanted.bindparams(*(bindparam(key, expanding=True) for key in asked)), asked).mappings()
        life.rows[step.table] = sorted((dict(row) for row in rows), key=lambda row: row.get("id", 0))
        life.names += [row[column] for row in life.rows[step.table] for column in step.names if row[column]]
    return life


@dataclass
class Copies:
    """So many of each life, all under numbers of their own that go on after the receipts'."""

    connection: Connection
    count: int
    made: int
    last_id: dict[str, int] = field(default_factory=dict)

    def make(self, life: Life) -> None:
        first = self.made + 1
        for step in TRAIL:
            for position, row in enumerate(life.rows.get(step.table, ())):
                self.copy(life, step, position, row, first)
        for table in self.last_id:
            self.last_id[table] += len(life.rows[table]) * self.count
        self.made += self.count

    def copy(self, life: Life, step: Step, position: int, row: dict[str, Any], first: int) -> None:
        values = {column: self.value(life, step.table, column, row[column], position, first) for column in row}
        keys = ["id"] if "id" in row else ["refund_public_id", "order_line_id"]
        which = " AND ".join(f"p.{key} = :{key}" for key in keys)
        self.connection.execute(
            text(
                f"""WITH RECURSIVE number(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM number
                WHERE n < {first + self.count - 1}) INSERT INTO {step.quoted} ({", ".join(values)})
                SELECT {", ".join(values.values())} FROM {step.quoted} p CROSS JOIN number WHERE {which}"""
            ),
            {key: row[key] for key in keys},
        )

    def value(self, life: Life, table: str, column: str, value: Any, position: int, first: int) -> str:
        """In SQL, for the copy of number n."""
        if isinstance(value, int) and column == "id":
            return self.id_of(table, position, first)
        if table == "receipt" and column == "sequence":
            return "n"
        if isinstance(value, int) and (other := target_of(table, column)) in life.rows:
            positions = [row["id"] for row in life.rows[other]]
            return self.id_of(other, positions.index(value), first) if value in positions else f"p.{column}"
        said = f"p.{column}"
        for name in life.names if isinstance(value, str) else ():
            if name in value:
                said = f"REPLACE({said}, '{name}', '{name[:-DIGITS]}' || SUBSTR(CAST({10**DIGITS} + n AS TEXT), 2))"
        return said

    def give_back_numbers(self) -> None:
        """PostgreSQL's sequences go on after the copies; SQLite finds the highest number by itself."""
        for table, last in self.last_id.items() if self.connection.dialect.name == "postgresql" else ():
            named = {"table": Step(table, "").quoted, "last": last}
            self.connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"), named)

    def id_of(self, table: str, position: int, first: int) -> str:
        if table not in self.last_id:
            self.last_id[table] = int(self.connection.scalar(text(f"SELECT MAX(id) FROM {Step(table, '').quoted}")) or 0)
        return f"{self.last_id[table] + position * self.count - first + 1} + n"


def target_of(table: str, column: str) -> str:
    """The table whose rows this column refers to by number, or nothing."""
    known = Base.metadata.tables[table].columns[column] if table in Base.metadata.tables else None
    return next((key.column.table.name for key in known.foreign_keys), "") if known is not None else ""
