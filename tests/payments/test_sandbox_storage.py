"""A cashier's database of before, brought to what this version wants: what had moved is there as movements, without fees."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import insert, select, text

from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import storage

AT = datetime(2026, 10, 1, tzinfo=UTC)


def test_what_moved_before_movements_were_kept(real_app: Flask) -> None:
    cashier: Any = gateways().get("sandbox")
    engine = cashier.storage
    storage.prepare(engine)
    with engine.begin() as connection:
        for table in reversed(storage.metadata.sorted_tables):
            connection.execute(table.delete())
        where = "sandbox." if connection.dialect.name == "postgresql" else ""
        for sql in (
            "DROP TABLE {0}payout",
            "DROP TABLE {0}reversal",
            "DROP TABLE {0}transfer",
            "DROP TABLE {0}payee",
            "DROP TABLE {0}dispute",
            "DROP TABLE {0}mandate",
            "DROP TABLE {0}movement",
            "DROP INDEX {0}ix_webhook_made_at",
            "ALTER TABLE {0}webhook DROP COLUMN made_at",
        ):
            connection.execute(text(sql.format(where)))
        connection.execute(storage.version.insert().values(number=2))
        paid = {"currency": "CNY", "description": "", "return_url": "", "created_at": AT, "decided_at": AT}
        for name, status, refunded in (("p1", "succeeded", 1000), ("p2", "failed", 0)):
            row = {"id": name, "attempt": f"a-{name}", "amount": 3980, "status": status, "refunded": refunded}
            connection.execute(insert(storage.payment).values(row | paid))
        back = {"id": "r1", "refund": "our-r1", "payment_id": "p1", "amount": 1000, "status": "pending", "due_at": AT}
        connection.execute(insert(storage.refund).values(back))

    storage.prepare(engine)
    storage.prepare(engine)

    assert [(each.type, each.source_id, each.ours, each.gross, each.fee, each.at) for each in cashier.movements(AT)] == [
        ("charge", "p1", "a-p1", 3980, 0, AT),
        ("refund", "r1", "our-r1", -1000, 0, AT),
    ]
    assert cashier.balance() == {"CNY": 2980}
    with engine.connect() as connection:
        assert connection.scalars(select(storage.version.c.number)).all() == [1 + len(storage.CHANGES)]
    engine.dispose()


def test_a_cashier_of_before_settles_in_other_currencies_too(real_app: Flask) -> None:
    cashier: Any = gateways().get("sandbox")
    engine = cashier.storage
    storage.prepare(engine)
    with engine.begin() as connection:
        for table in reversed(storage.metadata.sorted_tables):
            connection.execute(table.delete())
        for later in (storage.payout, storage.reversal, storage.transfer, storage.payee):
            later.drop(connection)
        where = "sandbox." if connection.dialect.name == "postgresql" else ""
        for name in ("movement.presented", "movement.presented_currency", "movement.rate", "dispute.fee_currency"):
            table, _dot, column = name.partition(".")
            connection.execute(text(f"ALTER TABLE {where}{table} DROP COLUMN {column}"))
        connection.execute(storage.version.insert().values(number=5))
        moved = f"INSERT INTO {where}movement (id, type, source, ours, gross, fee, currency, at) VALUES "
        connection.execute(text(f"{moved}('txn_1', 'charge', 'p1', 'a', 3980, 24, 'CNY', :at)"), {"at": AT})

    storage.prepare(engine)
    storage.prepare(engine)

    (kept,) = cashier.movements(AT - timedelta(days=1))
    assert (kept.gross, kept.currency, kept.presented, kept.presented_currency, kept.rate) == (3980, "CNY", None, None, None)
    engine.dispose()
