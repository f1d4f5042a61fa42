"""What was let in as paid back and is not there: one person says so, another takes it out of the campaign's account again.

repaid_undone:<repayment>   restricted -> gateway_clearing: the way of the repayment, back

Its lines of the invoice were paid after all: money that waits in the campaign pays them again (ADR 63)."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import disbursing, disputed, public_ledger
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments import paying_back, queries
from crowdfund.campaigns.repayments.models import Repayment, RepaymentCorrection
from crowdfund.campaigns.repayments.paying_back import SamePerson
from crowdfund.campaigns.states import DisbursementState
from crowdfund.campaigns.students import set_aside
from crowdfund.campaigns.whereabouts import invoices
from marketplace.core import clock, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.formats import yuan
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.models import Entry, LedgerAccount, Line

KEY: Final = "repaid_undone:"


class SpentMeanwhile(Refusal):
    """`free_fen` is what is left of the campaign's account."""

    status = 409

    def __init__(self, repayment: str, free_fen: int) -> None:
        super().__init__(f"{repayment}: {free_fen} fen left")
        self.message = _l(
            "The campaign has only %(sum)s left that is promised to nobody: what came has been spent. It can be taken out"
            " when that much is there again.",
            sum=yuan(max(free_fen, 0)),
        )


class NotProvedThen(Refusal):
    status = 409
    message = _l(
        "All of this payment had come back, so its evidence was complete without an invoice. Please add the invoice, and"
        " whom the payment reached, first."
    )


def enter(session: Session, *, repayment: str, why: str, officer_id: int) -> str:
    """Say that it is not there; nothing moves yet. Returns the correction's public id.

    Raises NotFound, StaleState (not let in, or corrected already), NotPaid, CampaignIsOver."""
    row, _paid, _campaign = held(session, repayment)
    if not row.is_approved:
        raise StaleState(repayment)
    made = RepaymentCorrection(repayment_id=row.id, officer_id=officer_id, why_zh=public_ledger.plain(why))
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise StaleState(repayment) from None
    paying_back.note(session, row, officer_id, "correction entered", made.why_zh)
    return made.public_id


def held(session: Session, repayment: str) -> tuple[Repayment, Disbursement, Campaign]:
    """Locked in the order that everybody keeps: the campaign first. Raises NotFound, NotPaid, CampaignIsOver."""
    mine = select(Disbursement).join(Repayment, Repayment.disbursement_id == Disbursement.id)
    paid = session.scalar(mine.where(Repayment.public_id == repayment))
    if paid is None:
        raise NotFound(repayment)
    campaign = paying_back.hold(session, paid)
    session.refresh(paid)  # somebody may have said meanwhile that all evidence is there
    locked = select(Repayment).where(Repayment.public_id == repayment).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one(), paid, campaign


def approve(session: Session, *, repayment: str, approver_id: int) -> None:
    """It is not on the bank's statement: out of the campaign's account it goes, and everybody sees it.

    Raises NotFound, SamePerson, StaleState, NotPaid, CampaignIsOver, SpentMeanwhile, NotProvedThen."""
    row, paid, campaign = held(session, repayment)
    correction = undecided(session, row, approver_id)
    free = free_fen(session, campaign, paid.book)
    if free < row.fen:
        raise SpentMeanwhile(repayment, free)
    correction.decider_id, correction.decided_at = approver_id, clock.now()
    session.flush()
    row.corrected_at = correction.decided_at
    session.flush()
    refuse_unproved(session, paid)
    amount, key = Money(row.fen), KEY + repayment
    lines: dict[books.Account, Money] = {("restricted", campaign.public_id): amount, came_by(session, repayment): -amount}
    books.post(session, key=key, book=paid.book, reference=campaign.public_id, lines=lines)
    public_ledger.write(
        session,
        kind="correction",
        campaign_id=campaign.id,
        book=paid.book,
        amount=-amount,
        who=paid.provider_zh,
        what=correction.why_zh,
        reference=key,
        commitment=invoices.of_correction(repayment),
    )
    paying_back.note(session, row, approver_id, "corrected", correction.why_zh)
    page_cache.expire(session, "giving", "ledger", f"campaign:{campaign.public_id}")


def free_fen(session: Session, campaign: Campaign, book: str) -> int:
    """What is in the account less what lies in drawers, is disputed, or is set aside for terms.

    What was approved and not sent yet does not count: it is asked for again when it is sent."""
    in_account = -books.balance(session, "restricted", campaign.public_id, book=book)
    kept = drawers.of_campaign(session, campaign.id, book=book) + disputed.disputed_fen(session, campaign, book=book)
    return in_account - kept - set_aside.of_campaign(session, campaign.id, book=book)


def refuse_unproved(session: Session, paid: Disbursement) -> None:
    """What bought something after all is proved like any payment. Raises NotProvedThen."""
    if paid.state is not DisbursementState.EVIDENCED or queries.is_all_back(session, paid):
        return
    try:
        disbursing.refuse_unproved(session, paid)
    except (disbursing.NoEvidence, disbursing.NobodyReached):
        raise NotProvedThen(paid.public_id) from None


def came_by(session: Session, repayment: str) -> books.Account:
    """The account in which the repayment's entry has it."""
    wanted = select(LedgerAccount.kind, LedgerAccount.owner).join(Line, Line.account_id == LedgerAccount.id)
    wanted = wanted.join(Entry, Entry.id == Line.entry_id).where(Entry.key == f"repaid:{repayment}", Line.amount > 0)
    kind, owner = session.execute(wanted).one()
    return kind, owner


def refuse(session: Session, *, repayment: str, approver_id: int, reason: str) -> None:
    """It is there: nothing moves. Raises NotFound, SamePerson, StaleState, NotPaid, CampaignIsOver."""
    row, _paid, _campaign = held(session, repayment)
    correction = undecided(session, row, approver_id)
    correction.decider_id, correction.decided_at, correction.refused_why = approver_id, clock.now(), reason
    paying_back.note(session, row, approver_id, "correction refused", reason)


def undecided(session: Session, row: Repayment, person_id: int) -> RepaymentCorrection:
    """Entered by somebody else. Raises SamePerson, StaleState."""
    mine = select(RepaymentCorrection).where(RepaymentCorrection.repayment_id == row.id)
    found = session.scalar(mine.where(RepaymentCorrection.decided_at.is_(None)).with_for_update())
    if found is None:
        raise StaleState(row.public_id)
    if found.officer_id == person_id:
        raise SamePerson(row.public_id)
    return found
