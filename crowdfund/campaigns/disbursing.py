"""A campaign's money on its way to a provider: asked for by one person on an invoice, approved by another, paid, evidenced.

Whatever counts a campaign's money holds the campaign's row meanwhile, so that nobody promises the same fen twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns import budgets, disputed, public_ledger
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.criteria.models import Beneficiary, CampaignCriteria
from crowdfund.campaigns.models import BudgetLine, Campaign, Disbursement, Evidence
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.reports.due import ReportOverdue, refuse_overdue
from crowdfund.campaigns.states import CampaignState, DisbursementState
from crowdfund.campaigns.students import set_aside
from crowdfund.campaigns.whereabouts import invoices
from crowdfund.campaigns.whereabouts.models import BillLine
from marketplace.core import clock, page_cache
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.payments.gateways import current_book, gateways
from marketplace.payments.reconciliation import switch

EVIDENCE_WITHIN: Final = timedelta(days=30)
SPENDS: Final = frozenset({CampaignState.LIVE, CampaignState.ENDED, CampaignState.DISBURSING})
CALLED_OFF: Final = frozenset({DisbursementState.APPROVED, DisbursementState.FAILED})  # may still be
IN_TRANSIT: Final[books.Account] = ("payout_in_transit", "")
D = DisbursementState
on_rejected: list[Callable[[Session, Disbursement, int], None]] = []  # what listens, with the person who said no


class CampaignDoesNotSpend(Refusal):
    message = _l("This campaign is not paying anything out right now.")


class NotEnough(Refusal):
    message = _l("The campaign does not have that much left.")

    def __init__(self, what: str, free_fen: int) -> None:
        super().__init__(what)
        self.free_fen = free_fen


class InvoiceUsed(Refusal):
    message = _l("This invoice was already submitted.")


class SamePerson(Refusal):
    status = 403
    message = _l("Whoever requested the money cannot approve it. Another person must.")


class EvidenceOverdue(Refusal):
    message = _l("Evidence of an earlier payment is overdue. Until it is provided, this campaign pays nothing more.")


class BankUnanswered(Refusal):
    message = _l(
        "The bank was told to pay more than 30 days ago, and nobody has entered what became of it. Until then, this campaign"
        " pays nothing more."
    )


HELD_UP: Final = (CampaignDoesNotSpend, EvidenceOverdue, BankUnanswered, ReportOverdue)
"""What stops all of a campaign's money."""


class NobodyReached(Refusal):
    message = _l("Whom this payment reached is not entered yet.")


class NoEvidence(Refusal):
    message = _l("There is no invoice yet. Please add it first.")


@record
class Bill:
    """What is to be paid, to whom and for what."""

    amount: Money
    purpose: str
    provider: str
    provider_credit_code: str
    invoice_number: str
    lines: tuple[tuple[str, int], ...] = ()  # what for, and fen; together the amount. None: the purpose is its only line

    @property
    def whole_lines(self) -> tuple[tuple[str, int], ...]:
        """Raises ValueError where they do not add up."""
        if self.lines and sum(fen for _what, fen in self.lines) != self.amount.fen:
            raise ValueError(f"lines of {self.invoice_number} do not add up to {self.amount.fen} fen")
        return self.lines or ((self.purpose, self.amount.fen),)


def free_fen(session: Session, campaign: Campaign, book: str) -> int:
    """Received less refunded less taken less disputed less set aside for terms: what may still be promised.

    Only whoever holds the campaign's row may act on it."""
    promised = select(func.coalesce(func.sum(Disbursement.fen), 0)).where(
        Disbursement.campaign_id == campaign.id, Disbursement.book == book, Disbursement.state == D.APPROVED
    )  # what is on its way or paid has left the account already
    in_account = -books.balance(session, "restricted", campaign.public_id, book=book)
    taken = int(session.scalar(promised) or 0) + disputed.disputed_fen(session, campaign, book=book)
    return in_account - taken - set_aside.of_campaign(session, campaign.id, book=book)


def overdue() -> Any:
    """SQL: paid, and the day by which its evidence was due is over."""
    return (Disbursement.state == D.PAID) & (Disbursement.evidence_due_on < clock.today())


def unanswered() -> Any:
    """SQL: told to the bank, and for thirty days nobody has said what became of it: else its evidence would never be due."""
    return (Disbursement.state == D.PAYING) & (Disbursement.evidence_due_on < clock.today())


def hold(session: Session, campaign: Any) -> Campaign:
    """The campaign, its row locked, if it may spend.

    Raises NotFound, CampaignDoesNotSpend, EvidenceOverdue, BankUnanswered, ReportOverdue."""
    held = select(Campaign).where(campaign).with_for_update(key_share=True)  # gifts may refer to it meanwhile
    found = session.scalar(held.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("campaign")
    refuse_held_up(session, found)
    return found


def refuse_held_up(session: Session, campaign: Campaign) -> None:
    """Raises CampaignDoesNotSpend, EvidenceOverdue, BankUnanswered, ReportOverdue."""
    if campaign.state not in SPENDS:
        raise CampaignDoesNotSpend(campaign.public_id)
    if session.scalar(select(exists().where(Disbursement.campaign_id == campaign.id, overdue()))):
        raise EvidenceOverdue(campaign.public_id)
    if session.scalar(select(exists().where(Disbursement.campaign_id == campaign.id, unanswered()))):
        raise BankUnanswered(campaign.public_id)
    refuse_overdue(session, campaign)


def request(
    session: Session, *, campaign: str, budget_line: int, bill: Bill, requester_id: int, set_aside_fen: int = 0
) -> str:
    """Ask for money to pay a bill; returns the public id. `budget_line` is its position; `set_aside_fen` is what was set
    aside for this very payment.

    Raises NotFound, CampaignDoesNotSpend, EvidenceOverdue, ReportOverdue, NotEnough, InvoiceUsed."""
    of = hold(session, Campaign.public_id == campaign)
    line = session.scalar(select(BudgetLine.id).where(BudgetLine.campaign_id == of.id, BudgetLine.position == budget_line))
    if line is None:
        raise NotFound(f"budget line {budget_line}")
    book = current_book()
    refuse_too_much(session, of, book, bill.amount.fen, own_fen=set_aside_fen)
    row = Disbursement(campaign_id=of.id, budget_line_id=line, book=book, fen=bill.amount.fen, requester_id=requester_id)
    row.purpose_zh, row.provider_zh = public_ledger.plain(bill.purpose), public_ledger.plain(bill.provider)
    row.provider_credit_code, row.invoice_number = bill.provider_credit_code, bill.invoice_number
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise InvoiceUsed(bill.invoice_number) from None
    for position, (what, fen) in enumerate(bill.whole_lines, start=1):
        words = public_ledger.plain(what)
        session.add(BillLine(disbursement_id=row.id, position=position, what_zh=words, fen=fen))
    leave_trace(session, row, None, D.REQUESTED, actor=f"person:{requester_id}", why=bill.invoice_number)
    return row.public_id


def refuse_too_much(session: Session, campaign: Campaign, book: str, fen: int, *, own_fen: int = 0) -> None:
    free = free_fen(session, campaign, book) - drawers.of_campaign(session, campaign.id, book=book) + own_fen
    if fen > free:
        raise NotEnough(campaign.public_id, free)


def approve(session: Session, *, disbursement: str, approver_id: int, why_beyond: str = "") -> None:
    """Promise the money: from here on no other request may count on it. `why_beyond`: what is public of a payment that
    takes more than the budget has for its item; of others nothing of it is kept.

    Raises SamePerson, StaleState, NotEnough, BeyondBudget, NotFound and what is HELD_UP."""
    row = get(session, disbursement)
    if row.requester_id == approver_id:
        raise SamePerson(disbursement)
    of = hold(session, Campaign.id == row.campaign_id)
    session.refresh(row)
    if row.state is D.REQUESTED:
        refuse_too_much(session, of, row.book, row.fen, own_fen=set_aside.of_payment(session, row.id))
        row.beyond_why = budgets.reason(session, row, of.public_id, public_ledger.plain(why_beyond))
    move(session, row, D.APPROVED, D.REQUESTED, approver_id, row.beyond_why or "approved")
    row.approver_id = approver_id


def reject(session: Session, *, disbursement: str, approver_id: int, reason: str) -> None:
    """Say no, with a reason that the requester reads: to a request, to what was approved while the bank knows nothing, or to
    what it could not pay. The invoice may be asked for again. Raises SamePerson, StaleState, NotFound."""
    row = get(session, disbursement)
    if row.requester_id == approver_id:
        raise SamePerson(disbursement)
    before = row.state if row.state in CALLED_OFF else D.REQUESTED
    move(session, row, D.REJECTED, before, approver_id, reason)
    if before is D.FAILED:
        campaign, amount = session.get_one(Campaign, row.campaign_id).public_id, Money(row.fen)
        post(session, row, "disburse_undone", campaign, {IN_TRANSIT: amount, ("restricted", campaign): -amount})
    row.approver_id = approver_id
    for hear in on_rejected:
        hear(session, row, approver_id)


def send(session: Session, *, disbursement: str, officer_id: int) -> None:
    """The bank was told to pay: the money leaves the campaign's account. After a failure it is told once more.

    Raises StaleState, EvidenceOverdue, ReportOverdue, CampaignDoesNotSpend, PayoutsAreClosed, NotEnough, NotFound."""
    switch.refuse_closed_payouts(session)
    row = get(session, disbursement)
    of = hold(session, Campaign.id == row.campaign_id)
    session.refresh(row)
    is_first = row.state is D.APPROVED
    move(session, row, D.PAYING, row.state if row.state is D.FAILED else D.APPROVED, officer_id, "sent to the bank")
    row.evidence_due_on = clock.today() + EVIDENCE_WITHIN
    if is_first:  # what the bank sent back has waited in transit
        refuse_what_is_gone(session, row, of)
        amount = Money(row.fen)
        lines: dict[books.Account, Money] = {("restricted", of.public_id): amount, IN_TRANSIT: -amount}
        post(session, row, "disburse", of.public_id, lines)


def refuse_what_is_gone(session: Session, row: Disbursement, campaign: Campaign) -> None:
    """A payer's bank may have taken, or may take, what was there when it was approved. Raises NotEnough."""
    free = -books.balance(session, "restricted", campaign.public_id, book=row.book)
    free -= drawers.of_campaign(session, campaign.id, book=row.book)
    free -= disputed.disputed_fen(session, campaign, book=row.book)
    free -= set_aside.of_campaign(session, campaign.id, book=row.book)
    if free < row.fen:
        raise NotEnough(row.public_id, free)


def confirm(session: Session, *, disbursement: str, officer_id: int, bank_reference: str) -> None:
    """The provider has it; everybody sees that from now on, and evidence is due. Raises StaleState, NotFound."""
    row = get(session, disbursement)
    campaign = session.get_one(Campaign, row.campaign_id).public_id
    move(session, row, D.PAID, D.PAYING, officer_id, bank_reference)
    row.paid_at, row.bank_reference = clock.now(), bank_reference
    row.evidence_due_on = clock.today() + EVIDENCE_WITHIN
    amount = Money(row.fen)
    post(session, row, "disburse_paid", campaign, {IN_TRANSIT: amount, ("gateway_clearing", gateways().chosen): -amount})
    public_ledger.write(
        session,
        kind="disbursement",
        campaign_id=row.campaign_id,
        book=row.book,
        amount=-amount,
        who=row.provider_zh,
        what=row.purpose_zh,
        reference=f"disburse:{row.public_id}",
        commitment=invoices.of_payment(session, row),
    )
    page_cache.expire(session, "giving", "ledger", f"campaign:{campaign}")


def fail(session: Session, *, disbursement: str, officer_id: int, reason: str) -> None:
    """The bank could not pay; the money waits in transit and is sent again. Raises StaleState, NotFound."""
    move(session, get(session, disbursement), D.FAILED, D.PAYING, officer_id, reason)


def complete(session: Session, *, disbursement: str, officer_id: int) -> None:
    """All evidence is there, the invoice among it; and whom it reached, where the campaign published limits of that.

    What came back in full needs neither. Raises NoEvidence, NobodyReached, StaleState, NotFound."""
    row = get(session, disbursement)
    locked = select(Campaign.id).where(Campaign.id == row.campaign_id).with_for_update(key_share=True)
    session.execute(locked)  # nobody corrects meanwhile what came back
    session.refresh(row)
    if not repaid.is_all_back(session, row):
        refuse_unproved(session, row)
    move(session, row, D.EVIDENCED, D.PAID, officer_id, "all evidence is there")
    page_cache.expire(session, "giving", "ledger", f"campaign:{session.get_one(Campaign, row.campaign_id).public_id}")


def refuse_unproved(session: Session, row: Disbursement) -> None:
    """Raises NoEvidence without an invoice, NobodyReached where a closed list should say who was helped."""
    if not session.scalar(select(exists().where(Evidence.disbursement_id == row.id, Evidence.kind == "invoice"))):
        raise NoEvidence(row.public_id)
    reached = select(exists().where(Beneficiary.disbursement_id == row.id))
    if session.get(CampaignCriteria, row.campaign_id) and not session.scalar(reached):
        raise NobodyReached(row.public_id)


def get(session: Session, disbursement: str) -> Disbursement:
    """Raises NotFound."""
    found = session.scalar(select(Disbursement).where(Disbursement.public_id == disbursement))
    if found is None:
        raise NotFound(disbursement)
    return found


def move(session: Session, row: Disbursement, to: D, expected: D, person_id: int, why: str) -> None:
    """Raises StaleState also where the step is no longer the next one: somebody else was there first."""
    if row.state is not expected:
        raise StaleState(f"{row.public_id} is {row.state}")
    transition(session, row, to, expected=expected, actor=f"person:{person_id}", why=why)


def post(session: Session, row: Disbursement, kind: str, campaign: str, lines: dict[books.Account, Money]) -> None:
    books.post(session, key=f"{kind}:{row.public_id}", book=row.book, reference=campaign, lines=lines)
