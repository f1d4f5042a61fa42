"""A sponsor's money on its way in: an attempt to pay like any other; only what has arrived is there to be given.

match_in:<fund>   buyer_clearing -> matching, in the transaction that captured it"""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import funds, traces
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.traces import Origin
from crowdfund.campaigns.states import FundState
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.payments import attempts
from marketplace.payments.outcomes import CLEARING

PURPOSE: Final = "matching_fund"


class NotAwaited(Refusal):
    message = _l("This matching fund is not waiting for money. Nothing more was charged.")


def is_awaited(session: Session, row: MatchingFund) -> bool:
    """Whether its money would be of use now."""
    return row.state is FundState.DRAFT and funds.takes_gifts(session, row)


def start(session: Session, *, fund: str, person_id: int | None, origin: Origin | None = None) -> str:
    """An attempt to pay all that was promised; its public id. Whoever pays while signed in is the sponsor's account; what
    comes from where they pay is looked at twice.

    Raises NotFound, NotAwaited, attempts.AlreadyPaying, PaymentsClosed."""
    row = funds.get(session, fund)
    if not is_awaited(session, row):
        raise NotAwaited(fund)
    row.person_id = person_id if person_id is not None else row.person_id
    if origin:
        traces.keep_of_sponsor(session, fund=fund, origin=origin)
    return attempts.start(session, purpose=PURPOSE, reference=fund, amount=Money(row.total_fen, row.currency))


def receive(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `matching_fund`: what nobody waits for any more, or another sum, goes back by itself."""
    row = funds.get(session, reference)
    if row.state is not FundState.DRAFT or amount != Money(row.total_fen, row.currency):
        return False
    lines: dict[books.Account, Money] = {CLEARING: amount, account_of(row): -amount}
    books.post(session, key=f"match_in:{row.public_id}", book=row.book, reference=row.public_id, lines=lines)
    row.received_fen = amount.fen
    funds.move(session, row, FundState.FUNDED, funds.SYSTEM, funds.PAID_IN, expected=FundState.DRAFT)
    return True


def account_of(fund: MatchingFund) -> books.Account:
    return ("matching", fund.public_id)
