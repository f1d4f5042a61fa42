"""A program begins a payment; a person finishes it at the cashier's."""

from collections.abc import Callable
from typing import Final

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.accounts.visitors import Visitor
from marketplace.api import buying
from marketplace.api.writing_schemas import PaymentAnswer
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.settings import settings
from marketplace.orders import paying
from marketplace.payments import attempts
from marketplace.payments.states import AttemptState

UNSENT: Final = frozenset({AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.UNKNOWN})


class NotPayable(Refusal):
    message = _l("This cannot be paid, or not any more.")


def lead_to_cashier(*, person: Visitor, number: str) -> str:
    """Where this order is paid: the open attempt goes on, else one is opened. Outside a transaction.

    Raises NotFound, NotPayable, AlreadyPaying, PaymentsClosed and what the gateway refuses."""
    buying.get_own(db.session(), person, number)

    def begin() -> str:
        return in_transaction(paying.pay_again, number=number)

    place = url_for("orders.show_order", number=number)
    return go_on(purpose="order", reference=number, begin=begin, place=place, description=number)


def go_on(
    *, purpose: str, reference: str, begin: Callable[[], str], place: str, description: str, for_later: bool = False
) -> str:
    """With the open attempt to pay this, or the one that `begin` opens; the payer comes back to `place`."""
    current = attempts.current(db.session(), purpose=purpose, reference=reference)
    if current and current.state not in UNSENT:
        raise_unless_open(current.state, current.redirect_url)
        return current.redirect_url
    try:
        attempt = current.public_id if current else begin()
    except NotFound:
        raise NotPayable(reference) from None
    except attempts.AlreadyPaying as taken:  # another request was faster, and may not have asked the gateway yet
        if taken.state not in UNSENT:
            raise_unless_open(taken.state, taken.redirect_url)
            return taken.redirect_url
        attempt = taken.attempt
    back = f"{settings().base_url.rstrip('/')}{place}?returned=1"
    return attempts.submit(attempt, return_url=back, description=description, for_later=for_later)


def raise_unless_open(state: AttemptState, url: str) -> None:
    """Raises NotPayable where nobody could go on paying: it was paid, or the money is on its way."""
    if state is not AttemptState.REQUIRES_ACTION or not url:
        raise NotPayable(state)


def answer(session: Session, *, person: Visitor, number: str, url: str) -> PaymentAnswer:
    order = buying.get_own(session, person, number)
    current = attempts.current(session, purpose="order", reference=number)
    if current is None:
        raise NotPayable(number)
    return PaymentAnswer(
        order=number,
        state=current.state.value,
        total_fen=order.total_fen,
        currency=order.currency,
        is_test=order.book == "test",
        pay_by=order.pay_by,
        url=url,
    )
