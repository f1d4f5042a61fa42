"""What of a house's giving is carried to another, table by table, and what is left behind.

Nobody who gave comes along: neither name, address, account nor what of their gifts belongs together, and of the people who
decided only that they were different ones (docs/adr/0041)."""

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, Table, and_, func, literal, or_, select, union_all

from crowdfund.campaigns import giving
from crowdfund.campaigns.banking.models import CashDeposit, DepositedGift
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.criteria.models import Beneficiary, CampaignCriteria, CriteriaCounty
from crowdfund.campaigns.matching import paying_in
from crowdfund.campaigns.matching.models import SPONSOR_UNKNOWN, GiftMatch, MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.mirrors.models import MirroredGift, MirrorFile, MirrorRow, MirrorTotal
from crowdfund.campaigns.models import (
    BudgetLine,
    Campaign,
    Contribution,
    Disbursement,
    Evidence,
    Organisation,
)
from crowdfund.campaigns.news.models import CampaignUpdate, UpdatePicture
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.receipt_models import Receipt, ReceiptSeries
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment, RepaymentCorrection
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.states import PUBLIC, CampaignState, ContributionState, DisbursementState
from crowdfund.campaigns.students.models import LEFT_BEHIND, EnrolmentProof, SchoolTerm, StudentPlace
from crowdfund.campaigns.teams.models import Team, TeamGift
from crowdfund.campaigns.whereabouts.models import BillLine
from crowdfund.campaigns.yearly.models import ReceiptYear
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.ledger.models import Entry
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.models import Attempt, Refund
from marketplace.payments.states import AttemptState
from marketplace.stations.models import County, Station

GIFTS: Final = (giving.PURPOSE, keeping.PURPOSE)
ANEW: Final = "anew"  # a secret: the new house makes its own


@record
class Carried:
    """A table with those of its rows that are carried. `instead`: what stands for a column that is left behind.

    `people`: columns that hold a person, carried as a number; `alone`: one that holds nobody else's number, each time anew.
    `is_shared`: the other house may have such rows itself, and keeps its own. Rows have their ids again, but for
    `is_renumbered`. `changes`: rows that came before get these columns now, since the database refuses them earlier.
    `is_after_entries`: the database looks at the books when they come."""

    model: Any
    which: ColumnElement[bool] | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    is_shared: bool = False
    is_renumbered: bool = False
    alone: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    is_after_entries: bool = False

    @property
    def file(self) -> str:
        return ".".join((self.name, *self.changes, "jsonl"))

    @property
    def columns(self) -> list[str]:
        """Those that are written."""
        if self.changes:
            return ["id", *self.changes]
        not_written = {*self.instead, *(("id",) if self.is_renumbered else ())}
        return [column.name for column in self.table.columns if column.name not in not_written]

    @property
    def table(self) -> Table:
        return table(self.model)

    @property
    def name(self) -> str:
        return self.table.name

    def rows(self) -> Select[Any]:
        wanted = select(self.table).order_by(*self.table.primary_key.columns)
        return wanted if self.which is None else wanted.where(self.which)


def table(model: Any) -> Table:
    found: Table = model.__table__
    return found


def campaigns() -> Select[Any]:
    return select(Campaign.id).where(Campaign.state.in_(PUBLIC))


def gifts(column: Any = Contribution.public_id) -> Select[Any]:
    received = Contribution.state == ContributionState.RECEIVED
    return select(column).where(received, Contribution.campaign_id.in_(campaigns()))


def funds(column: Any = MatchingFund.public_id) -> Select[Any]:
    return select(column).where(MatchingFund.received_fen > 0, MatchingFund.campaign_id.in_(campaigns()))


def attempts(column: Any = Attempt.public_id) -> Select[Any]:
    """Money that came for them; what failed, and what came too late and went back, is no gift."""
    of_gift = and_(Attempt.purpose.in_(GIFTS), Attempt.reference.in_(gifts()))
    of_fund = and_(Attempt.purpose == paying_in.PURPOSE, Attempt.reference.in_(funds()))
    return select(column).where(Attempt.state == AttemptState.SUCCEEDED, or_(of_gift, of_fund))


def refunds(column: Any = Refund.public_id) -> Select[Any]:
    return select(column).where(Refund.attempt_id.in_(attempts(Attempt.id)))


def places() -> Select[Any]:
    return select(StudentPlace.id).where(of_campaigns(StudentPlace.campaign_id))


def of_campaigns(column: Any) -> ColumnElement[bool]:
    return column.in_(campaigns())  # type: ignore[no-any-return]


def entries() -> ColumnElement[bool]:
    """Entries of the books that are about a campaign, a gift or a fund, by the first sixteen signs of what they are about:
    what is about goods has no name of that kind."""
    about = func.substr(Entry.reference, 1, 16)
    campaign = select(Campaign.public_id).where(Campaign.state.in_(PUBLIC))
    known = or_(about.in_(gifts()), about.in_(campaign), about.in_(funds()), about.in_(select(CashDeposit.public_id)))
    return and_(known, Entry.kind.not_in(("settled", "gwfee", "grant")))


def subjects() -> Any:
    """Whose steps are carried."""
    named = (
        ("campaign", select(Campaign.public_id).where(Campaign.state.in_(PUBLIC))),
        ("contribution", gifts()),
        ("attempt", attempts()),
        ("refund", refunds()),
        ("dispute", select(Dispute.public_id).where(Dispute.attempt_id.in_(attempts(Attempt.id)))),
        ("matching_fund", funds()),
        ("disbursement", select(Disbursement.public_id).where(of_campaigns(Disbursement.campaign_id))),
        ("campaign_report", select(CampaignReport.public_id).where(of_campaigns(CampaignReport.campaign_id))),
        ("receipt", select(Receipt.public_id)),
        ("held_match", select(HeldMatch.public_id).where(HeldMatch.fund_id.in_(funds(MatchingFund.id)))),
        ("cash_deposit", select(CashDeposit.public_id)),
        ("student_place", select(StudentPlace.public_id).where(of_campaigns(StudentPlace.campaign_id))),
        ("school_term", select(SchoolTerm.public_id).where(SchoolTerm.place_id.in_(places()))),
        ("mirror_file", select(MirrorFile.public_id).where(of_campaigns(MirrorFile.campaign_id))),
    )
    each = [select(literal(f"{kind}:", String).concat(wanted.subquery().c.public_id)) for kind, wanted in named]
    return union_all(*each)


@cache
def carried() -> tuple[Carried, ...]:
    """In an order in which each row finds those that it names."""
    return (
        *organisations(),
        *of_gifts(),
        *of_payments(),
        *of_students(),
        *of_platforms(),
        *of_the_gateway(),
        *of_receipts(),
    )


def organisations() -> tuple[Carried, ...]:
    """A campaign comes as a draft: what it promises is closed by its state, and its list of people stays behind."""
    its = of_campaigns
    theirs = select(Campaign.station_code).where(Campaign.state.in_(PUBLIC))
    places_of_cash = select(CashGift.station_code).where(CashGift.gift.in_(gifts()))
    counties = select(CriteriaCounty.county_code).where(its(CriteriaCounty.campaign_id))
    stations = theirs.union(places_of_cash, select(CashDeposit.station_code), counties)
    updates = select(CampaignUpdate.id).where(its(CampaignUpdate.campaign_id))
    as_draft: dict[str, Any] = {"state": CampaignState.DRAFT, "channel": "own_site"}
    return (
        Carried(County, County.code.in_(stations), is_shared=True),
        Carried(Station, Station.code.in_(stations), is_shared=True),
        Carried(Organisation),
        Carried(Campaign, Campaign.state.in_(PUBLIC), as_draft, people=("owner_id", "reviewer_id")),
        Carried(BudgetLine, its(BudgetLine.campaign_id)),
        Carried(CampaignCriteria, its(CampaignCriteria.campaign_id)),
        Carried(CriteriaCounty, its(CriteriaCounty.campaign_id)),
        Carried(CampaignUpdate, its(CampaignUpdate.campaign_id), people=("author_id",)),
        Carried(UpdatePicture, UpdatePicture.update_id.in_(updates)),
    )


def of_gifts() -> tuple[Carried, ...]:
    its = of_campaigns
    return (
        Carried(
            Contribution,
            Contribution.id.in_(gifts(Contribution.id)),
            {"token_hash": ANEW, "person_id": None, "giver": None, "contact": None, "salt": ""},
        ),
        Carried(Campaign, Campaign.state.in_(PUBLIC), changes=("state", "channel")),
        Carried(CashGift, CashGift.gift.in_(gifts()), {"returned_why": ""}, people=("clerk_id", "returned_by")),
        Carried(CashDeposit, people=("clerk_id", "decider_id")),
        Carried(DepositedGift, people=("drawn_by", "arrived_by")),
        Carried(Team, its(Team.campaign_id), {"leader_shown_as": ""}, people=("leader_id",)),
        Carried(TeamGift, TeamGift.gift.in_(gifts())),
        Carried(
            MatchingFund,
            MatchingFund.id.in_(funds(MatchingFund.id)),
            {"token_hash": ANEW, "contact": "", "contact_key": SPONSOR_UNKNOWN, "person_id": None, "continues_id": None},
            people=("owner_id", "approver_id"),
        ),
        Carried(GiftMatch, GiftMatch.fund_id.in_(funds(MatchingFund.id)), {"giver": ""}),
        Carried(
            HeldMatch,
            HeldMatch.fund_id.in_(funds(MatchingFund.id)),
            {"giver": "", "reasons": []},
            people=("proposer_id", "decider_id"),
        ),
    )


def of_payments() -> tuple[Carried, ...]:
    """A payment comes as paid: whom it reached is written down before it is proved."""
    its = of_campaigns
    payments = select(Disbursement.id).where(its(Disbursement.campaign_id))
    repayments = select(Repayment.id).where(Repayment.disbursement_id.in_(payments))
    as_paid: dict[str, Any] = {"state": DisbursementState.PAID}
    nobody: dict[str, Any] = {"name": "", "key": LEFT_BEHIND}
    return (
        Carried(Disbursement, its(Disbursement.campaign_id), as_paid, people=("requester_id", "approver_id")),
        Carried(BillLine, BillLine.disbursement_id.in_(payments)),
        Carried(Beneficiary, its(Beneficiary.campaign_id), nobody, people=("added_by",)),
        Carried(Disbursement, its(Disbursement.campaign_id), changes=("state",)),
        Carried(Repayment, Repayment.disbursement_id.in_(payments), people=("officer_id", "decider_id")),
        Carried(RepaidLine, RepaidLine.repayment_id.in_(repayments)),
        Carried(RepaymentCorrection, RepaymentCorrection.repayment_id.in_(repayments), people=("officer_id", "decider_id")),
        Carried(Evidence, Evidence.disbursement_id.in_(payments), people=("overruled_by", "added_by")),
        Carried(CampaignReport, its(CampaignReport.campaign_id), people=("drafter_id", "publisher_id")),
    )


def of_students() -> tuple[Carried, ...]:
    terms = select(SchoolTerm.id).where(SchoolTerm.place_id.in_(places()))
    return (
        Carried(StudentPlace, StudentPlace.id.in_(places()), {"student": LEFT_BEHIND}, people=("published_by",)),
        Carried(SchoolTerm, SchoolTerm.place_id.in_(places()), people=("opened_by",)),
        Carried(EnrolmentProof, EnrolmentProof.term_id.in_(terms), {"paper": None}, people=("added_by", "seen_by")),
    )


def of_platforms() -> tuple[Carried, ...]:
    its = of_campaigns
    files = select(MirrorFile.id).where(its(MirrorFile.campaign_id))
    return (
        Carried(MirrorFile, its(MirrorFile.campaign_id), {"file_name": "", "kept_as": ""}, people=("person_id",)),
        Carried(MirrorRow, MirrorRow.file_id.in_(files), people=("decided_by",)),
        Carried(MirroredGift, its(MirroredGift.campaign_id)),
        Carried(MirrorTotal, its(MirrorTotal.campaign_id)),
    )


def of_the_gateway() -> tuple[Carried, ...]:
    disputes = Dispute.attempt_id.in_(attempts(Attempt.id))
    nothing_of_the_payer = {"raw_status": "", "redirect_url": "", "payer": ""}
    return (
        Carried(Attempt, Attempt.id.in_(attempts(Attempt.id)), nothing_of_the_payer),
        Carried(Refund, Refund.id.in_(refunds(Refund.id)), {"raw_status": ""}),
        Carried(Dispute, disputes, {"raw_status": ""}),
        Carried(EventRow, EventRow.subject.in_(subjects()), {"client_at": None, "client_key": None}, is_renumbered=True),
    )


def of_receipts() -> tuple[Carried, ...]:
    """After the books: no entry takes money out of a gift whose valid receipt says that it stayed."""
    return (
        Carried(ReceiptSeries, is_after_entries=True),
        Carried(ReceiptYear, alone=("person_id",), is_after_entries=True),
        Carried(Receipt, is_after_entries=True),
    )
