"""`flask --app wsgi ledger audit`: what should be true of money, stock, states and chains, asked of the database itself.

Each check is one statement that finds what is wrong, and a sentence to say it in."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from marketplace.core import sealing
from marketplace.ledger.accounts import NEVER_IN_DEBIT
from marketplace.orders.states import ORDER, PARCEL
from marketplace.payments.states import ATTEMPT, REFUND

MOST_SHOWN: Final = 20
PAGE: Final = 5_000


@dataclass(frozen=True)
class Check:
    """Rows of `finds` are differences; `says` is filled from a row's columns."""

    name: str
    finds: str
    says: str


CHECKS: Final = (
    Check(
        "trial balance",
        """SELECT entry.book AS book, line.commodity AS commodity, SUM(line.amount) AS amount
        FROM line JOIN entry ON entry.id = line.entry_id GROUP BY entry.book, line.commodity HAVING SUM(line.amount) <> 0""",
        "the {book} book is off by {amount} {commodity}",
    ),
    Check(
        "entries balance",
        """SELECT entry.key AS name, line.commodity AS commodity, SUM(line.amount) AS amount FROM entry
        JOIN line ON line.entry_id = entry.id GROUP BY entry.key, line.commodity HAVING SUM(line.amount) <> 0""",
        "entry {name} is off by {amount} {commodity}",
    ),
    Check(
        "lines have entries",
        "SELECT line.id AS name FROM line LEFT JOIN entry ON entry.id = line.entry_id WHERE entry.id IS NULL",
        "line {name} belongs to no entry",
    ),
    Check(
        "books do not mix",
        """SELECT entry.key AS name FROM line JOIN entry ON entry.id = line.entry_id
        JOIN ledger_account a ON a.id = line.account_id WHERE a.book <> entry.book""",
        "entry {name} mixes test and live money",
    ),
    Check(
        "attempts are captured once",
        """SELECT attempt.public_id AS name, attempt.fen AS owed, COALESCE(SUM(line.amount), 0) AS amount FROM attempt
        LEFT JOIN entry ON entry.key = 'capture:' || attempt.public_id
        LEFT JOIN line ON line.entry_id = entry.id AND line.amount > 0
        WHERE attempt.state = 'succeeded' GROUP BY attempt.public_id, attempt.fen
        HAVING COALESCE(SUM(line.amount), 0) <> attempt.fen""",
        "attempt {name} took {owed} fen, the books say {amount}",
    ),
    Check(
        "captures have attempts",
        """SELECT entry.key AS name FROM entry LEFT JOIN attempt
        ON entry.key = 'capture:' || attempt.public_id AND attempt.state = 'succeeded'
        WHERE entry.kind = 'capture' AND attempt.id IS NULL""",
        "{name} is booked, but nobody paid",
    ),
    Check(
        "orders add up",
        """SELECT o.number AS name, o.goods_fen AS owed, COALESCE(SUM(l.unit_price_fen * l.quantity), 0) AS amount
        FROM "order" o LEFT JOIN parcel p ON p.order_id = o.id LEFT JOIN order_line l ON l.parcel_id = p.id
        GROUP BY o.number, o.goods_fen HAVING COALESCE(SUM(l.unit_price_fen * l.quantity), 0) <> o.goods_fen""",
        "order {name} says {owed} fen of goods, its lines {amount}",
    ),
    Check(
        "parcels add up",
        """SELECT p.public_id AS name, p.goods_fen AS owed, SUM(l.unit_price_fen * l.quantity) AS amount
        FROM parcel p JOIN order_line l ON l.parcel_id = p.id GROUP BY p.public_id, p.goods_fen, p.service_fee_fen
        HAVING SUM(l.unit_price_fen * l.quantity) <> p.goods_fen
        OR SUM(l.unit_service_fee_fen * l.quantity) <> p.service_fee_fen""",
        "parcel {name} says {owed} fen of goods, its lines {amount}; or the fees differ",
    ),
    Check(
        "paid orders are allocated",
        """SELECT o.number AS name, o.total_fen AS owed, COALESCE(SUM(line.amount), 0) AS amount FROM "order" o
        LEFT JOIN entry ON entry.key = 'allocate:' || o.number LEFT JOIN line ON line.entry_id = entry.id AND line.amount > 0
        WHERE o.paid_at IS NOT NULL GROUP BY o.number, o.total_fen HAVING COALESCE(SUM(line.amount), 0) <> o.total_fen""",
        "order {name} was paid {owed} fen, {amount} were allocated",
    ),
    Check(
        "allocations follow the lines",
        """SELECT o.number AS name, s.owner AS owner, s.owed AS owed, COALESCE(b.amount, 0) AS amount
        FROM "order" o JOIN (
            SELECT p.order_id AS order_id, l.seller_public_id AS owner,
                   SUM((l.unit_price_fen - l.unit_service_fee_fen) * l.quantity) AS owed
            FROM parcel p JOIN order_line l ON l.parcel_id = p.id GROUP BY p.order_id, l.seller_public_id
            UNION ALL SELECT order_id, station_code, SUM(service_fee_fen + shipping_fen) FROM parcel
            GROUP BY order_id, station_code) s ON s.order_id = o.id
        LEFT JOIN (SELECT entry.reference AS number, a.owner AS owner, -SUM(line.amount) AS amount FROM entry
            JOIN line ON line.entry_id = entry.id JOIN ledger_account a ON a.id = line.account_id
            WHERE entry.kind = 'allocate' AND a.kind <> 'buyer_clearing' GROUP BY entry.reference, a.owner) b
        ON b.number = o.number AND b.owner = s.owner
        WHERE o.paid_at IS NOT NULL AND COALESCE(b.amount, 0) <> s.owed""",
        "order {name}: {owner} should have {owed} fen, the books say {amount}",
    ),
    Check(
        "nothing is left in clearing",
        """SELECT entry.reference AS name, SUM(line.amount) AS amount FROM line JOIN entry ON entry.id = line.entry_id
        JOIN ledger_account a ON a.id = line.account_id WHERE a.kind = 'buyer_clearing'
        GROUP BY entry.reference HAVING SUM(line.amount) <> 0""",
        "{amount} fen of {name} were neither allocated nor sent back",
    ),
    Check(
        "settled parcels moved from held to payable",
        """SELECT p.public_id AS name, p.goods_fen + p.shipping_fen AS owed, COALESCE(SUM(line.amount), 0) AS amount
        FROM parcel p LEFT JOIN entry ON entry.key LIKE 'settle:' || p.public_id || ':%'
        LEFT JOIN line ON line.entry_id = entry.id AND line.amount > 0 WHERE p.state = 'settled'
        GROUP BY p.public_id, p.goods_fen, p.shipping_fen
        HAVING COALESCE(SUM(line.amount), 0) <> p.goods_fen + p.shipping_fen""",
        "parcel {name} is settled: {owed} fen should be payable, {amount} are",
    ),
    Check(
        "only settled parcels are payable",
        """SELECT entry.key AS name FROM entry WHERE entry.kind = 'settle' AND NOT EXISTS (
        SELECT 1 FROM parcel p WHERE p.state = 'settled' AND entry.key LIKE 'settle:' || p.public_id || ':%')""",
        "{name} is booked, but its parcel is not settled",
    ),
    Check(
        "refused parcels are refunded",
        """SELECT p.public_id AS name, p.goods_fen + p.shipping_fen AS owed, COALESCE(r.fen, 0) AS amount FROM parcel p
        JOIN "order" o ON o.id = p.order_id LEFT JOIN refund r ON r.reason_key = 'parcel:' || p.public_id
        WHERE p.state = 'refused' AND o.paid_at IS NOT NULL AND COALESCE(r.fen, 0) <> p.goods_fen + p.shipping_fen""",
        "parcel {name} was refused: {owed} fen should go back, {amount} do",
    ),
    Check(
        "no more goes back than came",
        """SELECT attempt.public_id AS name, attempt.fen AS owed, SUM(refund.fen) AS amount FROM refund
        JOIN attempt ON attempt.id = refund.attempt_id WHERE refund.state <> 'failed'
        GROUP BY attempt.public_id, attempt.fen HAVING SUM(refund.fen) > attempt.fen""",
        "attempt {name} took {owed} fen, {amount} go back",
    ),
    Check(
        "refunds are booked",
        """SELECT refund.public_id AS name, refund.fen AS owed, COALESCE(SUM(line.amount), 0) AS amount FROM refund
        LEFT JOIN entry ON entry.key = 'refund:' || refund.public_id
        LEFT JOIN line ON line.entry_id = entry.id AND line.amount > 0 GROUP BY refund.public_id, refund.fen
        HAVING COALESCE(SUM(line.amount), 0) <> refund.fen""",
        "refund {name} is {owed} fen, the books say {amount}",
    ),
    Check(
        "refunds that arrived left the gateway",
        """SELECT refund.public_id AS name, refund.fen AS amount FROM refund
        LEFT JOIN entry ON entry.key = 'refund_done:' || refund.public_id
        WHERE refund.state = 'succeeded' AND entry.id IS NULL""",
        "refund {name} of {amount} fen arrived, the books do not know",
    ),
    Check(
        "stock follows its movements",
        """SELECT v.code AS name, v.on_hand AS on_hand, v.reserved AS reserved, COALESCE(m.on_hand, 0) AS moved,
        COALESCE(m.reserved, 0) AS held FROM variant v LEFT JOIN (SELECT variant_code, SUM(on_hand_change) AS on_hand,
        SUM(reserved_change) AS reserved FROM stock_movement GROUP BY variant_code) m ON m.variant_code = v.code
        WHERE v.on_hand <> COALESCE(m.on_hand, 0) OR v.reserved <> COALESCE(m.reserved, 0)""",
        "{name}: {on_hand} on the shelf and {reserved} held, the movements say {moved} and {held}",
    ),
    Check(
        "what is held is ordered",
        """SELECT v.code AS name, v.reserved AS amount, COALESCE(w.quantity, 0) AS owed FROM variant v
        LEFT JOIN (SELECT l.variant_code, SUM(l.quantity) AS quantity FROM order_line l JOIN parcel p ON p.id = l.parcel_id
        JOIN "order" o ON o.id = p.order_id WHERE o.state = 'pending_payment' GROUP BY l.variant_code) w
        ON w.variant_code = v.code WHERE v.reserved <> COALESCE(w.quantity, 0)""",
        "{name}: {amount} are held, unpaid orders hold {owed}",
    ),
    Check(
        "what was sold was paid",
        """SELECT o.number AS name, w.quantity AS owed, COALESCE(m.quantity, 0) AS amount FROM "order" o
        JOIN (SELECT p.order_id, SUM(l.quantity) AS quantity FROM parcel p JOIN order_line l ON l.parcel_id = p.id
        GROUP BY p.order_id) w ON w.order_id = o.id
        LEFT JOIN (SELECT reference, -SUM(on_hand_change) AS quantity FROM stock_movement WHERE kind = 'sold'
        GROUP BY reference) m ON m.reference = o.number
        WHERE COALESCE(m.quantity, 0) <> CASE WHEN o.paid_at IS NULL THEN 0 ELSE w.quantity END""",
        "order {name}: {owed} packs ordered, {amount} left the shelf",
    ),
)

STATES: Final[
    dict[str, tuple[str, Mapping[Any, Any], str]]
] = {  # table, its public id, the table of its transitions, where its life begins
    "order": ("number", ORDER, "pending_payment"),
    "parcel": ("public_id", PARCEL, "awaiting_acceptance"),
    "attempt": ("public_id", ATTEMPT, "created"),
    "refund": ("public_id", REFUND, "requested"),
}


def differences(connection: Connection) -> Iterator[str]:
    """Everything that is not as it should be, in plain words; nothing is held in memory but a page of rows."""
    for check in CHECKS:
        for row in connection.execution_options(yield_per=PAGE).execute(text(check.finds)).mappings():
            yield f"{check.name}: {check.says.format(**row)}"
    yield from overdrawn(connection)
    for table, (name, ways, birth) in STATES.items():
        yield from broken_lives(connection, table, name, {str(key): set(map(str, to)) for key, to in ways.items()}, birth)
    for chain in sealing.chains:
        yield from broken_links(connection, chain)
    yield from unsealed_records(connection)


def overdrawn(connection: Connection) -> Iterator[str]:
    """Held money and money in transit is never in debit; what is payable may be, after a refund."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(NEVER_IN_DEBIT))
    wrong = f"""SELECT a.kind AS kind, a.owner AS owner, SUM(line.amount) AS amount FROM line
    JOIN ledger_account a ON a.id = line.account_id WHERE a.kind IN ({kinds})
    GROUP BY a.kind, a.owner, a.book, line.commodity HAVING SUM(line.amount) > 0"""
    for row in connection.execute(text(wrong)).mappings():
        yield "no account is overdrawn: {kind} of {owner} by {amount} fen".format(**row)


def broken_lives(connection: Connection, table: str, name: str, ways: dict[str, set[str]], birth: str) -> Iterator[str]:
    """The event rows of each thing lead from its birth to where it stands, along the table of its states."""
    lives = f"""SELECT t.{name} AS name, t.state AS state, e.from_state AS here, e.to_state AS there FROM "{table}" t
    LEFT JOIN event e ON e.subject = '{table}:' || t.{name} ORDER BY t.id, e.id"""
    current, reached, state = None, "", ""
    for row in connection.execution_options(yield_per=PAGE).execute(text(lives)).mappings():
        if row["name"] != current:
            if current is not None and reached != state:
                yield f"states have traces: {table} {current} is {state}, its events lead to {reached or 'nothing'}"
            current, reached, state = row["name"], "", row["state"]
        if row["there"] is None:
            continue
        legal = row["there"] == birth if not row["here"] else row["there"] in ways[row["here"]]
        if row["here"] != reached or not legal:
            yield f"states have traces: {table} {current} went from {row['here'] or 'nothing'} to {row['there']}"
        reached = row["there"]
    if current is not None and reached != state:
        yield f"states have traces: {table} {current} is {state}, its events lead to {reached or 'nothing'}"


def broken_links(connection: Connection, chain: str) -> Iterator[str]:
    """Numbers without gaps, each hash over the one before."""
    links = text("SELECT number, digest, previous, hash FROM seal WHERE chain = :chain ORDER BY number")
    previous = sealing.GENESIS
    rows = connection.execution_options(yield_per=PAGE).execute(links, {"chain": chain}).mappings()
    for number, row in enumerate(rows, start=1):
        expected = hashlib.sha256(f"{previous}\n{row['number']}\n{row['digest']}".encode()).hexdigest()
        if (row["number"], row["previous"], row["hash"]) != (number, previous, expected):
            rows.close()
            yield f"the chain holds: {chain} is broken at number {row['number']}"
            return
        previous = row["hash"]


def unsealed_records(connection: Connection) -> Iterator[str]:
    """Each sealed audit record still says what its seal was made over."""
    sealed = text(
        """SELECT r.id AS id, r.at AS at, r.actor AS actor, r.action AS action, r.subject AS subject, r.why AS why,
        r.detail AS detail, s.digest AS digest FROM audit_record r JOIN seal s ON s.chain = 'audit' AND s.record_id = r.id
        ORDER BY r.id"""
    )
    for row in connection.execution_options(yield_per=PAGE).execute(sealed).mappings():
        detail = json.loads(row["detail"]) if isinstance(row["detail"], str) else row["detail"]
        content = {name: row[name] for name in ("id", "actor", "action", "subject", "why")}
        canonical = json.dumps(
            content | {"at": microseconds(row["at"]), "detail": detail},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        if hashlib.sha256(canonical.encode()).hexdigest() != row["digest"]:
            yield f"records are as they were sealed: audit record {row['id']} was changed"


def microseconds(at: Any) -> int:
    """SQLite gives the moment as text, PostgreSQL as a moment."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(whole.timestamp() * 1_000_000)


def figures(connection: Connection) -> dict[str, int]:
    """What was looked at."""
    counted = {
        "entries": "entry",
        "lines": "line",
        "orders": '"order"',
        "stock movements": "stock_movement",
        "seals": "seal",
    }
    return {words: int(connection.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0) for words, table in counted.items()}
