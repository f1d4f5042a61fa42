"""What a gateway settles in another currency than it was paid in: both sums are its own, none is reckoned here.

An entry of a payment moves the payer's currency. When the movement that answers to it is read, `settled:<movement>` puts
what was settled in its place (docs/adr/0018):

    gateway_clearing   - presented   + settled
    fx_conversion      + presented   - settled

So `fx_conversion` holds, of each currency, what was given for the other; what a refund at another rate cost stays there."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.ledger.queries import balances, lines
from marketplace.payments.reconciliation.models import GatewayMovement

ACCOUNT: Final[books.Account] = ("fx_conversion", "")


def key_of(movement: GatewayMovement) -> str:
    return f"settled:{movement.remote_id}"


def book_conversion(session: Session, movement: GatewayMovement) -> None:
    """Once for each movement that is matched, where its currency is not the payer's."""
    if movement.presented is None or books.is_posted(session, key_of(movement)):
        return
    settled = Money(movement.gross - cleared(session, movement, movement.matched_entry), movement.currency)
    clearing: books.Account = ("gateway_clearing", movement.gateway)
    moved = [(clearing, -movement.shown), (ACCOUNT, movement.shown), (clearing, settled), (ACCOUNT, -settled)]
    reference = session.scalars(select(Entry.reference).where(Entry.key == movement.matched_entry)).one()
    books.post(session, key=key_of(movement), book=movement.book, reference=reference, lines=moved)


def is_as_booked(session: Session, movement: GatewayMovement, entry: str | None) -> bool:
    """False where the conversion of it was booked with other sums than the gateway tells now."""
    if movement.presented is None or not books.is_posted(session, key_of(movement)):
        return True
    settled = cleared(session, movement, key_of(movement)) + cleared(session, movement, entry)
    given = cleared(session, movement, key_of(movement), currency=movement.shown.currency)
    return (settled, given) == (movement.gross, -movement.presented)


def cleared(session: Session, movement: GatewayMovement, entry: str | None, *, currency: str = "") -> int:
    """What an entry did to the gateway's account, in the movement's currency (a dispute's fee is at once) or another."""
    wanted = lines(func.coalesce(func.sum(Line.amount), 0)).where(Entry.key == entry, Entry.book == movement.book)
    wanted = wanted.where(LedgerAccount.kind == "gateway_clearing", LedgerAccount.owner == movement.gateway)
    return int(session.scalar(wanted.where(Line.commodity == (currency or movement.currency))) or 0)


def converted(session: Session, *, book: str) -> dict[str, int]:
    """Currency -> what was given away of it (positive) or got (negative) by conversions, refunds taken off."""
    return {row.commodity: int(row.amount) for row in balances(session, book=book, kinds=(ACCOUNT[0],))}


def left_over(session: Session, *, book: str) -> dict[str, int]:
    """Currency -> what was lost (positive) or won because what went back whole went back at another rate.

    Exact: where of one order or gift no yuan are left, which everybody pays, whatever is left is the difference."""
    sums = lines(Entry.reference, Line.commodity, func.sum(Line.amount).label("amount"))
    sums = sums.where(LedgerAccount.kind == ACCOUNT[0], LedgerAccount.book == book)
    by_reference = sums.group_by(Entry.reference, Line.commodity).subquery()
    whole = select(by_reference.c.reference).where(by_reference.c.commodity == "CNY", by_reference.c.amount == 0)
    rest = select(by_reference.c.commodity, func.sum(by_reference.c.amount)).where(by_reference.c.reference.in_(whole))
    found = session.execute(rest.where(by_reference.c.amount != 0).group_by(by_reference.c.commodity))
    return {currency: int(amount) for currency, amount in found}
