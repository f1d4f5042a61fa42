"""`flask --app wsgi ledger audit`: what should be true of money, stock, states and chains, asked of the database itself.

Read by SQL of its own, never through the models that wrote it; nothing is held in memory but a page of rows."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from marketplace.auditing import (
    arrivals,
    beneficiaries,
    cases,
    cashier,
    chains,
    channels,
    checks,
    closings,
    devices,
    editing,
    feedback,
    giving,
    groups,
    imports,
    institutions,
    lives,
    matching,
    money,
    movements,
    offline,
    organisations,
    over,
    owed,
    particulars,
    payouts,
    plans,
    presales,
    programs,
    promotions,
    refunds,
    repayments,
    reports,
    students,
    together,
    trade,
    transfers,
    waiting,
    whereabouts,
)
from marketplace.auditing.checks import Difference

COUNTED = {"entries": "entry", "lines": "line", "orders": '"order"', "stock movements": "stock_movement"}
COUNTED |= {"batches": "settlement_batch", "public rows": "public_row", "receipts": "receipt", "seals": "seal"}
COUNTED |= {"arrivals": "arrival", "closed days": "station_day"}
COUNTED |= {"promotions": "promotion", "invoices": "invoice"}
COUNTED |= {"reviews": "customer_review", "questions": "question"}
COUNTED |= {"statements of institutions": "account_statement", "bank transfers": "bank_transfer"}
COUNTED |= {"repayments of providers": "repayment"}
COUNTED |= {"places of students": "student_place", "terms of schools": "school_term"}
COUNTED |= {"presales": "presale", "places in them": "backing"}
COUNTED |= {"pledges": "pledge", "devices": "device", "imported sheets": "listing_import"}


def findings(connection: Connection, at_the_cashier: Connection | None) -> Iterator[Difference | str]:
    """Every difference; and before each part, as plain text, what is being looked at."""
    yield from checks.run(connection, (*money.BOOKS, *money.GATEWAYS, *trade.ORDERS, *trade.GOODS))
    yield from checks.run(connection, offline.OFFLINE)
    yield from checks.run(
        connection, (*refunds.REFUNDS, *owed.OWED, *movements.MOVEMENTS, *payouts.PAYOUTS, *transfers.TRANSFERS)
    )
    yield from checks.run(connection, (*arrivals.ARRIVALS, *closings.CLOSINGS))
    yield from checks.run(connection, promotions.PROMOTIONS)
    yield from payouts.differences(connection)
    yield from checks.run(connection, particulars.PARTICULARS)
    yield from particulars.differences(connection)
    yield from checks.run(connection, cases.CASES)
    yield from checks.run(connection, groups.GROUPS)
    yield from groups.differences(connection)
    yield from checks.run(connection, institutions.INSTITUTIONS)
    yield from checks.run(connection, (*giving.GIFTS, *giving.RECEIPTS, *giving.PUBLIC))
    yield from checks.run(connection, (*whereabouts.WHEREABOUTS, *reports.REPORTS))
    yield from whereabouts.differences(connection)
    yield from over.differences(connection)
    yield from checks.run(connection, repayments.REPAYMENTS)
    yield from repayments.differences(connection)
    yield from reports.differences(connection)
    yield from checks.run(connection, beneficiaries.BENEFICIARIES)
    yield from checks.run(connection, (*organisations.ORGANISATIONS, *together.TOGETHER, *channels.CHANNELS))
    yield from organisations.differences(connection)
    yield from checks.run(connection, (*plans.PLANS, *students.STUDENTS, *matching.FUNDS, *waiting.WAITING))
    yield from checks.run(connection, presales.PRESALES)
    yield from presales.differences(connection)
    yield from checks.run(connection, (*devices.DEVICES, *devices.PLEDGES, *imports.IMPORTS, *imports.MOVED))
    yield from checks.run(connection, (*editing.EDITS, *editing.CONSENTS))
    yield from editing.differences(connection)
    yield from checks.run(connection, (*programs.PROGRAMS, *programs.TOLD))
    yield from checks.run(connection, feedback.FEEDBACK)
    yield from lives.differences(connection)
    yield from chains.differences(connection)
    if at_the_cashier:
        yield from cashier.differences(connection, at_the_cashier)
        yield from movements.differences(connection, at_the_cashier)


def figures(connection: Connection) -> dict[str, int]:
    """What was looked at."""
    return {words: int(connection.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0) for words, table in COUNTED.items()}
