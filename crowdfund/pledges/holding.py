"""A saver chooses a card: it is kept for half an hour, then promised, or it goes back."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.pledges import cards, freezing, reminders, vault, vouchers
from crowdfund.pledges.choosing import deals_of, find
from crowdfund.pledges.models import Agreement, ChildCase, Choosing, Pledge, Programme, Voucher
from crowdfund.pledges.refusals import CancelledBefore, CardGone, EndedBefore, NotOpen, QuotaFull, TooLateToCancel
from crowdfund.pledges.states import ACTIVE, MAY_BE_CANCELLED, CaseState as C, PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import SAVER, begin, changed, move
from marketplace.core import clock, ids, outbox
from marketplace.core.db import in_transaction
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.core.transitions import EventRow, subject_of

EXPIRES: Final = "pledge.expires"  # the outbox's topic
CODE_LENGTH: Final = 16


def tracking_code() -> str:
    """Sixteen unambiguous characters in four groups: read aloud without mistakes, never guessed."""
    letters = "".join(ids.order_number().removeprefix("SX-") for _half in range(CODE_LENGTH // 8))
    return "-".join(letters[place : place + 4] for place in range(0, CODE_LENGTH, 4))


def hold(session: Session, *, token: str, case: str, saver_id: int | None) -> str:
    """Keep one of the dealt cards for this voucher; returns the tracking code.

    One voucher, one child, whoever presses at the same time: states go over by compare-and-set, unique indexes stand
    behind. Raises ChoosingOver, NotOpen, OutsideWindow, CardGone, QuotaFull."""
    choosing = find(session, token, lock=True)
    dealt = {card["case"]: card for row in deals_of(session, choosing) for card in row.cards}
    if case not in dealt:
        raise NotFound(case)
    programme, bank = programme_of(session, choosing)
    if not programme.opens_on <= clock.today() <= programme.closes_on:
        raise NotOpen(programme.code)
    vouchers.check_window(programme, choosing.issued_on, on=clock.today())  # typed before midnight, chosen after it
    known: dict[str, Any] = {"number_hash": choosing.number_hash, "last4": choosing.last4, "issued_on": choosing.issued_on}
    voucher, before = vouchers.take(session, programme, bank=bank, **known)
    child = session.scalars(select(ChildCase).where(ChildCase.public_id == case)).one()
    try:
        move(session, child, C.LISTED, C.HELD, actor=SAVER, why="chosen")
    except StaleState:
        raise CardGone(case) from None
    take_quota(session, programme)
    pledge = Pledge(tracking_code=tracking_code(), programme_id=programme.id, voucher_id=voucher.id, case_id=child.id)
    pledge.saver_id, pledge.label, pledge.state = saver_id, dealt[case], P.HELD
    pledge.supersedes_id = before
    pledge.hold_until = clock.now() + timedelta(minutes=programme.hold_minutes)
    begin(session, pledge, actor=SAVER, why="chosen")
    choosing.pledge_id = pledge.id
    outbox.put(session, EXPIRES, after=timedelta(minutes=programme.hold_minutes), pledge=pledge.public_id)
    return pledge.tracking_code


def programme_of(session: Session, choosing: Choosing) -> tuple[Programme, str]:
    """(the programme of a choice, the bank whose vouchers it takes)"""
    wanted = select(Programme, Agreement.partner_code).join(Agreement, Agreement.id == Programme.agreement_id)
    found = session.execute(wanted.where(Programme.id == choosing.programme_id)).one()
    return found[0], found[1]


def take_quota(session: Session, programme: Programme) -> None:
    """One more claim, and never more than devices were promised. Raises QuotaFull."""
    more = update(Programme).where(Programme.id == programme.id, Programme.claimed < Programme.quota)
    if session.scalar(more.values(claimed=Programme.claimed + 1).returning(Programme.id)) is None:
        raise QuotaFull(programme.code)
    changed(session)


def find_pledge(session: Session, code: str, *, lock: bool = False) -> Pledge:
    """By its tracking code, as people type it. Raises NotFound."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    known = "-".join(plain[place : place + 4] for place in range(0, len(plain), 4))
    wanted = select(Pledge).where(Pledge.tracking_code == known)
    found = session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound("pledge")
    return found


def declare(session: Session, *, code: str, phone: str, account_phone_hash: str | None = None) -> bool:
    """The saver says that they are no relation, and means it: the bank's turn now. False if the half hour was over.

    Their phone number is compared with the guardian's as a keyed hash and is not kept; so is what the bank has said before
    of their identity document. Who seems to be related is told nothing, since the answer would give the guardian's number
    away: such a pledge waits for a person."""
    pledge = find_pledge(session, code, lock=True)
    if pledge.state is P.HELD and pledge.hold_until <= clock.now():
        freezing.end(session, pledge, P.EXPIRED, actor="system", why="hold ran out")
    if pledge.state is P.EXPIRED:
        return False
    if pledge.declared_at is not None:
        return True
    if pledge.state is not P.HELD:
        raise IllegalTransition("pledge")
    hashes = {fingerprint(phone, "phone"), *([account_phone_hash] if account_phone_hash else [])}
    pledge.saver_phone_hash, pledge.declared_at = fingerprint(phone, "phone"), clock.now()
    session.flush()
    case = session.get_one(ChildCase, pledge.case_id)
    move(session, pledge, P.HELD, P.PROVISIONAL, actor=SAVER, why="declared")
    reminders.ask_when_unanswered(session, pledge)
    voucher = session.get_one(Voucher, pledge.voucher_id)
    if vault.is_guardian(session, case, phones=hashes, identity=voucher.saver_identity_hash):
        move(session, pledge, P.PROVISIONAL, P.ON_HOLD, actor="system", why=reminders.RELATED)
    elif voucher.confirmed_at is not None:
        finish(session, pledge, voucher, case, actor="system", why="known to the bank")
    return True


def finish(session: Session, pledge: Pledge, voucher: Voucher, case: ChildCase, *, actor: str, why: str) -> None:
    """The bank has said yes: the child is matched."""
    pledge.confirmed_at = clock.now()
    session.flush()
    move(session, pledge, pledge.state, P.CONFIRMED, actor=actor, why=why)
    move(session, voucher, V.HELD, V.VERIFIED, actor=actor, why=why)
    move(session, case, C.HELD, C.MATCHED, actor=actor, why=why)
    changed(session)


def expire(session: Session, *, pledge: str) -> None:
    """The half hour is over. The worker's part; one that was declared meanwhile stays."""
    row = session.scalar(select(Pledge).where(Pledge.public_id == pledge).with_for_update())
    if row is not None and row.state is P.HELD and row.hold_until <= clock.now():
        freezing.end(session, row, P.EXPIRED, actor="system", why="hold ran out")


def expire_held(*, pledge: str) -> None:
    """The outbox's listener of EXPIRES."""
    in_transaction(expire, pledge=pledge)


def why_not_cancelled(session: Session, pledge: Pledge) -> Refusal | None:
    """What a saver is told who would give it back now; nothing while they can.

    A half hour that is over uses up no cancellation, whether or not somebody has cleared it away yet."""
    if pledge.state not in ACTIVE or (pledge.state is P.HELD and pledge.hold_until <= clock.now()):
        return EndedBefore("pledge")
    if pledge.state not in MAY_BE_CANCELLED:
        return TooLateToCancel("pledge")
    return CancelledBefore("pledge") if session.get_one(Voucher, pledge.voucher_id).cancellations else None


def cancel(session: Session, *, code: str) -> None:
    """The saver gives it back: once for a voucher, and only before a device was reserved. To them it is the same whether it
    was held up or not: else the page would tell whose phone number is the guardian's.

    Raises EndedBefore, TooLateToCancel, CancelledBefore."""
    pledge = find_pledge(session, code, lock=True)
    if is_given_back(session, pledge):
        return
    if (refusal := why_not_cancelled(session, pledge)) is not None:
        raise refusal
    once = update(Voucher).where(Voucher.id == pledge.voucher_id, Voucher.cancellations == 0)
    if session.scalar(once.values(cancellations=1).returning(Voucher.id)) is None:
        raise CancelledBefore("pledge")
    there = P.REVOKED if pledge.state is P.ON_HOLD else P.CANCELLED
    freezing.end(session, pledge, there, actor=SAVER, why="cancelled by the saver")


def is_given_back(session: Session, pledge: Pledge) -> bool:
    """The saver themselves has ended it."""
    ended = EventRow.subject == subject_of(pledge), EventRow.to_state == P.REVOKED, EventRow.actor == SAVER
    return pledge.state is P.CANCELLED or (
        pledge.state is P.REVOKED and session.scalar(select(EventRow.id).where(*ended)) is not None
    )


def card_of(pledge: Pledge) -> cards.Card:
    """The card as the saver chose it."""
    return cards.Card.from_json(pledge.label)
