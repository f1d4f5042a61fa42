"""The bank's word on a voucher, one by one: it is ours and it counts, or it is not."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import freezing, holding, reminders, vault, vouchers
from crowdfund.pledges.models import ChildCase, Pledge, Programme, Voucher
from crowdfund.pledges.states import PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import move
from marketplace.core import audit, clock
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.records import record
from marketplace.core.transitions import subject_of


@record
class Deposit:
    """What the bank knows of a voucher: never the amount, only its band; of the saver's identity document its last six
    places, empty where the bank does not say them."""

    issued_on: date
    branch: str
    band: str
    saver_ending: str = ""


def get_pledge(session: Session, pledge: str, bank: str) -> tuple[Pledge, Voucher]:
    """Of this bank's vouchers only: any other does not exist. Raises NotFound."""
    wanted = select(Pledge, Voucher).join(Voucher, Voucher.id == Pledge.voucher_id).where(Pledge.public_id == pledge)
    found = session.execute(wanted.where(Voucher.bank_code == bank).with_for_update(of=Pledge)).first()
    if found is None:
        raise NotFound(pledge)
    return found[0], found[1]


def confirm(session: Session, *, pledge: str, bank: str, deposit: Deposit, actor: str) -> None:
    """The voucher is the bank's, was issued within the programme, and the deposit is large enough.

    A saver whose identity document ends as the guardian's does waits for a person of the programme office; the bank is
    told nothing of it. Raises NotFound, OutsideWindow, BandTooLow, IllegalTransition."""
    row, voucher = get_pledge(session, pledge, bank)
    programme = session.get_one(Programme, row.programme_id)
    if row.state not in {P.PROVISIONAL, P.ON_HOLD}:
        raise IllegalTransition(pledge)
    vouchers.check_window(programme, deposit.issued_on, on=clock.local(row.created_at).date())
    vouchers.check_band(programme, deposit.band)
    voucher.issued_on, voucher.expires_on = deposit.issued_on, deposit.issued_on + timedelta(days=programme.claim_days)
    voucher.branch, voucher.band, voucher.confirmed_at = deposit.branch, deposit.band, clock.now()
    voucher.saver_identity_hash = vault.ending_hash(deposit.saver_ending)
    case = session.get_one(ChildCase, row.case_id)
    if row.state is P.PROVISIONAL and vault.is_guardian(session, case, phones=set(), identity=voucher.saver_identity_hash):
        move(session, row, P.PROVISIONAL, P.ON_HOLD, actor="system", why=reminders.RELATED)
    if row.state is P.ON_HOLD:  # the bank has said its part; a person of the programme office decides the rest
        audit.record(session, actor=actor, action="voucher.vouched_for", subject=subject_of(voucher))
        return
    holding.finish(session, row, voucher, case, actor=actor, why="the bank confirms")


def refuse(session: Session, *, pledge: str, bank: str, actor: str, reason: str) -> None:
    """Not this bank's, taken back, or ended early: before a device was reserved the pledge falls and the child waits on,
    with the waiting time it had. Raises IllegalTransition afterwards: nothing is taken from a child."""
    row, _voucher = get_pledge(session, pledge, bank)
    freezing.end(session, row, P.REVOKED, actor=actor, why=reason, voucher_to=V.REVERSED)


def decide(session: Session, *, pledge: str, goes_on: bool, actor: str, reason: str) -> None:
    """A person of the programme office decides what was held up, such as a saver who may be related.

    Raises IllegalTransition where it shall go on and the bank has not spoken yet, or the child is no longer there."""
    row = session.scalar(select(Pledge).where(Pledge.public_id == pledge).with_for_update())
    if row is None:
        raise NotFound(pledge)
    if row.state is not P.ON_HOLD:
        raise IllegalTransition(pledge)
    if not goes_on:
        freezing.end(session, row, P.REVOKED, actor=actor, why=reason)
        return
    voucher, case = session.get_one(Voucher, row.voucher_id), session.get_one(ChildCase, row.case_id)
    if voucher.confirmed_at is None:
        raise IllegalTransition(pledge)
    holding.finish(session, row, voucher, case, actor=actor, why=reason)
