"""What gateways keep for themselves: our cost, never the payer's, and covered by the province's grant month by month."""

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.ledger.queries import lines
from marketplace.payments.reconciliation.models import GatewayMovement

PROVINCE = "province"


class MonthNotOver(Refusal):
    message = _l("This month is not over yet.")


class NothingToCover(Refusal):
    message = _l("No fees were taken in this month.")


class AlreadyCovered(Refusal):
    status = 409
    message = _l("The fees of this month are covered already.")


def key_of(movement: GatewayMovement) -> str:
    return f"gwfee:{movement.remote_id}"


def book_fee(session: Session, movement: GatewayMovement) -> None:
    """Once for each movement, whoever else comes with it."""
    if not movement.fee or books.is_posted(session, key_of(movement)):
        return
    fee = Money(movement.fee, movement.currency)
    moved: dict[books.Account, Money] = {
        ("gateway_fee", movement.book): fee,
        ("gateway_clearing", movement.gateway): -fee,
    }
    books.post(session, key=key_of(movement), book=movement.book, reference=movement.ours or movement.source_id, lines=moved)


def of_month(session: Session, month: date, *, book: str) -> dict[str, int]:
    """The fees that were booked in this month of Shanxi, by currency, in its smallest unit."""
    begins, ends = bounds(month)
    wanted = lines(Line.commodity, func.sum(Line.amount)).where(Entry.kind == "gwfee", Entry.book == book)
    wanted = wanted.where(LedgerAccount.kind == "gateway_fee", Entry.at >= begins, Entry.at < ends)
    return {currency: int(units) for currency, units in session.execute(wanted.group_by(Line.commodity))}


def cover(session: Session, *, month: date, book: str, actor: str) -> dict[str, int]:
    """Take a month's fees out of the operating grant, each currency for itself; returns how much. `month`: any day of it.

    Raises MonthNotOver, NothingToCover, AlreadyCovered."""
    key = grant_key(month)
    if bounds(month)[1] > clock.now():
        raise MonthNotOver(key)
    if is_covered(session, month):
        raise AlreadyCovered(key)
    taken = of_month(session, month, book=book)
    if not taken:
        raise NothingToCover(key)
    moved: list[tuple[books.Account, Money]] = []
    for currency, units in sorted(taken.items()):
        fee = Money(units, currency)
        moved += [(("operating_grant", PROVINCE), fee), (("gateway_fee", book), -fee)]
    books.post(session, key=key, book=book, reference=key, lines=moved)
    fees = ", ".join(f"{units} {currency}" for currency, units in sorted(taken.items()))
    audit.record(session, actor=actor, action="gateway_fees.covered", subject=key, fees=fees)
    return taken


def is_covered(session: Session, month: date) -> bool:
    return books.is_posted(session, grant_key(month))


def grant_key(month: date) -> str:
    return f"grant:{month:%Y-%m}"


def bounds(month: date) -> tuple[datetime, datetime]:
    first = month.replace(day=1)
    next_first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return clock.start_of(first), clock.start_of(next_first)
