"""What waits for the province, as SQL: (how many, since when) for each queue, and who began what waits longest."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select

from crowdfund.campaigns import stranded
from crowdfund.campaigns.banking.models import CashDeposit
from crowdfund.campaigns.banking.states import DepositState
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.organisations.models import OrganisationEntry
from crowdfund.campaigns.organisations.officer_models import OfficerEntry
from crowdfund.campaigns.organisations.states import EntryState
from crowdfund.campaigns.states import WAITS, HeldState
from listings.complaints.models import Complaint, SecondLook
from listings.complaints.states import ComplaintState, LookState
from listings.customer_reviews.models import CustomerReview
from listings.models import Listing
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.orders import kept
from marketplace.orders.batches import queries as batches
from marketplace.orders.batches.models import PayoutAccount
from marketplace.orders.cases.models import CaseAppeal
from marketplace.orders.cases.states import AppealState
from marketplace.orders.institutions.check_queries import is_with_the_province
from marketplace.orders.institutions.models import AccountStatement, GoodsCheck, Institution
from marketplace.orders.institutions.states import InstitutionState, StatementState
from marketplace.payments import overdue
from marketplace.payments.by_bank import queries as by_bank
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BankTransferState
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import ANSWERABLE
from marketplace.payments.models import Refund
from marketplace.payments.operator import parked
from marketplace.payments.states import RefundState

LOOKED_AT_WITHIN: Final = timedelta(hours=24)


def disputes() -> Columns:
    """Since: the day by which the first has to be answered."""
    return select(func.count(), func.min(Dispute.answer_by)).where(Dispute.state.in_(sorted(ANSWERABLE)))


def cases() -> Columns:
    return select(func.count(), func.min(CaseAppeal.asked_at)).where(CaseAppeal.state == AppealState.ASKED)


def suspense() -> Columns:
    money = parked.everything()
    waits = money.c.refund_state.is_(None) | (money.c.refund_state == RefundState.FAILED)
    return select(func.count(), func.min(money.c.at)).select_from(money).where(waits)


def kept_goods() -> Columns:
    goods = kept.waiting().subquery()
    return select(func.count(), func.min(goods.c.at)).select_from(goods)


def returned_gifts() -> Columns:
    gifts = stranded.waiting().subquery()
    return select(func.count(), func.min(gifts.c.created_at)).select_from(gifts)


def payees() -> Columns:
    return select(func.count(), func.min(PayoutAccount.changed_at)).where(batches.urgency_of_payees() == 0)


def held_matches() -> Columns:
    return select(func.count(), func.min(HeldMatch.at)).where(HeldMatch.state.in_(sorted(WAITS)))


def complaints() -> Columns:
    rows = select(func.count(Complaint.listing_id.distinct()), func.min(Complaint.reported_at))
    return rows.where(Complaint.state == ComplaintState.OPEN)


def goods() -> Columns:
    """Which their stations should have looked at by now."""
    rows = select(func.count(), func.min(Listing.submitted_at))
    return rows.where(Listing.state == ListingState.SUBMITTED, Listing.submitted_at < clock.now() - LOOKED_AT_WITHIN)


def reviews() -> Columns:
    asked = (CustomerReview.appealed_at.is_not(None), CustomerReview.appeal_answered_at.is_(None))
    return select(func.count(), func.min(CustomerReview.appealed_at)).where(*asked)


def checks() -> Columns:
    return select(func.count(), func.min(GoodsCheck.appealed_at)).where(*is_with_the_province())


def organisations() -> Columns:
    rows = select(func.count(), func.min(OrganisationEntry.written_at))
    return rows.where(OrganisationEntry.state == EntryState.WRITTEN)


def officers() -> Columns:
    return select(func.count(), func.min(OfficerEntry.written_at)).where(OfficerEntry.state == EntryState.WRITTEN)


def institutions() -> Columns:
    return select(func.count(), func.min(Institution.applied_at)).where(Institution.state == InstitutionState.APPLIED)


def cash() -> Columns:
    return select(func.count(), func.min(CashDeposit.recorded_at)).where(CashDeposit.state == DepositState.PAID_IN)


def transfers() -> Columns:
    recorded = BankTransfer.state == BankTransferState.RECORDED
    return select(func.count(), func.min(BankTransfer.recorded_at)).where(recorded)


def second_looks() -> Columns:
    """Sellers who put their goods right, and ask for them to be looked at again."""
    asked = select(func.count(), func.min(SecondLook.asked_at)).join(Listing, Listing.id == SecondLook.listing_id)
    return asked.where(SecondLook.state == LookState.ASKED, Listing.state == ListingState.SUSPENDED)


def refunds_by_bank() -> Columns:
    """To be sent by hand, and no transfer is written down."""
    refunds = by_bank.to_send().subquery()
    return select(func.count(), func.min(refunds.c.created_at)).select_from(refunds)


def slow_refunds() -> Columns:
    return select(func.count(), func.min(Refund.created_at)).where(overdue.refunds())


def unpaid_statements() -> Columns:
    overdue_ones = AccountStatement.state == StatementState.OVERDUE
    return select(func.count(), func.min(AccountStatement.issued_at)).where(overdue_ones)


def name_of_first(kind: Any, person: Any, waits: Any) -> Any:
    """Of the person who wrote down what waits longest."""
    return select(Person.name).join(kind, person == Person.id).where(waits).order_by(kind.id).limit(1)


def first_writer() -> Any:
    waits = OrganisationEntry.state == EntryState.WRITTEN
    return name_of_first(OrganisationEntry, OrganisationEntry.writer_id, waits)


def first_proposer() -> Any:
    return name_of_first(OfficerEntry, OfficerEntry.writer_id, OfficerEntry.state == EntryState.WRITTEN)


def first_clerk() -> Any:
    return name_of_first(CashDeposit, CashDeposit.clerk_id, CashDeposit.state == DepositState.PAID_IN)


def first_judge() -> Any:
    """Of large matches, on which two people decide, who proposed what to do with them."""
    return name_of_first(HeldMatch, HeldMatch.proposer_id, HeldMatch.state == HeldState.PROPOSED)


def first_recorder() -> Any:
    waits = BankTransfer.state == BankTransferState.RECORDED
    return name_of_first(BankTransfer, BankTransfer.recorder_id, waits)
