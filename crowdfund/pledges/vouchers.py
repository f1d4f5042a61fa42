"""Vouchers: which of them count, which is held for whom, and when one has lain too long."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import Pledge, Programme, Voucher
from crowdfund.pledges.refusals import BandTooLow, CardGone, OutsideWindow
from crowdfund.pledges.states import ACTIVE, BANDS, FREE, VoucherState as V
from crowdfund.pledges.steps import SAVER, move
from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.transitions import leave_trace

BATCH = 200


def check_window(programme: Programme, issued_on: date, *, on: date) -> None:
    """A voucher counts until the end of its last day in Shanxi, by the day on which the child was chosen.

    Raises OutsideWindow."""
    last = issued_on + timedelta(days=programme.claim_days)
    if not programme.opens_on <= issued_on <= programme.closes_on or not issued_on <= on <= last:
        raise OutsideWindow(issued_on.isoformat())


def check_band(programme: Programme, band: str) -> None:
    """Raises BandTooLow."""
    if BANDS.index(band) < BANDS.index(programme.minimum_band):
        raise BandTooLow(band)


def take(
    session: Session, programme: Programme, *, bank: str, number_hash: str, last4: str, issued_on: date
) -> tuple[Voucher, int | None]:
    """(the voucher of this number, held from now on; the pledge whose place the next one takes, if there was one).

    A number that nobody knew makes a new row. Raises CardGone if it is in use, or if its bank has said of it what does not
    count: the answer is the same for all."""
    values = {"public_id": ids.public_id(), "bank_code": bank, "number_hash": number_hash, "last4": last4}
    said = {"issued_on": issued_on, "state": V.CLAIMED, "branch": "", "band": "", "cancellations": 0}
    is_new = insert_or_ignore(session, Voucher, values | said)
    wanted = select(Voucher).where(Voucher.bank_code == bank, Voucher.number_hash == number_hash)
    voucher = session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one()
    if is_new:
        leave_trace(session, voucher, None, V.CLAIMED, actor=SAVER, why="typed")
    if voucher.state not in FREE or not counts(programme, voucher):
        raise CardGone("voucher")
    if voucher.confirmed_at is None:  # whoever mistyped the day may type it again
        voucher.issued_on = issued_on
    move(session, voucher, voucher.state, V.HELD, actor=SAVER, why="chosen")
    return voucher, None if is_new else last_pledge(session, voucher)


def counts(programme: Programme, voucher: Voucher) -> bool:
    """Nothing that its bank has said of it speaks against it."""
    if voucher.confirmed_at is None or voucher.issued_on is None:
        return True
    try:
        check_window(programme, voucher.issued_on, on=clock.today())
        check_band(programme, voucher.band)
    except (OutsideWindow, BandTooLow):
        return False
    return True


def last_pledge(session: Session, voucher: Voucher) -> int | None:
    """What a new pledge with this voucher takes the place of."""
    wanted = select(Pledge.id).where(Pledge.voucher_id == voucher.id).order_by(Pledge.id.desc())
    return session.scalar(wanted.limit(1))


def expire_due(session: Session) -> None:
    """The last day of what a bank has vouched for is over, and nobody chose a child with it. The worker's duty."""
    over = select(Voucher).where(Voucher.state == V.VERIFIED, Voucher.expires_on < clock.today())
    standing = select(Pledge.id).where(Pledge.voucher_id == Voucher.id, Pledge.state.in_(ACTIVE))
    free = over.where(~standing.exists()).order_by(Voucher.id).limit(BATCH)
    for voucher in session.scalars(free.with_for_update(skip_locked=True)).all():
        move(session, voucher, V.VERIFIED, V.EXPIRED, actor="system", why="last day over")
