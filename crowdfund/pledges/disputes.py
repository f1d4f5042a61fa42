"""A bank's word that may have been wrong: one person says so, another decides. A wrong step is taken back by a new one and
by two people. Meanwhile the voucher directs nothing, and no device is reserved for its pledge."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import freezing
from crowdfund.pledges.confirming import get_pledge
from crowdfund.pledges.models import Pledge, Voucher
from crowdfund.pledges.refusals import DecidesOwnDispute
from crowdfund.pledges.states import ACTIVE, PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import move
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.transitions import EventRow, subject_of

DISPUTABLE: Final = frozenset({V.VERIFIED, V.REVERSED, V.EXPIRED, V.VOID})
"""The bank has said its word. Before it the bank says yes or no, which needs nobody else."""
BEFORE_A_DEVICE: Final = frozenset({P.CONFIRMED})


def dispute(session: Session, *, pledge: str, bank: str, actor: str, reason: str) -> None:
    """The word on this pledge's voucher may be wrong; a person of the programme office decides.

    Raises NotFound, and IllegalTransition before the bank's word, while another child is held with the voucher, and once a
    device is reserved: nothing is taken from a child."""
    _row, voucher = get_pledge(session, pledge, bank)
    voucher = lock(session, voucher.public_id)
    standing = active_pledge(session, voucher)
    if voucher.state not in DISPUTABLE or (standing is not None and standing.state not in BEFORE_A_DEVICE):
        raise IllegalTransition(f"{subject_of(voucher)}: {voucher.state}")
    move(session, voucher, voucher.state, V.DISPUTED, actor=actor, why=reason)


def decide(session: Session, *, voucher: str, counts: bool, actor: str, reason: str) -> None:
    """It counts: a pledge that stands goes on, or a child may be chosen with it again. It does not: the pledge ends, and the
    child waits on with the time it had. Raises NotFound, DecidesOwnDispute, IllegalTransition."""
    row = lock(session, voucher)
    if row.state is not V.DISPUTED:
        raise IllegalTransition(f"{subject_of(row)}: {row.state}")
    if disputed_by(session, row) == actor:
        raise DecidesOwnDispute(voucher)
    standing = active_pledge(session, row)
    if standing is not None and not counts:
        freezing.end(session, standing, P.REVOKED, actor=actor, why=reason)
    move(session, row, V.DISPUTED, V.VERIFIED if counts else V.VOID, actor=actor, why=reason)


def lock(session: Session, voucher: str) -> Voucher:
    wanted = select(Voucher).where(Voucher.public_id == voucher).with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(voucher)
    return found


def active_pledge(session: Session, voucher: Voucher) -> Pledge | None:
    wanted = select(Pledge).where(Pledge.voucher_id == voucher.id, Pledge.state.in_(ACTIVE))
    return session.scalar(wanted.with_for_update())


def disputed_by(session: Session, voucher: Voucher) -> str | None:
    """Who said last that it may be wrong."""
    said = select(EventRow.actor).where(EventRow.subject == subject_of(voucher), EventRow.to_state == V.DISPUTED)
    return session.scalar(said.order_by(EventRow.id.desc()).limit(1))
