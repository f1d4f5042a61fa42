"""What waits for the province, queue by queue: how many, since when, and who began it. One statement for all of them."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import gettext as _, ngettext
from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import stranded
from crowdfund.campaigns.banking.models import CashDeposit
from crowdfund.campaigns.banking.states import DepositState
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.organisations.models import OrganisationEntry
from crowdfund.campaigns.organisations.officer_models import OfficerEntry
from crowdfund.campaigns.organisations.states import EntryState
from crowdfund.campaigns.states import WAITS, HeldState
from listings.complaints.models import Complaint
from listings.complaints.states import ComplaintState
from listings.customer_reviews.models import CustomerReview
from listings.models import Listing
from listings.states import ListingState
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import reaches_of
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.records import record
from marketplace.orders import kept
from marketplace.orders.batches import queries as batches
from marketplace.orders.batches.models import PayoutAccount
from marketplace.orders.cases.models import CaseAppeal
from marketplace.orders.cases.states import AppealState
from marketplace.orders.institutions.models import Institution
from marketplace.orders.institutions.states import InstitutionState
from marketplace.payments.by_bank.models import BankTransfer
from marketplace.payments.by_bank.states import BankTransferState
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import ANSWERABLE
from marketplace.payments.operator import parked
from marketplace.payments.states import RefundState

LOOKED_AT_WITHIN: Final = timedelta(hours=24)
NOTHING: Final = literal(None)
URGENT, CHECK, APPROVE, JUDGE = "urgent", "check", "approve", "judge"


@record
class Queue:
    """`rows` counts (number, since); `who`: whose entry waits longest. `action`: who may do it sees it."""

    code: str
    kind: str
    action: str
    url: str
    sentence: Callable[[int], str]
    button: Callable[[], str]
    rows: Callable[[], Columns]
    who: Callable[[], Any] = lambda: NOTHING


@record
class Waiting:
    """A queue with something in it."""

    queue: Queue
    number: int
    since: datetime | None
    who: str | None


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


def to_look() -> str:
    return str(_("Look"))


def to_approve() -> str:
    return str(_("Approve"))


def to_judge() -> str:
    return str(_("Judge"))


QUEUES: Final = (
    Queue(
        "disputes", URGENT, "payment.correct", "/operator/disputes",
        lambda n: ngettext("A bank waits for our answer to a dispute", "Banks wait for our answer to %(num)d disputes", n),
        lambda: _("Answer"), disputes,
    ),
    Queue(
        "suspense", CHECK, "payment.correct", "/operator/suspense",
        lambda n: ngettext("One payment lies in suspense", "%(num)d payments lie in suspense", n),
        to_look, suspense,
    ),
    Queue(
        "kept", CHECK, "payment.correct", "/operator/kept-goods",
        lambda n: ngettext("The goods of a dispute that was won were kept", "Goods of %(num)d won disputes were kept", n),
        to_look, kept_goods,
    ),
    Queue(
        "returned", CHECK, "gift_return.send", "/charity/returned-gifts",
        lambda n: ngettext("One gift did not reach its giver", "%(num)d gifts did not reach their givers", n),
        to_look, returned_gifts,
    ),
    Queue(
        "cash_deposits", CHECK, "cash_deposit.confirm", "/operator/cash-deposits",
        lambda n: ngettext("One deposit of cash is to be found at the bank", "%(num)d deposits of cash are to be found", n),
        to_look, cash, first_clerk,
    ),
    Queue(
        "payees", CHECK, "payee.verify", "/operator/payees",
        lambda n: ngettext("One bank account is to be verified", "%(num)d bank accounts are to be verified", n),
        lambda: _("Verify"), payees,
    ),
    Queue(
        "held", APPROVE, "held_match.decide", "/charity/held-matches",
        lambda n: ngettext("One match waits for a person", "%(num)d matches wait for a person", n),
        to_approve, held_matches, first_judge,
    ),
    Queue(
        "organisations", APPROVE, "organisation.keep", "/operator/organisations",
        lambda n: ngettext("An organisation waits for a second person", "%(num)d organisations wait for a second person", n),
        to_approve, organisations, first_writer,
    ),
    Queue(
        "officers", APPROVE, "organisation.keep", "/operator/organisations",
        lambda n: ngettext("One officer waits for a second person", "%(num)d officers wait for a second person", n),
        to_approve, officers, first_proposer,
    ),
    Queue(
        "transfers", APPROVE, "bank_transfer.keep", "/operator/bank-transfers",
        lambda n: ngettext("One bank transfer waits for a second person", "%(num)d transfers wait for a second person", n),
        to_approve, transfers, first_recorder,
    ),
    Queue(
        "cases", JUDGE, "case.judge", "/operator/cases",
        lambda n: ngettext("One after-sales case is with the province", "%(num)d after-sales cases are with us", n),
        to_judge, cases,
    ),
    Queue(
        "goods", CHECK, "console.read", "/operator/goods-in-review",
        lambda n: ngettext("One product waits for review over 24 hours", "%(num)d products wait for review over a day", n),
        to_look, goods,
    ),
    Queue(
        "complaints", JUDGE, "listing.suspend", "/operator/complaints",
        lambda n: ngettext("Something is said about one product", "Something is said about %(num)d products", n),
        to_judge, complaints,
    ),
    Queue(
        "reviews", JUDGE, "customer_review.judge", "/operator/reviews",
        lambda n: ngettext("One hidden review was appealed against", "%(num)d hidden reviews were appealed against", n),
        to_judge, reviews,
    ),
    Queue(
        "institutions", JUDGE, "institution.decide", "/operator/institutions",
        lambda n: ngettext("One institution wants to order on account", "%(num)d institutions want to order on account", n),
        to_judge, institutions,
    ),
)  # fmt: skip


def waiting(session: Session, roles: Collection[str]) -> list[Waiting]:
    """The queues in which something waits for somebody with these roles. One statement, none where no queue is theirs."""
    mine = [queue for queue in QUEUES if reaches_of(queue.action).keys() & set(roles)]
    if not mine:
        return []
    row = session.execute(select(*(column for queue in mine for column in asked(queue)))).one()
    found = [Waiting(queue, *row[3 * place : 3 * place + 3]) for place, queue in enumerate(mine)]
    return [each for each in found if each.number]


def asked(queue: Queue) -> tuple[Any, Any, Any]:
    rows, who = queue.rows(), queue.who()
    number, since = (rows.with_only_columns(column).correlate(None).scalar_subquery() for column in rows.selected_columns)
    return number, since, who if who is NOTHING else who.correlate(None).scalar_subquery()
