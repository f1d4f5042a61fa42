"""A place in a presale: begun by anybody, paid or lapsed, and given back while the presale is open.

Locks are taken in one order: attempt, backing, tier, presale."""

from datetime import timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import drafting, places
from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.places import NotOpen
from crowdfund.presales.states import TAKES_MONEY, BackingState as B, PresaleState
from marketplace.core import clock, ids, outbox, page_cache
from marketplace.core.db import add_rows, in_transaction
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.payments import attempts
from marketplace.payments.gateways import OutcomeUnknown, current_book
from marketplace.payments.states import OPEN

PURPOSE: Final = "presale"
TIME_TO_PAY: Final = timedelta(minutes=30)  # longer would keep scarce places from others
LAPSES: Final = "backing.lapses"  # the outbox's topics
CONFIRMED: Final = "backing.confirmed"
SYSTEM: Final = "system"


class OtherPrice(Refusal):
    message = _l("The price has changed since you saw it. Please check it again. You were not charged.")


@record
class Backer:
    """Who is told how it goes on, and in which language."""

    contact: str
    person_id: int | None = None
    language: str = "zh_CN"


def begin(session: Session, *, presale: str, tier: str, shown_fen: int, backer: Backer) -> str:
    """Hold a place and open an attempt to pay it; the backing's public id. The payer is sent on by `attempts.submit`.

    Raises NotFound, TierIsFull, FieldIsSold, NotOpen, OtherPrice, PaymentsClosed."""
    wanted = select(PresaleTier).join(Presale, Presale.id == PresaleTier.presale_id)
    chosen = session.scalar(wanted.where(Presale.public_id == presale, PresaleTier.public_id == tier))
    if chosen is None:
        raise NotFound(tier)
    if chosen.fen != shown_fen:
        raise OtherPrice(tier)
    places.take(session, chosen)
    reference, now = ids.public_id(), clock.now()
    row = session.get_one(Presale, chosen.presale_id, populate_existing=True)
    if row.book != current_book():
        raise NotOpen(presale)
    pay_by = min(now + TIME_TO_PAY, clock.start_of(row.closes_on + timedelta(days=1)))
    values = {"public_id": reference, "token_hash": token_hash(link_token(reference)), "presale_id": row.id}
    values |= {"tier_id": chosen.id, "person_id": backer.person_id, "contact": backer.contact, "pay_by": pay_by}
    values |= {"language": backer.language, "book": row.book, "fen": chosen.fen, "created_at": now}
    add_rows(session, Backing, {**values, "state": B.HELD})
    actor = f"person:{backer.person_id}" if backer.person_id is not None else "guest"
    leave_trace(session, Backing(public_id=reference), None, B.HELD, actor=actor, why="begun")
    attempts.start(session, purpose=PURPOSE, reference=reference, amount=Money(chosen.fen), pay_by=pay_by)
    outbox.put(session, LAPSES, after=pay_by - now, backing=reference)
    announce(session, row.public_id)
    return reference


def pay_again(session: Session, *, backing: str) -> str:
    """The attempt after one that failed, while the place is held. Raises NotFound, NotOpen, attempts.AlreadyPaying."""
    row = get(session, backing)
    if row.state is not B.HELD or row.pay_by <= clock.now():
        raise NotOpen(backing)
    return attempts.start(
        session, purpose=PURPOSE, reference=backing, amount=Money(row.fen, row.currency), pay_by=row.pay_by
    )


def account_of(session: Session, /, *, reference: str) -> books.Account | None:
    """Where a backing's money goes the moment it is there; None where nobody waits for it any more.

    The backing is locked, its presale held: whoever decides about the presale waits, and then sees this money."""
    row = get(session, reference)
    held = select(Presale.public_id, Presale.state).where(Presale.id == row.presale_id).with_for_update(read=True)
    target = session.execute(held).one()
    is_awaited = row.state is B.HELD and target.state in TAKES_MONEY
    return escrow_of(target.public_id) if is_awaited else None


def receive(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `presale`: the money is in escrow already. Another sum goes back by itself."""
    row = get(session, reference)
    if amount != Money(row.fen, row.currency):
        return False
    transition(session, row, B.CONFIRMED, expected=B.HELD, actor=SYSTEM, why=f"attempt:{attempt}")
    outbox.put(session, CONFIRMED, backing=reference)
    announce(session, presale_of(session, row))
    return True


def lapse(*, backing: str) -> None:
    """The listener of `backing.lapses`: nobody paid in time. The gateway is asked first, so that no money is lost.

    Raises OutcomeUnknown while it does not answer, or says that the payment is under way: it is called again."""
    attempt = in_transaction(open_attempt, backing=backing)
    if attempt and attempts.cancel(attempt) in OPEN:
        raise OutcomeUnknown(backing)
    in_transaction(give_up, backing=backing)


def open_attempt(session: Session, *, backing: str) -> str | None:
    return attempts.open_one(session, purpose=PURPOSE, reference=backing)


def give_up(session: Session, *, backing: str) -> None:
    """Others may have the place; not while an attempt to pay it is open."""
    row = get(session, backing)
    if row.state is B.HELD and open_attempt(session, backing=backing) is None:
        transition(session, row, B.LAPSED, expected=B.HELD, actor=SYSTEM, why="not paid in time")
        free(session, row)


def free(session: Session, row: Backing) -> None:
    """Its place is somebody else's, if the presale is still open."""
    places.give_up(session, session.get_one(PresaleTier, row.tier_id))
    announce(session, presale_of(session, row))


def is_open(session: Session, row: Backing) -> bool:
    """Whether its presale can still be joined, and left; the presale is locked until the transaction ends."""
    held = select(Presale.state).where(Presale.id == row.presale_id).with_for_update()
    return session.scalar(held) is PresaleState.LIVE


def get(session: Session, backing: str) -> Backing:
    """Locked. Raises NotFound."""
    wanted = select(Backing).where(Backing.public_id == backing).with_for_update()
    row = session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(backing)
    return row


def presale_of(session: Session, row: Backing) -> str:
    return session.scalars(select(Presale.public_id).where(Presale.id == row.presale_id)).one()


def announce(session: Session, presale: str) -> None:
    page_cache.expire(session, drafting.tag_of(presale), "presales")


def escrow_of(presale: str) -> books.Account:
    return ("presale_escrow", presale)


def link_token(reference: str) -> str:
    """The secret part of a backing's link: made from its id with a key of ours; the database keeps only its hash."""
    return fingerprint(reference, "backing.link")
