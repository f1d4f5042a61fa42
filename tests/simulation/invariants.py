"""What is true after every step of a life, whatever broke; and what is true when everything has settled down."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event, text

from marketplace.auditing import checks, giving, matching, money, presales, transfers, waiting
from marketplace.auditing.checks import Check, Difference
from marketplace.core import triggers
from marketplace.core.db import db
from marketplace.ledger import books
from marketplace.payments.reconciliation import running
from tests.orders.conftest import differences
from tests.simulation import settling
from tests.simulation.world import World

SHELVES: Final = Check(
    "nothing is oversold",
    "SELECT code AS name, on_hand AS owed, reserved AS amount FROM variant WHERE reserved < 0 OR on_hand < reserved",
    "{name}: {owed} on the shelf, {amount} promised",
)
BACKED: Final = Check(
    "paid orders have their money",
    """SELECT o.number AS name, o.total_fen AS owed, COALESCE(SUM(a.fen), 0) AS amount FROM "order" o LEFT JOIN attempt a
    ON a.purpose = 'order' AND a.reference = o.number AND a.state = 'succeeded' AND NOT a.is_surplus
    WHERE o.paid_at IS NOT NULL AND o.backing IS NULL GROUP BY o.id, o.number, o.total_fen
    HAVING COALESCE(SUM(a.fen), 0) <> o.total_fen""",
    "order {name} of {owed} fen counts as paid, {amount} came",
)
ALWAYS: Final = (
    *money.BOOKS,
    *money.GATEWAYS,
    *transfers.TRANSFERS,
    *matching.FUNDS,
    *waiting.WAITING,
    *presales.PRESALES,
    *giving.GIFTS,
    *giving.RECEIPTS,
    SHELVES,
    BACKED,
)
TABLES: Final = frozenset(db.metadata.tables)
WRITES: Final = re.compile(r'\b(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) +"?(\w+)"?')
READS: Final = {check.name: TABLES & set(re.findall(r"\w+", check.finds)) for check in ALWAYS}
BESIDE: Final = {guard.table: {guard.book} for guard in triggers.GUARDS if isinstance(guard, triggers.Note)}
UNSETTLED: Final = {
    "attempt": "SELECT COUNT(*) FROM attempt WHERE state IN ('submitting', 'unknown', 'processing')",
    "refund": "SELECT COUNT(*) FROM refund WHERE state IN ('requested', 'submitting', 'pending', 'unknown')",
    "transfer": "SELECT COUNT(*) FROM transfer WHERE state IN ('requested', 'submitting', 'unknown')",
    "reversal": "SELECT COUNT(*) FROM transfer_reversal WHERE state IN ('requested', 'submitting', 'unknown')",
    "line of a batch": "SELECT COUNT(*) FROM settlement_line WHERE state = 'sent'",
    "gateway event": "SELECT COUNT(*) FROM gateway_event WHERE status IN ('received', 'unmatched')",
    "closed fund with money": "SELECT COUNT(*) FROM matching_fund WHERE state = 'closed' "
    "AND received_fen > matched_fen + held_fen + gone_fen",
    "presale": "SELECT COUNT(*) FROM presale WHERE state IN ('live', 'waiting_funds', 'successful', 'delivering')",
    "place": "SELECT COUNT(*) FROM backing WHERE state IN ('held', 'confirmed')",
    "order": "SELECT COUNT(*) FROM \"order\" WHERE state = 'pending_payment'",
}


class Witness:
    """Knows what must be true at any moment, and which tables were written since it was asked last.

    A check reads nothing but tables (no clock), so it finds what it found as long as none of its tables was written."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection  # its own, which keeps the plans of all checks
        self.written = set(TABLES)

    def watch(self, _connection: Any, _cursor: Any, statement: str, *_context: Any) -> None:
        """After a statement; rolled back or not, what it wrote is looked at again. Triggers write beside."""
        for table in WRITES.findall(statement):
            self.written |= TABLES if table not in TABLES else {table} | BESIDE.get(table, set())

    def broken_now(self) -> list[str]:
        """What is not true, though it must be."""
        db.session.remove()
        due = [check for check in ALWAYS if READS[check.name] & self.written]
        self.written.clear()
        broken = [check for check in due if self.finds_something(check)]
        found = [str(each.words) for each in checks.run(self.connection, broken) if isinstance(each, Difference)]
        self.connection.rollback()
        return found

    def finds_something(self, check: Check) -> bool:
        parts = checks.slices(self.connection, check.sliced) if check.sliced else ({},)
        return any(self.connection.execute(text(check.finds), part).first() is not None for part in parts)


@contextmanager
def watching() -> Iterator[Witness]:
    """Of all that is written to the marketplace's database meanwhile."""
    with db.engine.connect() as connection:
        witness = Witness(connection)
        event.listen(db.engine, "after_cursor_execute", witness.watch)
        try:
            yield witness
        finally:
            event.remove(db.engine, "after_cursor_execute", witness.watch)


def broken_at_rest(world: World) -> list[str]:
    """What is not as it should be once everything has settled: the whole audit, and nothing left half done."""
    world.reconcile()
    settling.work_until_nothing_is_due(world)  # reconciling fetches the webhooks that never came
    world.reconcile()  # and what was sent only then has moved too
    found = differences(world.shop)
    with db.engine.connect() as connection:
        for kind, sql in UNSETTLED.items():
            if count := connection.scalar(text(sql)):
                found.append(f"{count} of kind {kind} never came to an end")
    theirs = world.cashier.balance()
    for currency in ("CNY", "HKD"):
        ours = books.balance(db.session(), "gateway_clearing", "sandbox", book="test", commodity=currency)
        if ours != theirs.get(currency, 0):
            found.append(f"the books say that {ours} {currency} are at the cashier, the cashier has {theirs}")
    if running.reconcile(world.cashier, actor="test").is_red:
        found.append("reconciliation finds differences")
    db.session.remove()
    return found
