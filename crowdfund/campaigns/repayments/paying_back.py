"""A provider pays back: one person writes down what the bank received, another lets it into the campaign's account.

repaid:<repayment>   gateway_clearing -> restricted: the way of the payment, back

It is the campaign's to spend again; the gifts that had paid these lines of the invoice are not spent any more (ADR 53)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import public_ledger
from crowdfund.campaigns.evidence import Kept
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.states import CampaignState, DisbursementState
from crowdfund.campaigns.whereabouts import invoices
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.core import audit, clock, page_cache
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.formats import yuan
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.ledger import books
from marketplace.payments.gateways import gateways

PAID: Final = frozenset({DisbursementState.PAID, DisbursementState.EVIDENCED})
TAKES_BACK: Final = frozenset(
    {CampaignState.LIVE, CampaignState.PAUSED, CampaignState.ENDED, CampaignState.DISBURSING}
)  # what can still be spent; from `reported` on there is no way back


class NotPaid(Refusal):
    message = _l("This payment has not reached the provider, so nothing of it can come back.")


class CampaignIsOver(Refusal):
    message = _l(
        "This campaign is over and can spend nothing any more, so no money can be added to it. Please talk to the provider"
        " and the bank: what came belongs back to whoever sent it."
    )


class TooMuchBack(Refusal):
    """`line` is the position on the invoice."""

    status = 422

    def __init__(self, line: int, left_fen: int) -> None:
        super().__init__(f"line {line}: {left_fen} fen")
        self.line = line
        nothing = _("All of this line has come back already.")
        self.message = _("At most %(sum)s of this line can come back.", sum=yuan(left_fen)) if left_fen else nothing


class NothingBack(Refusal):
    status = 422
    message = _l("Enter how much of at least one line came back.")


class CreditUsed(Refusal):
    status = 422
    message = _l("This reference of the bank is entered already.")


class BeforePayment(Refusal):
    status = 422
    message = _l("The provider was paid later than this day.")


class SamePerson(Refusal):
    status = 403
    message = _l("You entered this yourself, so another person must confirm it.")


@record
class Credit:
    """What the bank's statement says. `lines`: fen by position on the invoice; together the sum that came."""

    lines: Mapping[int, int]
    bank_reference: str
    received_on: date
    why: str

    @property
    def fen(self) -> int:
        return sum(self.lines.values())


def enter(session: Session, *, disbursement: str, credit: Credit, paper: Kept, officer_id: int) -> str:
    """Write it down; nothing moves yet. Returns the repayment's public id.

    Raises NotFound, NotPaid, CampaignIsOver, BeforePayment, NothingBack, TooMuchBack, CreditUsed."""
    paid = session.scalar(select(Disbursement).where(Disbursement.public_id == disbursement))
    if paid is None:
        raise NotFound(disbursement)
    hold(session, paid)
    if paid.paid_at and credit.received_on < clock.local(paid.paid_at).date():
        raise BeforePayment(disbursement)
    lines = lines_of(session, paid, credit)
    row = Repayment(disbursement_id=paid.id, fen=credit.fen, officer_id=officer_id, received_on=credit.received_on)
    row.bank_reference, row.why_zh = credit.bank_reference, public_ledger.plain(credit.why)
    row.sha256, row.file_name = paper.sha256, paper.file_name
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise CreditUsed(credit.bank_reference) from None
    add_rows(session, RepaidLine, *({"repayment_id": row.id, "bill_line_id": line, "fen": fen} for line, fen in lines))
    note(session, row, officer_id, "entered", credit.bank_reference)
    return row.public_id


def hold(session: Session, paid: Disbursement) -> Campaign:
    """Its campaign, the row locked, so that two people add up one after the other and no report ends it meanwhile.

    Raises NotPaid, CampaignIsOver."""
    held = select(Campaign).where(Campaign.id == paid.campaign_id).with_for_update(key_share=True)
    campaign = session.scalars(held.execution_options(populate_existing=True)).one()
    if paid.state not in PAID:
        raise NotPaid(paid.public_id)
    if campaign.state not in TAKES_BACK:
        raise CampaignIsOver(campaign.public_id)
    return campaign


def lines_of(session: Session, paid: Disbursement, credit: Credit) -> list[tuple[int, int]]:
    """(line, fen). Raises NothingBack, TooMuchBack, and NotFound for a line that the invoice does not have."""
    found = {row.position: row for row in session.execute(left_by_line(paid.id))}
    wanted = {position: fen for position, fen in credit.lines.items() if fen}
    if not wanted:
        raise NothingBack(paid.public_id)
    lines = []
    for position, fen in sorted(wanted.items()):
        if position not in found:
            raise NotFound(f"line {position}")
        left = int(found[position].fen - found[position].back)
        if fen > left:
            raise TooMuchBack(position, left)
        lines.append((int(found[position].id), fen))
    return lines


def left_by_line(disbursement_id: int) -> Any:
    """SQL, (id, position, what_zh, fen, back) by line; `back` is what came back or waits for a second person."""
    back = select(RepaidLine.bill_line_id, func.sum(RepaidLine.fen).label("fen")).group_by(RepaidLine.bill_line_id)
    back = back.join(Repayment, Repayment.id == RepaidLine.repayment_id)
    back = back.where(Repayment.refused_why == "", Repayment.corrected_at.is_(None))
    known = back.where(Repayment.disbursement_id == disbursement_id).subquery()
    wanted = select(BillLine.id, BillLine.position, BillLine.what_zh, BillLine.fen)
    wanted = wanted.add_columns(func.coalesce(known.c.fen, 0).label("back"))
    wanted = wanted.outerjoin(known, known.c.bill_line_id == BillLine.id)
    return wanted.where(BillLine.disbursement_id == disbursement_id).order_by(BillLine.position)


def approve(session: Session, *, repayment: str, approver_id: int) -> None:
    """It is on the bank's statement: the money is the campaign's again, and everybody sees it.

    Raises NotFound, SamePerson, StaleState, NotPaid, CampaignIsOver."""
    row, paid, campaign = decided(session, repayment, approver_id)
    row.decider_id, row.decided_at = approver_id, clock.now()
    session.flush()
    amount = Money(row.fen)
    key, clearing = f"repaid:{repayment}", ("gateway_clearing", gateways().chosen)
    lines: dict[books.Account, Money] = {clearing: amount, ("restricted", campaign.public_id): -amount}
    books.post(session, key=key, book=paid.book, reference=campaign.public_id, lines=lines)
    public_ledger.write(
        session,
        kind="repayment",
        campaign_id=campaign.id,
        book=paid.book,
        amount=amount,
        who=paid.provider_zh,
        what=row.why_zh,
        reference=key,
        commitment=invoices.of_repayment(paid.public_id, parts_of(session, row.id)),
    )
    note(session, row, approver_id, "approved", row.bank_reference)
    page_cache.expire(session, "giving", "ledger", f"campaign:{campaign.public_id}")


def parts_of(session: Session, repayment_id: int) -> list[tuple[int, int]]:
    """(position on the invoice, fen)."""
    wanted = select(BillLine.position, RepaidLine.fen).join(BillLine, BillLine.id == RepaidLine.bill_line_id)
    found = session.execute(wanted.where(RepaidLine.repayment_id == repayment_id).order_by(BillLine.position))
    return [(int(position), int(fen)) for position, fen in found]


def refuse(session: Session, *, repayment: str, approver_id: int, reason: str) -> None:
    """It is not so: nothing moves, and the bank's reference can be entered again.

    Raises NotFound, SamePerson, StaleState."""
    row = held(session, repayment, approver_id)
    row.decider_id, row.decided_at, row.refused_why = approver_id, clock.now(), reason
    note(session, row, approver_id, "refused", reason)


def decided(session: Session, repayment: str, person_id: int) -> tuple[Repayment, Disbursement, Campaign]:
    """In the order of locks that everybody keeps: the campaign first."""
    mine = select(Disbursement).join(Repayment, Repayment.disbursement_id == Disbursement.id)
    paid = session.scalar(mine.where(Repayment.public_id == repayment))
    if paid is None:
        raise NotFound(repayment)
    campaign = hold(session, paid)
    return held(session, repayment, person_id), paid, campaign


def held(session: Session, repayment: str, person_id: int) -> Repayment:
    """Undecided, entered by somebody else, locked. Raises NotFound, SamePerson, StaleState."""
    locked = select(Repayment).where(Repayment.public_id == repayment).with_for_update()
    row = session.scalar(locked.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(repayment)
    if row.officer_id == person_id:
        raise SamePerson(repayment)
    if row.decided_at is not None:
        raise StaleState(repayment)
    return row


def is_any_waiting(session: Session, campaign_id: int) -> bool:
    """For a second person."""
    waits = select(Repayment.id).join(Disbursement, Disbursement.id == Repayment.disbursement_id)
    waits = waits.where(Disbursement.campaign_id == campaign_id, Repayment.decided_at.is_(None))
    return session.scalar(waits.limit(1)) is not None


def note(session: Session, row: Repayment, person_id: int, what: str, why: str) -> None:
    subject = f"repayment:{row.public_id}"
    audit.record(session, actor=f"person:{person_id}", action=f"repayment.{what}", subject=subject, why=why, fen=row.fen)
