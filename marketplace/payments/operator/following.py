"""One attempt with everything that ever happened to its money, so that a person can follow any fen."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.ledger.queries import Posting, postings_of
from marketplace.payments.models import Attempt, GatewayEvent, Refund
from marketplace.payments.operator import tracing
from marketplace.payments.reconciliation.models import GatewayMovement


@record
class Followed:
    """`origin` is the page of what was paid for; `onward` gives, by key, the pages of entries that have one.

    `others` are orders paid with it of which there are too many to be shown at once, `of` the one that is looked at."""

    attempt: Attempt
    states: Sequence[EventRow]
    refunds: Sequence[Refund]
    movements: Sequence[GatewayMovement]
    events: Sequence[GatewayEvent]
    postings: list[Posting]
    origin: str | None
    onward: dict[str, str]
    others: Sequence[str]
    of: str

    def states_of(self, subject: str) -> list[EventRow]:
        return [event for event in self.states if event.subject == subject]


FEW: Final = 3  # other references whose entries are shown together with those of the payment


def follow(session: Session, public_id: str, *, of: str = "") -> Followed:
    """`of`: one of the orders that were paid together. Raises NotFound."""
    attempt = session.scalar(select(Attempt).where(Attempt.public_id == public_id))
    if attempt is None:
        raise NotFound(public_id)
    refunds = session.scalars(select(Refund).where(Refund.attempt_id == attempt.id).order_by(Refund.id)).all()
    states = states_of(session, attempt, refunds)
    movements = movements_of(session, attempt, refunds)
    others = tracing.others_of(session, attempt.purpose, attempt.reference)
    shown = others if len(others) <= FEW else [of] if of in others else []
    names = (attempt.reference, attempt.public_id, *shown)
    postings = [posting for name in names for posting in postings_of(session, name)]
    onward = {each.key: url for each in postings if (url := tracing.page_of_entry(session, each.key))}
    return Followed(
        attempt=attempt,
        states=states,
        refunds=refunds,
        movements=movements,
        events=events_of(session, attempt, refunds, movements, states),
        postings=postings,
        origin=tracing.page_of(session, attempt.purpose, attempt.reference),
        onward=onward,
        others=others if len(others) > FEW else (),
        of=of if of in others else "",
    )


def states_of(session: Session, attempt: Attempt, refunds: Sequence[Refund]) -> Sequence[EventRow]:
    subjects = [f"attempt:{attempt.public_id}", *(f"refund:{refund.public_id}" for refund in refunds)]
    return session.scalars(select(EventRow).where(EventRow.subject.in_(subjects)).order_by(EventRow.id)).all()


def movements_of(session: Session, attempt: Attempt, refunds: Sequence[Refund]) -> Sequence[GatewayMovement]:
    ours = [attempt.public_id, *(refund.public_id for refund in refunds)]
    mine = select(GatewayMovement).where(GatewayMovement.gateway == attempt.gateway, GatewayMovement.ours.in_(ours))
    return session.scalars(mine.order_by(GatewayMovement.at, GatewayMovement.id)).all()


def events_of(
    session: Session, attempt: Attempt, refunds: Sequence[Refund], movements: Sequence[Any], states: Sequence[EventRow]
) -> Sequence[GatewayEvent]:
    """What came through the door about it: by what the gateway calls it, and by the event that moved a state."""
    called = {attempt.remote_id, *(refund.remote_id for refund in refunds), *(each.source_id for each in movements)}
    named = {event.why for event in states}
    mine = select(GatewayEvent).where(GatewayEvent.gateway == attempt.gateway)
    wanted = or_(GatewayEvent.remote_id.in_(called - {None, ""}), GatewayEvent.event_id.in_(named))
    return session.scalars(mine.where(wanted).order_by(GatewayEvent.received_at, GatewayEvent.id)).all()


def attempt_of_refund(session: Session, refund: str) -> str:
    """The attempt whose money it sends back. Raises NotFound."""
    wanted = select(Attempt.public_id).join(Refund, Refund.attempt_id == Attempt.id).where(Refund.public_id == refund)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound(refund)
    return found
