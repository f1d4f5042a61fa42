"""A gift: begun by anybody, received when its money is there, and in the public ledger at that moment.

The hot path of a campaign that many give to at once: columns instead of objects, and no row that all of them change."""

import hashlib
import secrets
from datetime import timedelta
from functools import cache
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger, receipts, room
from crowdfund.campaigns.claims import claiming
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.matching import adding, traces
from crowdfund.campaigns.matching.traces import Origin
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import CampaignState, ContributionState
from crowdfund.campaigns.teams import joining
from marketplace.core import clock, ids, outbox, page_cache
from marketplace.core.db import Columns, add_rows, in_transaction, rows
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import mask_name
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import EventRow, transition
from marketplace.ledger import books
from marketplace.payments import attempts
from marketplace.payments.gateways import OutcomeUnknown, chosen_gateway, current_book, gateways
from marketplace.payments.states import OPEN

PURPOSE: Final = "contribution"
SMALLEST_FEN: Final = 1
LARGEST_FEN: Final = 5_000_000  # one gift online; who wants to give more talks to the organisation
LAPSES_AFTER: Final = timedelta(days=1)
LAPSES: Final = "gift.lapses"
RECEIVED: Final = "gift.received"  # of whoever left an address
HERE: Final = frozenset({"own_site", gate.DIRECTED})  # the channels of gifts that are paid to us
TAKES_MONEY: Final = frozenset({CampaignState.LIVE, CampaignState.PAUSED, CampaignState.ENDED})
G = ContributionState


class NotOpen(Refusal):
    message = _l("This campaign is not taking gifts right now. You were not charged.")


@record
class Giver:
    """What somebody says about themselves; all of it may be empty."""

    name: str = ""
    anonymity: str = "anonymous"  # named, masked, anonymous
    message: str = ""
    contact: str = ""
    person_id: int | None = None
    language: str = "zh_CN"
    honour: Honour | None = None
    team: str = ""
    origin: Origin | None = None  # this alone is what their browser says

    @property
    def shown_as(self) -> str:
        """What stands in the public ledger for ever."""
        if not self.name or self.anonymity == "anonymous":
            return ""
        return self.name if self.anonymity == "named" else mask_name(self.name)


def begin(session: Session, *, campaign: str, amount: Money, giver: Giver) -> str:
    """A gift with its first attempt to pay; returns its public id. The payer is sent on by `attempts.submit`.

    Raises NotFound, NotOpen, NotInvited, NoCards, GoalReached, LessIsNeeded, TeamIsClosed, PaymentsClosed."""
    target, book = admit(session, campaign=campaign, amount=amount)
    if target.channel == gate.DIRECTED:
        giver = gate.admit(session, target.id, giver)
    reference = keep(session, target.id, amount, giver, book)
    if target.has_fund and giver.origin:
        traces.keep(session, gift=reference, origin=giver.origin)
    attempts.start(session, purpose=PURPOSE, reference=reference, amount=amount)
    outbox.put(session, LAPSES, after=LAPSES_AFTER, gift=reference)
    return reference


def admit(session: Session, *, campaign: str, amount: Money, is_cash: bool = False) -> tuple[Row[Any], str]:
    """A campaign that takes this gift now (`asked_to_give`), and the book it goes into.

    Who gives to a directed one is asked by `gate.admit`; nobody does so in cash. Raises NotFound, NotOpen, GoalReached,
    LessIsNeeded."""
    target = next(iter(rows(session, asked_to_give(), campaign=campaign)), None)
    if target is None:
        raise NotFound(campaign)
    if target.state is not CampaignState.LIVE or target.channel not in HERE or target.ends_on < clock.today():
        raise NotOpen(campaign)
    if is_cash and target.channel == gate.DIRECTED:
        raise NotOpen(campaign)
    if not (SMALLEST_FEN if is_cash else smallest_fen()) <= amount.fen <= LARGEST_FEN:
        raise ValueError(f"{amount.fen} fen")
    book = current_book()
    if target.past_goal == room.STOP:
        room.refuse_too_much(session, target.id, book=book, goal_fen=target.goal_fen, fen=amount.fen)
    return target, book


def smallest_fen() -> int:
    """What the gateway takes at least."""
    return max(SMALLEST_FEN, chosen_gateway().caps.least_fen) if gateways().chosen else SMALLEST_FEN


@cache
def asked_to_give() -> Columns:
    """SQL, prepared once as all of a gift's way: what decides whether `campaign` takes gifts."""
    decides = select(Campaign.id, Campaign.state, Campaign.channel, Campaign.ends_on, Campaign.past_goal, Campaign.goal_fen)
    decides = decides.add_columns(adding.is_matching().label("has_fund"))
    return decides.where(Campaign.public_id == bindparam("campaign"))


def keep(session: Session, campaign_id: int, amount: Money, giver: Giver, book: str) -> str:
    """The rows of a gift that waits for its money."""
    reference, now = ids.public_id(), clock.now()
    gift = {
        "public_id": reference,
        "token_hash": token_hash(link_token(reference)),
        "campaign_id": campaign_id,
        "state": G.PENDING,
        "book": book,
        "fen": amount.fen,
        "currency": amount.currency,
        "person_id": giver.person_id,
        "anonymity": giver.anonymity,
        "shown_as": giver.shown_as,
        "giver": giver.name or None,
        "contact": giver.contact or None,
        "salt": secrets.token_hex(16) if giver.name else "",
        "message": giver.message,
        "message_state": "waiting" if giver.message else "",
        "language": giver.language,
        "created_at": now,
    }
    add_rows(session, Contribution, gift)
    actor = f"person:{giver.person_id}" if giver.person_id is not None else "guest"
    steps = (("", G.INTENT, "begun"), (G.INTENT, G.PENDING, "to the cashier"))
    trace = {"subject": f"contribution:{reference}", "actor": actor, "at": now}
    add_rows(session, EventRow, *(trace | {"from_state": here, "to_state": there, "why": why} for here, there, why in steps))
    if giver.contact and giver.person_id is None:
        claiming.remember(session, gift=reference, address=giver.contact)
    if giver.honour:
        dedicating.dedicate(session, gift=reference, honour=giver.honour)
    if giver.team:
        joining.join(session, gift=reference, campaign_id=campaign_id, team=giver.team)
    return reference


def account_of(session: Session, /, *, reference: str) -> books.Account | None:
    """Where a gift's money goes the moment it is there; None for one that nobody waits for any more.

    The gift's row is locked, the campaign's held: whoever calls the campaign off waits, and then sees this gift. Gifts to
    one that stops at its goal come one after the other, and one that does not fit in lapses: its money goes back."""
    gift = next(iter(rows(session, locked_gift(), reference=reference)), None)
    if gift is None or gift.state is not G.PENDING:
        return None
    if gift.past_goal == room.STOP and not room.holds(session, gift.campaign_id, book=gift.book, fen=gift.fen):
        lapsed: dict[str, Any] = {"expected": G.PENDING, "actor": "system", "why": room.FULL}
        transition(session, Contribution(public_id=reference), G.LAPSED, **lapsed)
        return None
    (target,) = rows(session, held_campaign(), campaign=gift.campaign_id)
    return ("restricted", target.public_id) if target.state in TAKES_MONEY else None


@cache
def locked_gift() -> Columns:
    mine = select(Contribution.state, Contribution.campaign_id, Contribution.book, Contribution.fen, Campaign.past_goal)
    mine = mine.join(Campaign, Campaign.id == Contribution.campaign_id)
    return mine.where(Contribution.public_id == bindparam("reference")).with_for_update(of=Contribution, key_share=True)


@cache
def held_campaign() -> Columns:
    mine = select(Campaign.public_id, Campaign.state).where(Campaign.id == bindparam("campaign"))
    return mine.with_for_update(read=True)


def receive(session: Session, /, *, reference: str, amount: Money, attempt: str) -> bool:
    """The handler of purpose `contribution`: the money is in the campaign's account already."""
    (gift,) = rows(session, gift_of_campaign(), reference=reference)
    if amount != Money(gift.fen, gift.currency):
        return False
    row, why = Contribution(public_id=reference), f"attempt:{attempt}"
    transition(session, row, G.RECEIVED, expected=G.PENDING, actor="system", why=why, received_at=clock.now())
    public_ledger.write(
        session,
        kind="gift",
        campaign_id=gift.campaign_id,
        book=gift.book,
        amount=amount,
        who=gift.shown_as,
        reference=f"capture:{attempt}",
        commitment=commitment(gift.giver, gift.salt),
    )
    if gift.has_fund:
        adding.add_match(session, gift=gift.id, campaign=gift.public_id, attempt=attempt)
    page_cache.expire(session, "giving", f"campaign:{gift.public_id}", "ledger")
    if gift.has_address:
        outbox.put(session, RECEIVED, gift=reference)
    if gift.has_card:
        outbox.put(session, dedicating.TELLS, gift=reference)
    receipts.issue_for(session, gift=gift.id, book=gift.book, fen=amount.fen)  # last: who comes next waits for its number
    return True


@cache
def gift_of_campaign() -> Columns:
    mine = select(Contribution.id, Contribution.fen, Contribution.currency, Contribution.book, Contribution.campaign_id)
    mine = mine.add_columns(Contribution.shown_as, Contribution.giver, Contribution.salt, Campaign.public_id)
    mine = mine.add_columns(Contribution.contact.is_not(None).label("has_address"), adding.is_matching().label("has_fund"))
    mine = mine.add_columns(dedicating.is_to_be_told().label("has_card"))
    mine = mine.join(Campaign, Campaign.id == Contribution.campaign_id)
    return mine.where(Contribution.public_id == bindparam("reference"))


def commitment(name: str | None, salt: str) -> str:
    """As core.audit makes them: whoever shows name and salt later proves who gave."""
    return hashlib.sha256(f"{salt}\0{name}".encode()).hexdigest() if name else ""


def pay_again(session: Session, *, gift: str, purpose: str = PURPOSE) -> str:
    """The attempt to go on with: the open one, or a new one after a failure, which must be admitted like a new gift.

    Raises NotOpen, NotInvited, GoalReached, LessIsNeeded, attempts.AlreadyPaying."""
    row = session.execute(
        select(Contribution.state, Contribution.fen, Contribution.currency, Contribution.person_id, Campaign.public_id)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .where(Contribution.public_id == gift)
    ).one()
    amount = Money(row.fen, row.currency)
    if row.state is not G.PENDING:
        raise NotOpen(gift)
    target, _book = admit(session, campaign=row.public_id, amount=amount)
    if target.channel == gate.DIRECTED:
        gate.admit(session, target.id, Giver(person_id=row.person_id))
    return attempts.start(session, purpose=purpose, reference=gift, amount=amount)


def lapse(*, gift: str, purpose: str = PURPOSE) -> None:
    """The listener of `gift.lapses`: nobody paid for a day. The gateway is asked first, so that no money is lost."""
    attempt = in_transaction(give_up, gift=gift, purpose=purpose)
    if attempt is None:
        return
    if attempts.cancel(attempt) in OPEN:
        raise OutcomeUnknown(gift)
    in_transaction(give_up, gift=gift, purpose=purpose)


def give_up(session: Session, *, gift: str, purpose: str = PURPOSE) -> str | None:
    """Money that comes later goes back by itself; the open attempt where there is one, which has to be ended first."""
    state = session.scalar(select(Contribution.state).where(Contribution.public_id == gift).with_for_update(key_share=True))
    if state is not G.PENDING:
        return None
    attempt = open_attempt(session, gift=gift, purpose=purpose)
    if attempt is None:
        row = Contribution(public_id=gift)
        transition(session, row, G.LAPSED, expected=state, actor="system", why="not paid in time")
    return attempt


def open_attempt(session: Session, *, gift: str, purpose: str = PURPOSE) -> str | None:
    return attempts.open_one(session, purpose=purpose, reference=gift)


def link_token(reference: str) -> str:
    """The secret part of a gift's link: made from its id with a key of ours; the database keeps only its hash."""
    return fingerprint(reference, "gift.link")
