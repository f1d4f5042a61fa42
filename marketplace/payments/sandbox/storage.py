"""Where the sandbox keeps its payments: a SQLite file of its own, or a schema of its own on PostgreSQL."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    inspect,
    select,
    text,
)

from marketplace.core.db import Instant, engine_options, prepare as prepare_connections
from marketplace.core.settings import Settings

SCHEMA: Final = "sandbox"
metadata = MetaData()

version = Table("sandbox_version", metadata, Column("number", Integer, primary_key=True))

payment = Table(
    "payment",
    metadata,
    Column("id", String, primary_key=True),
    Column("attempt", String, nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("status", String, nullable=False),  # requires_payment_method, processing, succeeded, canceled
    Column("refunded", BigInteger, nullable=False, default=0),
    Column("pay_by", Instant),
    Column("created_at", Instant, nullable=False),
    Column("decided_at", Instant),  # when the payer last decided
    Column("payer", String),  # the card's name, where the payer showed one
    CheckConstraint("refunded BETWEEN 0 AND amount", "refunds_within_payment"),
)

refund = Table(
    "refund",
    metadata,
    Column("id", String, primary_key=True),
    Column("refund", String, nullable=False, index=True),
    Column("payment_id", String, ForeignKey("payment.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("status", String, nullable=False),  # pending, succeeded, failed
    Column("due_at", Instant, nullable=False),  # when a pending one succeeds
)

mandate = Table(
    "mandate",
    metadata,
    Column("id", String, primary_key=True),
    Column("payment_id", String, nullable=False, unique=True),
    Column("later", String, nullable=False),  # what charges without the payer come to
)

answered = Table(
    "idempotency",
    metadata,
    Column("key", String, primary_key=True),
    Column("parameters", String, nullable=False),
    Column("object_id", String, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False, index=True),
    Column("is_delivered", Boolean, nullable=False, default=False),
    Column("made_at", Instant, index=True),  # unknown of the oldest
)

movement = Table(
    "movement",
    metadata,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),  # charge, refund, payout, transfer and their failures and reversals
    Column("source", String, nullable=False),  # the payment, the refund, the key of the payout
    Column("ours", String, nullable=False),  # the shop's own id of it
    Column("gross", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("presented", BigInteger),  # what the payer saw, where it is settled in another currency
    Column("presented_currency", String),
    Column("rate", String),
    Column("at", Instant, nullable=False, index=True),
    UniqueConstraint("type", "source", name="moves_once"),
)

dispute = Table(
    "dispute",
    metadata,
    Column("id", String, primary_key=True),
    Column("payment_id", String, ForeignKey("payment.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("fee_currency", String),  # where it is not the payment's
    Column("reason", String, nullable=False),
    Column("status", String, nullable=False),  # Stripe's words
    Column("evidence", Text, nullable=False, default=""),
    Column("is_withdrawn", Boolean, nullable=False, default=False),
    Column("is_reinstated", Boolean, nullable=False, default=False),
    Column("answer_by", Instant, nullable=False),
)

payee = Table(
    "payee",
    metadata,
    Column("id", String, primary_key=True),
    Column("payee", String, nullable=False),  # the shop's own id of them
    Column("status", String, nullable=False),  # incomplete, verified, restricted
    Column("last4", String, nullable=False),  # of their bank account
    Column("balance", BigInteger, nullable=False),
    CheckConstraint("balance >= 0", "pays_what_it_has"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("id", String, primary_key=True),
    Column("transfer", String, nullable=False, index=True),  # the shop's own id
    Column("payee_id", String, ForeignKey("payee.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("reversed", BigInteger, nullable=False, default=0),
    Column("at", Instant, nullable=False),
    CheckConstraint("reversed BETWEEN 0 AND amount", "reversals_within_transfer"),
)

reversal = Table(
    "reversal",
    metadata,
    Column("id", String, primary_key=True),
    Column("reversal", String, nullable=False, index=True),  # the shop's own id
    Column("transfer_id", String, ForeignKey("transfer.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
)

payout = Table(  # what a payee's own bank account got
    "payout",
    metadata,
    Column("id", String, primary_key=True),
    Column("payee_id", String, ForeignKey("payee.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
)


def remember_when_it_was_decided(connection: Connection) -> None:
    kind = Instant().compile(connection.dialect)
    connection.execute(text(f"ALTER TABLE {named(connection, 'payment')} ADD COLUMN decided_at {kind}"))


def write_movements(connection: Connection) -> None:
    """What has moved before movements were kept: without fees, for none was taken then."""
    kind, events = Instant().compile(connection.dialect), named(connection, "webhook")
    connection.execute(text(f"ALTER TABLE {events} ADD COLUMN made_at {kind}"))
    connection.execute(text(f"CREATE INDEX ix_webhook_made_at ON {events} (made_at)"))
    movement.create(connection)
    into = f"INSERT INTO {named(connection, 'movement')} (id, type, source, ours, gross, fee, currency, at)"
    payments, refunds = named(connection, "payment"), named(connection, "refund")
    connection.execute(
        text(
            f"""{into} SELECT 'txn_' || id, 'charge', id, attempt, amount, 0, currency, COALESCE(decided_at, created_at)
            FROM {payments} WHERE status = 'succeeded'"""
        )
    )
    connection.execute(
        text(
            f"""{into} SELECT 'txn_' || r.id, 'refund', r.id, r.refund, -r.amount, 0, p.currency, r.due_at
            FROM {refunds} r JOIN {payments} p ON p.id = r.payment_id WHERE r.status <> 'failed'"""
        )
    )


def keep_disputes(connection: Connection) -> None:
    dispute.create(connection)


def know_payees(connection: Connection) -> None:
    for table in (payee, transfer, reversal, payout):
        table.create(connection)


def make_room_for_mandates(connection: Connection) -> None:
    mandate.create(connection)


def settle_in_other_currencies(connection: Connection) -> None:
    for table, column in (
        (movement, movement.c.presented),
        (movement, movement.c.presented_currency),
        (movement, movement.c.rate),
        (dispute, dispute.c.fee_currency),
    ):
        add_column(connection, table, column)


def know_cards(connection: Connection) -> None:
    add_column(connection, payment, payment.c.payer)


def add_column(connection: Connection, table: Table, column: Column[Any]) -> None:
    """A table that one of the changes before has just made has it already."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    if column.name not in {each["name"] for each in inspect(connection).get_columns(table.name, schema=schema)}:
        kind = column.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE {named(connection, table.name)} ADD COLUMN {column.name} {kind}"))


def named(connection: Connection, table: str) -> str:
    return table if connection.dialect.name == "sqlite" else f"{SCHEMA}.{table}"


CHANGES: Final[list[Callable[[Connection], None]]] = [
    remember_when_it_was_decided,
    write_movements,
    make_room_for_mandates,
    keep_disputes,
    settle_in_other_currencies,
    know_payees,
    know_cards,
]
"""The n-th brings a database of version n to version n + 1; new ones are made as the tables above say."""


def open_storage(settings: Settings) -> Engine:
    """The sandbox's own engine; nothing is connected or made yet."""
    url = settings.database
    if url.startswith("sqlite"):
        own = f"sqlite:///{settings.data.resolve() / 'sandbox.db'}"
        engine = create_engine(own, **engine_options(own))
        prepare_connections(engine)
        return engine
    options = engine_options(url) | {"pool_size": 2, "max_overflow": 6}
    return create_engine(url, **options).execution_options(schema_translate_map={None: SCHEMA})


def prepare(engine: Engine) -> None:
    """Make or migrate the tables. Safe to call again, and by several processes at once."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sandbox'))"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        schema = SCHEMA if connection.dialect.name == "postgresql" else None
        is_there = inspect(connection).has_table(version.name, schema=schema)
        if is_there:
            reached = connection.scalars(select(version.c.number)).one()
            for change in CHANGES[reached - 1 :]:
                change(connection)
        else:
            metadata.create_all(connection)
        connection.execute(version.delete())
        connection.execute(version.insert().values(number=1 + len(CHANGES)))
