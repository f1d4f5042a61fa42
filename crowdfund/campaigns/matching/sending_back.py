"""What is left of a closed fund goes back to its sponsor by the ordinary refund; and what a sponsor's bank takes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import funds, holding
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE, account_of
from crowdfund.campaigns.states import FundState
from marketplace.core import audit, outbox
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import subject_of
from marketplace.ledger import books
from marketplace.ledger.models import Entry
from marketplace.payments import refunds
from marketplace.payments.disputes import standing
from marketplace.payments.models import Attempt

REASON: Final = "matching fund closed"
REASON_WORDS: Final = _l("The matching fund was closed")
LATER: Final = timedelta(hours=1)  # matches that come back after it was closed go on together


class NothingLeft(StaleState):
    message = _l("Nothing of this fund is left to be sent back.")


def send_rest(*, fund: str) -> None:
    """The listener of `matching_fund.closed`. Disputed money waits for what the bank decides."""
    try:
        in_transaction(request_rest, fund=fund)
    except NothingLeft:
        pass
    except Refusal:
        in_transaction(come_again, fund=fund)


def come_again(session: Session, *, fund: str) -> None:
    outbox.put(session, funds.CLOSED, after=6 * LATER, fund=fund)


def request_rest(session: Session, *, fund: str) -> str:
    """All that is left, to where it came from; the refund's public id, nothing where the province has it for its loss.

    Raises NotFound, NothingLeft, PaymentIsDisputed."""
    mine = select(Attempt.id).where(Attempt.purpose == PURPOSE, Attempt.reference == fund)
    session.execute(mine.order_by(Attempt.id).with_for_update()).all()  # before the fund, as money that comes in
    standing.refuse_disputed(session, purpose=PURPOSE, reference=fund)
    row = funds.get(session, fund)
    if row.state is not FundState.CLOSED or not (row.left_fen or kept_fen(session, row)):
        raise NothingLeft(fund)
    number = number_of(session, fund)
    cover_loss(session, row, f"dispute_kept:{fund}:{number}")
    amount = Money(row.left_fen, row.currency)
    if not amount:
        return ""
    asked = {"purpose": PURPOSE, "reference": fund, "reason": REASON, "reason_key": f"rest:{number}"}
    refund = refunds.request(session, amount=amount, shares={account_of(row): amount}, **asked)
    row.gone_fen += amount.fen
    return refund


def number_of(session: Session, fund: str) -> int:
    """How often something has gone this way: each time has a key of its own."""
    kinds = Entry.kind.in_(("refund", "dispute_kept"))
    return int(session.scalar(select(func.count()).select_from(Entry).where(Entry.reference == fund, kinds)) or 0)


def cover_loss(session: Session, row: MatchingFund, key: str) -> None:
    """What the sponsor has from the bank already lessens the loss that the province bore for it. What that was lessened by
    before an appeal was won is the fund's again."""
    kept = Money(kept_fen(session, row), row.currency)
    if kept:
        lines: dict[books.Account, Money] = {account_of(row): kept, standing.LOSS: -kept}
        books.post(session, key=key, book=row.book, reference=row.public_id, lines=lines)
        row.gone_fen += kept.fen


def kept_fen(session: Session, row: MatchingFund) -> int:
    """What the province may keep of the fund; below zero: has kept, and bears no loss for it any more."""
    return max(-row.gone_fen, min(row.left_fen, standing.borne(session, row.public_id)))


def send_once_more(session: Session, *, fund: str, person: int) -> None:
    """A refund did not arrive, and a person has looked at it. Raises as `request_rest` does."""
    refund = request_rest(session, fund=fund)
    told = {"actor": funds.actor_of(person), "subject": subject_of(funds.get(session, fund))}
    audit.record(session, action="matching_fund.sent_back_again", **told, refund=refund)


def came_back(session: Session, /, *, reference: str, refund: str, amount: Money) -> None:
    """A refund did not reach the sponsor: its money is the fund's again. A person sends it once more."""
    row = funds.get(session, reference)
    if books.lines_of(session, f"refund:{refund}").get(account_of(row)):  # a surplus was never the fund's
        row.gone_fen -= amount.fen
        cover_loss(session, row, f"dispute_kept:{refund}")


def bear(session: Session, /, *, reference: str, dispute: str, amount: Money) -> Mapping[books.Account, Money]:
    """The sponsor's bank has taken the payment: the fund gives what it still has and is closed; the rest is the
    province's loss."""
    row = funds.get(session, reference)
    holding.let_go_of_fund(session, row, funds.BANK_TOOK_IT)
    share = Money(min(amount.fen, row.left_fen), amount.currency)
    row.gone_fen += share.fen
    if row.state not in {FundState.DRAFT, FundState.CLOSED}:
        funds.end(session, row, funds.SYSTEM, funds.BANK_TOOK_IT)
    return {account_of(row): share} if share else {}


def regain(session: Session, /, *, reference: str, dispute: str) -> None:
    """An appeal was won: what the fund had given is there again, and goes back to the sponsor; and so does what came back to
    it meanwhile."""
    row = funds.get(session, reference)
    back = books.lines_of(session, f"dispute_appealed:{dispute}").get(account_of(row))
    if back:
        row.gone_fen += back.fen  # a credit: negative
    if row.state is FundState.CLOSED:
        outbox.put(session, funds.CLOSED, fund=reference)
