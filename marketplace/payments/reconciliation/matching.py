"""Which entry of the books answers to a movement of the gateway (adr/0015). Reads only."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.records import record
from marketplace.core.transitions import subject_of
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.reconciliation import converting
from marketplace.payments.reconciliation.fees import key_of
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.states import (
    CHARGES,
    DISPUTES,
    PAYOUTS,
    REFUNDS,
    RETURNED,
    REVERSALS,
    TRANSFERS,
    Verdict,
)
from marketplace.payments.states import RefundState
from marketplace.payments.transfers.models import GatewayPayee, Reversal, Transfer

ON_THE_WAY: Final = timedelta(hours=2)  # after this, what only one side has is nobody's delay any more


@record
class Judgement:
    """`entry` is the key of what the books have, `note` says in plain English what is wrong, for those who look into it."""

    verdict: Verdict
    entry: str | None = None
    note: str = ""


@record
class Posted:
    """An entry, and what it did to the gateway's account in one currency."""

    key: str
    amount: int
    at: datetime


def judge(session: Session, movement: GatewayMovement, *, pays_out: bool) -> Judgement:
    if movement.type in PAYOUTS and not pays_out:
        return Judgement(Verdict.AT_THE_BANK)
    judged = judge_by_type(session, movement)
    if judged.verdict is not Verdict.MATCHED:
        return judged
    fee = posted(session, movement, key_of(movement), movement.currency)
    if fee and fee.amount != -movement.fee:
        return Judgement(Verdict.DIFFERS, judged.entry, f"fee {movement.fee} there, {-fee.amount} in the books")
    if not converting.is_as_booked(session, movement, judged.entry):
        return Judgement(Verdict.DIFFERS, judged.entry, f"{movement.gross} {movement.currency} there, booked otherwise")
    return judged


def judge_by_type(session: Session, movement: GatewayMovement) -> Judgement:
    ways: tuple[tuple[frozenset[str], Callable[[Session, GatewayMovement], Judgement]], ...] = (
        (CHARGES, judge_charge),
        (REFUNDS, judge_refund),
        (RETURNED, judge_return),
        (PAYOUTS, judge_payout),
        (frozenset(DISPUTES), judge_dispute),
        (TRANSFERS, judge_transfer),
        (REVERSALS, judge_reversal),
    )
    for types, way in ways:
        if movement.type in types:
            return way(session, movement)
    return Judgement(Verdict.UNEXPLAINED, note=f"{movement.type} is no type that we know")


def judge_charge(session: Session, movement: GatewayMovement) -> Judgement:
    """Captured for its attempt, or in suspense where it was not what we had asked for."""
    attempt = attempt_of(session, movement)
    keys = [f"suspense:{movement.known_as}"] + ([f"capture:{attempt.public_id}"] if attempt else [])
    for key in keys:
        if found := posted(session, movement, key):
            return compare(movement, found)
    if attempt is None and not is_ours(session, movement):
        return Judgement(Verdict.UNEXPLAINED, note="no attempt of ours")
    return not_booked(movement, f"attempt {attempt.public_id if attempt else movement.ours} is not captured")


def attempt_of(session: Session, movement: GatewayMovement) -> Attempt | None:
    known = select(Attempt).where(Attempt.gateway == movement.gateway, Attempt.remote_id == movement.known_as)
    return session.scalar(known)


def is_ours(session: Session, movement: GatewayMovement) -> bool:
    """The gateway says that it is for an attempt that we have opened there."""
    opened = select(Attempt.id).where(Attempt.gateway == movement.gateway, Attempt.public_id == movement.ours)
    return session.scalar(opened) is not None


def judge_refund(session: Session, movement: GatewayMovement) -> Judgement:
    refund = refund_of(session, movement)
    if refund is None:
        return Judgement(Verdict.UNEXPLAINED, note="no refund of ours")
    if done := posted(session, movement, f"refund_done:{refund.public_id}"):
        return compare(movement, done)
    if refund.state is RefundState.FAILED:
        return judge_pair(session, movement, refund, RETURNED)
    if refund.state is RefundState.SUCCEEDED:
        return not_booked(movement, f"refund {refund.public_id} is not booked as done")
    return Judgement(Verdict.WAITING, note=f"refund {refund.public_id} is {refund.state}")


def judge_return(session: Session, movement: GatewayMovement) -> Judgement:
    """A refund that did not arrive: booked back if it was booked out, else it and the refund cancel each other."""
    refund = refund_of(session, movement)
    if refund is None:
        return Judgement(Verdict.UNEXPLAINED, note="no refund of ours")
    if refund.state is not RefundState.FAILED:
        return not_booked(movement, f"refund {refund.public_id} is {refund.state}")
    if posted(session, movement, f"refund_done:{refund.public_id}") is None:
        return judge_pair(session, movement, refund, REFUNDS)
    back = posted(session, movement, f"refund_failed:{refund.public_id}")
    return compare(movement, back) if back else not_booked(movement, f"refund {refund.public_id} is not booked back")


def judge_pair(session: Session, movement: GatewayMovement, refund: Refund, others: frozenset[str]) -> Judgement:
    """The books never saw it leave: there and back again must be the same sum."""
    same = (GatewayMovement.gateway == movement.gateway, GatewayMovement.source_id == movement.source_id)
    other = select(GatewayMovement).where(*same, GatewayMovement.type.in_(others))
    half = session.scalar(other.limit(1))
    if half and half.shown == -movement.shown:
        return Judgement(Verdict.MATCHED, f"refund_failed:{refund.public_id}")
    return not_booked(movement, f"refund {refund.public_id} failed, and only one half of it is there")


def refund_of(session: Session, movement: GatewayMovement) -> Refund | None:
    mine = select(Refund).join(Attempt, Attempt.id == Refund.attempt_id)
    return session.scalar(mine.where(Attempt.gateway == movement.gateway, Refund.remote_id == movement.source_id))


def judge_dispute(session: Session, movement: GatewayMovement) -> Judgement:
    """Taken by a bank, or given again."""
    known = select(Dispute.public_id).where(Dispute.gateway == movement.gateway, Dispute.remote_id == movement.source_id)
    dispute = session.scalar(known)
    if dispute is None:
        return not_booked(movement, "no dispute that we know of")
    found = posted(session, movement, f"{DISPUTES[movement.type]}:{dispute}")
    return compare(movement, found) if found else not_booked(movement, f"dispute {dispute} is not booked")


def judge_payout(session: Session, movement: GatewayMovement) -> Judgement:
    found = posted(session, movement, movement.source_id)
    return compare(movement, found) if found else Judgement(Verdict.UNEXPLAINED, note="no payment of ours")


def judge_transfer(session: Session, movement: GatewayMovement) -> Judgement:
    known = select(Transfer).join(GatewayPayee, GatewayPayee.id == Transfer.payee_id)
    return judge_sent(session, movement, session.scalar(of_movement(known, Transfer, movement)))


def judge_reversal(session: Session, movement: GatewayMovement) -> Judgement:
    known = select(Reversal).join(Transfer, Transfer.id == Reversal.transfer_id)
    known = known.join(GatewayPayee, GatewayPayee.id == Transfer.payee_id)
    return judge_sent(session, movement, session.scalar(of_movement(known, Reversal, movement)))


def of_movement(known: Any, kind: Any, movement: GatewayMovement) -> Any:
    """The row that it was made for, also one whose answer has not come."""
    is_it = or_(kind.remote_id == movement.source_id, (kind.remote_id.is_(None)) & (kind.public_id == movement.ours))
    return known.where(GatewayPayee.gateway == movement.gateway, is_it)


def judge_sent(session: Session, movement: GatewayMovement, row: Transfer | Reversal | None) -> Judgement:
    """The worker's own step asks after what is not answered; nothing is asked here."""
    if row is None:
        return Judgement(Verdict.UNEXPLAINED, note="no transfer of ours")
    found = posted(session, movement, row.entry)
    return compare(movement, found) if found else not_booked(movement, f"{subject_of(row)} is {row.state}")


def compare(movement: GatewayMovement, found: Posted) -> Judgement:
    shown = movement.shown
    if found.amount == shown.fen:
        return Judgement(Verdict.MATCHED, found.key)
    words = f"{shown.fen} {shown.currency} there, {found.amount} in the books"
    return Judgement(Verdict.DIFFERS, found.key, words)


def not_booked(movement: GatewayMovement, note: str) -> Judgement:
    is_new = clock.now() - movement.at < ON_THE_WAY
    return Judgement(Verdict.WAITING if is_new else Verdict.UNEXPLAINED, note=note)


def posted(session: Session, movement: GatewayMovement, key: str, currency: str = "") -> Posted | None:
    """The entry, with the sum of its lines on this gateway's account in the payer's currency, or another one."""
    entry = session.execute(select(Entry.id, Entry.at).where(Entry.key == key, Entry.book == movement.book)).first()
    if entry is None:
        return None
    lines: Any = select(Line.amount).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    lines = lines.where(Line.entry_id == entry.id, LedgerAccount.kind == "gateway_clearing")
    lines = lines.where(LedgerAccount.owner == movement.gateway)
    lines = lines.where(Line.commodity == (currency or movement.shown.currency))
    return Posted(key, sum(session.scalars(lines)), entry.at)
