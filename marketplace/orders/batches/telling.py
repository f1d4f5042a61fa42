"""Batches, payees and statements in words."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.core import clock, csv_rows
from marketplace.core.formats import full_date, language, short_date, yuan
from marketplace.orders.batches import covering
from marketplace.orders.batches.answers import Verdict as V
from marketplace.orders.batches.models import BatchLine
from marketplace.orders.batches.statements import Row, Statement
from marketplace.orders.batches.states import BatchState as B, LeftOut, LineState as L
from marketplace.orders.batches.typesetting import Paper
from marketplace.payments.transfers.states import PayeeState as P, TransferState as T

BATCHES: Final[dict[B, tuple[LazyString, str]]] = {
    B.DRAFTED: (_l("Waiting for approval"), "now"),
    B.APPROVED: (_l("Approved, not sent"), "now"),
    B.SENT: (_l("At the bank"), "info"),
    B.CLOSED: (_l("Closed"), ""),
}
LINES: Final[dict[L, tuple[LazyString, str]]] = {
    L.DUE: (_l("due"), "now"),
    L.SENT: (_l("at the bank"), "info"),
    L.CONFIRMED: (_l("paid"), "give"),
    L.RETURNED: (_l("returned"), "urgent"),
}
BOUNCED: Final = (_l("taken back by the bank"), "urgent")
TRANSFERS: Final[dict[T, tuple[LazyString, str]]] = {
    T.REQUESTED: (_l("to the payment provider"), "info"),
    T.SUBMITTING: (_l("at the payment provider"), "info"),
    T.UNKNOWN: (_l("no answer yet"), "urgent"),
    T.SUCCEEDED: (_l("paid"), "give"),
    T.FAILED: (_l("returned"), "urgent"),
}
AT_GATEWAY: Final[dict[P, tuple[LazyString, str]]] = {
    P.OPENING: (_l("being set up"), "info"),
    P.INCOMPLETE: (_l("not finished"), "now"),
    P.VERIFIED: (_l("set up"), "verified"),
    P.RESTRICTED: (_l("refused"), "urgent"),
}
SAID: Final[dict[str, LazyString]] = {
    "InsufficientFunds": _l("There was not enough money at the payment provider"),
    "Declined": _l("The payment provider refused it"),
    "Invalid": _l("The payment provider refused it"),
    "NotSupported": _l("The payment provider refused it"),
    "NeverArrived": _l("It never reached the payment provider"),
}
FROZEN: Final[dict[str, LazyString]] = {
    covering.OWES: _l("Owes money after a refund, and the payment provider could not take it back"),
}
WHY_NOT: Final[dict[LeftOut, LazyString]] = {
    LeftOut.UNVERIFIED: _l("No verified bank account"),
    LeftOut.FROZEN: _l("Payments to this payee are stopped"),
    LeftOut.NOTHING_OWED: _l("Owes money after a refund; it is deducted from later sales"),
    LeftOut.UNDER_WAY: _l("An earlier payment is not answered yet"),
    LeftOut.CHANGED: _l("The bank account was changed after the draft"),
    LeftOut.SMALLER: _l("A refund came after the draft"),
}
VERDICTS: Final[dict[V, LazyString]] = {
    V.CONFIRMS: _l("Will be marked as paid"),
    V.RETURNS: _l("Will be marked as returned"),
    V.BOUNCES: _l("Will be marked as taken back after it was paid"),
    V.REPEATS: _l("Recorded already, nothing changes"),
    V.UNKNOWN: _l("No such payment in this batch"),
    V.OTHER_AMOUNT: _l("The amount differs"),
    V.ANSWERED: _l("Recorded otherwise before"),
    V.TWICE: _l("Stands in the file more than once"),
    V.NO_RESULT: _l("The result is none of paid, returned and bounced"),
    V.NO_REASON: _l("It came back without a reason"),
}
KINDS: Final[dict[str, LazyString]] = {
    "settle": _l("Parcel settled"),
    "refund": _l("Refund to the buyer"),
    "refund_failed": _l("Refund came back"),
    "case_borne": _l("The province decided who bears a refund"),
    "case_borne_failed": _l("A refund came back, so nobody bears it"),
    "bill_lost": _l("Lost before an institution paid: the station pays the growers"),
    "dispute_kept": _l("Lost or brought back, refunded by the buyer's bank"),
    "payout": _l("Paid to you"),
    "payout_failed": _l("Payment returned by the bank"),
    "payout_bounced": _l("Payment taken back by the bank"),
    "reversal": _l("Taken back of what was paid to you"),
}
OTHER: Final = _l("Other entry")


def standing(line: BatchLine) -> tuple[LazyString, str]:
    """How a payment stands, and how urgent that looks."""
    return LINES[line.state] if line.bounced_at is None else BOUNCED


def kind(row: Row) -> str:
    return str(KINDS.get(row.kind, OTHER))


def explanation(row: Row) -> str:
    """How a sum came about, or what became of a payment; empty where the kind says it all."""
    if row.kind == "settle" and row.adds_up:
        return goods(row)
    if row.kind == "payout" and row.line_state:
        return str(LINES[row.line_state][0])
    return said(row.said) if row.kind in {"payout_failed", "payout_bounced"} else ""


def said(words: str) -> str:
    """What the bank or the gateway has said of a payment."""
    return str(SAID.get(words, words))


def why_frozen(because: str) -> str:
    """A person's reason, or the house's own."""
    return str(FROZEN.get(because, because))


def goods(row: Row) -> str:
    return str(_(", ")).join(f"{title} × {quantity}" for title, quantity in row.goods)


def month(statement: Statement) -> str:
    """ "2026年10月" or "10/2026", within a sentence."""
    return str(_("%(month)s/%(year)s", year=statement.month.year, month=statement.month.month))


def heads() -> tuple[str, ...]:
    return (_("Date"), _("Entry"), _("Explanation"), _("Number"), _("Amount (yuan)"), _("Balance (yuan)"))


def as_csv(statement: Statement, name: str) -> bytes:
    """The statement as a file for a table program, in the reader's language; days are those of Shanxi."""
    rows: list[tuple[str, ...]] = [
        (_("Statement"), name, month(statement), _("test money") if statement.book == "test" else ""),
        heads(),
        ("", _("Opening balance"), "", "", "", csv_rows.yuan(statement.opening_fen)),
        *(
            (clock.local(row.at).date().isoformat(), *words(row), csv_rows.yuan(row.fen), csv_rows.yuan(row.balance_fen))
            for row in statement.rows
        ),
        ("", _("Closing balance"), "", "", "", csv_rows.yuan(statement.closing_fen)),
    ]
    return ("\ufeff" + "".join(csv_rows.row(cells) for cells in rows)).encode()


def words(row: Row) -> tuple[str, str, str]:
    return kind(row), explanation(row), row.reference


def as_paper(statement: Statement, name: str) -> Paper:
    """The statement as a paper, in the reader's language."""
    rows = [(short_date(row.at, language()), *words(row), yuan(row.fen), yuan(row.balance_fen)) for row in statement.rows]
    rows.insert(0, ("", _("Opening balance"), "", "", "", yuan(statement.opening_fen)))
    rows.append(("", _("Closing balance"), "", "", "", yuan(statement.closing_fen)))
    return {
        "language": language(),
        "title": _("Statement %(month)s", month=month(statement)),
        "name": name,
        "band": _("Test money: you are not really charged") if statement.book == "test" else "",
        "heads": list(heads()),
        "rows": [list(row) for row in rows],
        "note": _("Every amount is from the ledger. Made on %(day)s.", day=full_date(clock.today(), language())),
        "page": _("Page"),
    }
