"""What is true after every step of a life, whatever broke; and what is true when everything has settled down."""

from typing import Final

from sqlalchemy import text

from marketplace.auditing import checks, matching, money, transfers, waiting
from marketplace.auditing.checks import Check, Difference
from marketplace.core.db import db
from marketplace.ledger import books
from marketplace.payments.reconciliation import running
from tests.orders.conftest import differences
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
    WHERE o.paid_at IS NOT NULL GROUP BY o.id, o.number, o.total_fen HAVING COALESCE(SUM(a.fen), 0) <> o.total_fen""",
    "order {name} of {owed} fen counts as paid, {amount} came",
)
ALWAYS: Final = (*money.BOOKS, *money.GATEWAYS, *transfers.TRANSFERS, *matching.FUNDS, *waiting.WAITING, SHELVES, BACKED)
UNSETTLED: Final = {
    "attempt": "SELECT COUNT(*) FROM attempt WHERE state IN ('submitting', 'unknown', 'processing')",
    "refund": "SELECT COUNT(*) FROM refund WHERE state IN ('requested', 'submitting', 'pending', 'unknown')",
    "transfer": "SELECT COUNT(*) FROM transfer WHERE state IN ('requested', 'submitting', 'unknown')",
    "reversal": "SELECT COUNT(*) FROM transfer_reversal WHERE state IN ('requested', 'submitting', 'unknown')",
    "line of a batch": "SELECT COUNT(*) FROM settlement_line WHERE state = 'sent'",
    "gateway event": "SELECT COUNT(*) FROM gateway_event WHERE status IN ('received', 'unmatched')",
    "closed fund with money": "SELECT COUNT(*) FROM matching_fund WHERE state = 'closed' "
    "AND received_fen > matched_fen + held_fen + gone_fen",
    "order": "SELECT COUNT(*) FROM \"order\" WHERE state = 'pending_payment'",
}


def broken_now() -> list[str]:
    """What is not true, though it must be at any moment."""
    db.session.remove()
    with db.engine.connect() as connection:
        return [str(each.words) for each in checks.run(connection, ALWAYS) if isinstance(each, Difference)]


def broken_at_rest(world: World) -> list[str]:
    """What is not as it should be once everything has settled: the whole audit, and nothing left half done."""
    world.reconcile()
    world.work_until_nothing_is_due()  # reconciling fetches the webhooks that never came
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
