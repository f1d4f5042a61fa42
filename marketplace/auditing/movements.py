"""What gateways say has moved, beside our books; and the sandbox's own list of it, beside what we have kept of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from marketplace.auditing.cashier import Side, side_by_side
from marketplace.auditing.checks import Check, Difference, moment
from marketplace.auditing.money import LINES

AT_THE_CASHIER: Final = "the cashier's movements are known as they are"
READ_BEFORE: Final = timedelta(minutes=1)  # what moved while the last reconciliation read may have come too late for it
CLEARED: Final = f"""SELECT entry.key AS key, a.owner AS owner, line.commodity AS commodity, SUM(line.amount) AS amount
    FROM {LINES} WHERE a.kind = 'gateway_clearing' GROUP BY entry.key, a.owner, line.commodity"""
SHOWN: Final = """SELECT matched_entry, gateway, COALESCE(presented, gross) AS shown,
        COALESCE(presented_currency, currency) AS shown_in FROM gateway_movement WHERE verdict = 'matched'"""
"""What was matched, as the payer saw it: the currency of the payment's own entries."""

MOVEMENTS: Final = (
    Check(
        "movements add up",
        "SELECT remote_id AS name, gross, fee, net FROM gateway_movement WHERE gross - fee <> net",
        "movement {name}: {gross} less {fee} is not {net}",
    ),
    Check(
        "matched movements are what the books say",
        f"""SELECT t.name AS name, t.gateway AS gateway, SUM(t.shown) AS amount, SUM(t.booked) AS booked FROM (
            SELECT entry.key AS name, m.gateway AS gateway, m.shown_in AS shown_in,
            m.shown AS shown, 0 AS booked, 1 AS is_shown
            FROM entry CROSS JOIN ({SHOWN}) m WHERE entry.id BETWEEN :first AND :last AND m.matched_entry = entry.key
            UNION ALL SELECT entry.key, a.owner, line.commodity, 0, line.amount, 0
            FROM entry CROSS JOIN line CROSS JOIN ledger_account a WHERE entry.id BETWEEN :first AND :last
            AND line.entry_id = entry.id AND a.id = line.account_id AND a.kind = 'gateway_clearing') t
        GROUP BY t.name, t.gateway, t.shown_in HAVING SUM(t.is_shown) > 0 AND SUM(t.shown) <> SUM(t.booked)""",
        "{name} moved {amount} at {gateway}, the books say {booked}",
        sliced="entry",
    ),
    Check(
        "conversions are what gateways gave",
        f"""SELECT m.remote_id AS name, m.gross AS amount, m.currency AS currency, m.presented AS shown,
            COALESCE(s.amount, 0) + COALESCE(o.amount, 0) AS booked, -COALESCE(g.amount, 0) AS given FROM gateway_movement m
        LEFT JOIN ({CLEARED}) s ON s.key = 'settled:' || m.remote_id AND s.owner = m.gateway AND s.commodity = m.currency
        LEFT JOIN ({CLEARED}) o ON o.key = m.matched_entry AND o.owner = m.gateway AND o.commodity = m.currency
        LEFT JOIN ({CLEARED}) g ON g.key = 'settled:' || m.remote_id AND g.owner = m.gateway
            AND g.commodity = m.presented_currency
        WHERE m.verdict = 'matched' AND m.presented IS NOT NULL
            AND (m.gross <> COALESCE(s.amount, 0) + COALESCE(o.amount, 0) OR m.presented <> -COALESCE(g.amount, 0)
            OR m.presented_currency IS NULL OR m.presented_currency = m.currency)""",
        "movement {name} gave {amount} {currency} for {shown}, the books say {booked} for {given}",
    ),
    Check(
        "conversions have movements",
        """SELECT entry.key AS name FROM entry LEFT JOIN gateway_movement m
        ON entry.key = 'settled:' || m.remote_id AND entry.book = m.book AND m.presented IS NOT NULL
        WHERE entry.kind = 'settled' AND m.id IS NULL""",
        "{name} is booked, but no gateway converted anything",
    ),
    Check(
        "conversions change nothing but the currency",
        f"""SELECT entry.key AS name, a.kind AS kind, SUM(line.amount) AS amount, line.commodity AS commodity FROM {LINES}
        WHERE (entry.kind = 'settled') <> (a.kind = 'fx_conversion')
            AND NOT (entry.kind = 'settled' AND a.kind = 'gateway_clearing')
        GROUP BY entry.key, a.kind, line.commodity""",
        "{name} moved {amount} {commodity} in {kind}",
    ),
    Check(
        "matched movements have entries",
        """SELECT m.remote_id AS name, m.matched_entry AS entry FROM gateway_movement m
        LEFT JOIN entry ON entry.key = m.matched_entry AND entry.book = m.book
        WHERE m.verdict = 'matched' AND entry.id IS NULL""",
        "movement {name} counts as matched with {entry}, which is not in the books",
    ),
    Check(
        "fees of gateways are booked once",
        """SELECT m.remote_id AS name, m.fee AS fee, -COALESCE(SUM(CASE WHEN a.id > 0 THEN line.amount END), 0) AS booked
        FROM gateway_movement m LEFT JOIN entry ON entry.key = 'gwfee:' || m.remote_id
        LEFT JOIN line ON line.entry_id = entry.id AND line.commodity = m.currency
        LEFT JOIN ledger_account a ON a.id = line.account_id AND a.kind = 'gateway_clearing' AND a.owner = m.gateway
        WHERE m.id BETWEEN :first AND :last GROUP BY m.id, m.remote_id, m.fee
        HAVING m.fee <> -COALESCE(SUM(CASE WHEN a.id > 0 THEN line.amount END), 0)""",
        "movement {name} cost {fee}, the books say {booked}",
        sliced="gateway_movement",
    ),
    Check(
        "booked fees were taken",
        """SELECT entry.key AS name FROM entry WHERE entry.kind = 'gwfee' AND NOT EXISTS (SELECT 1 FROM line
            JOIN ledger_account a ON a.id = line.account_id JOIN gateway_movement m
            ON m.gateway = a.owner AND m.remote_id = SUBSTR(entry.key, 7) WHERE line.entry_id = entry.id)""",
        "{name} is booked, but no gateway took it",
    ),
    Check(
        "grants cover no more than was taken",
        f"""SELECT a.book AS book, SUM(line.amount) AS amount FROM {LINES} WHERE a.kind = 'gateway_fee'
        GROUP BY a.book, line.commodity HAVING SUM(line.amount) < 0""",
        "the grants of the {book} book covered {amount} more than gateways took",
    ),
    Check(
        "money in suspense goes back once",
        f"""SELECT r.payment AS name, r.amount AS amount, COALESCE(s.amount, 0) AS parked FROM (
            SELECT remote_payment AS payment, SUM(fen) AS amount FROM refund
            WHERE remote_payment IS NOT NULL AND state <> 'failed' GROUP BY remote_payment) r
        LEFT JOIN (SELECT entry.key AS key, -SUM(line.amount) AS amount FROM {LINES}
            WHERE entry.kind = 'suspense' AND a.kind = 'suspense' GROUP BY entry.key) s ON s.key = 'suspense:' || r.payment
        WHERE r.amount <> COALESCE(s.amount, 0)""",
        "{amount} fen of payment {name} go back, {parked} were in suspense",
    ),
)
FIGURES: Final = ("gross", "fee", "currency", "presented", "presented_currency")
THEIRS: Final = f"SELECT id, {', '.join(FIGURES)}, at FROM {{schema}}movement"
OURS: Final = f"SELECT remote_id AS id, {', '.join(FIGURES)}, at FROM gateway_movement WHERE gateway = 'sandbox'"


def differences(connection: Connection, cashier: Connection) -> Iterator[Difference | str]:
    """Of what the last reconciliation should have read; where there was none yet, of nothing."""
    yield AT_THE_CASHIER
    theirs = THEIRS.format(schema="sandbox." if cashier.dialect.name == "postgresql" else "")
    reached = connection.scalar(text("SELECT reached FROM gateway_cursor WHERE gateway = 'sandbox'"))
    if reached is None:
        return
    for there, here in side_by_side(cashier, theirs, connection, OURS):
        yield from (Difference(AT_THE_CASHIER, f"movement {words}") for words in not_as_there(there, here, moment(reached)))


def not_as_there(there: Side, here: Side, reached: datetime) -> Iterator[str]:
    if there is None:
        yield f"{here.id if here else ''} is not at the cashier"
    elif here is None:
        if moment(there.at) < reached - READ_BEFORE:
            yield f"{there.id} of {there.gross} was never read"
    elif figures_of(here) != figures_of(there):
        yield f"{there.id} is {figures_of(there)} there, {figures_of(here)} here"


def figures_of(row: Row[Any]) -> tuple[Any, ...]:
    return tuple(row[1:-1])  # between the id and the time
