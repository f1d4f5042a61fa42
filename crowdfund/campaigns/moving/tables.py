"""What of a house's giving is carried to another, table by table, and what is left behind.

Nobody who gave comes along: neither name, address, account nor what of their gifts belongs together, and of the people who
decided only that they were different ones (docs/adr/0041)."""

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, Table, and_, func, literal, or_, select, union_all

from crowdfund.campaigns import giving
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.matching import paying_in
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.models import (
    BudgetLine,
    Campaign,
    Contribution,
    Disbursement,
    Evidence,
    Organisation,
)
from crowdfund.campaigns.news.models import CampaignUpdate
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.receipt_models import Receipt, ReceiptSeries
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.states import PUBLIC, ContributionState
from crowdfund.campaigns.teams.models import Team, TeamGift
from crowdfund.campaigns.whereabouts.models import BillLine
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

    `people`: columns that hold a person, carried as a number. `is_shared`: the other house may have such rows itself, and
    keeps its own. Rows have their ids again, but for `is_renumbered`."""

    model: Any
    which: ColumnElement[bool] | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    is_shared: bool = False
    is_renumbered: bool = False

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


def of_campaigns(column: Any) -> ColumnElement[bool]:
    return column.in_(campaigns())  # type: ignore[no-any-return]


def entries() -> ColumnElement[bool]:
    """Entries of the books that are about a campaign, a gift or a fund, by the first sixteen signs of what they are about:
    what is about goods has no name of that kind."""
    about = func.substr(Entry.reference, 1, 16)
    campaign = select(Campaign.public_id).where(Campaign.state.in_(PUBLIC))
    return and_(
        or_(about.in_(gifts()), about.in_(campaign), about.in_(funds())), Entry.kind.not_in(("settled", "gwfee", "grant"))
    )


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
    )
    each = [select(literal(f"{kind}:", String).concat(wanted.subquery().c.public_id)) for kind, wanted in named]
    return union_all(*each)


@cache
def carried() -> tuple[Carried, ...]:
    """In an order in which each row finds those that it names."""
    its = of_campaigns
    payments = select(Disbursement.id).where(its(Disbursement.campaign_id))
    theirs = select(Campaign.station_code).where(Campaign.state.in_(PUBLIC))
    stations = theirs.union(select(CashGift.station_code).where(CashGift.gift.in_(gifts())))
    return (
        Carried(County, County.code.in_(stations), is_shared=True),
        Carried(Station, Station.code.in_(stations), is_shared=True),
        Carried(Organisation),
        Carried(Campaign, Campaign.state.in_(PUBLIC), people=("owner_id", "reviewer_id")),
        Carried(BudgetLine, its(BudgetLine.campaign_id)),
        Carried(CampaignUpdate, its(CampaignUpdate.campaign_id), people=("author_id",)),
        Carried(
            Contribution,
            Contribution.id.in_(gifts(Contribution.id)),
            {"token_hash": ANEW, "person_id": None, "giver": None, "contact": None, "salt": ""},
        ),
        Carried(CashGift, CashGift.gift.in_(gifts()), {"returned_why": ""}, people=("clerk_id", "returned_by")),
        Carried(Team, its(Team.campaign_id), {"leader_shown_as": ""}, people=("leader_id",)),
        Carried(TeamGift, TeamGift.gift.in_(gifts())),
        Carried(
            MatchingFund,
            MatchingFund.id.in_(funds(MatchingFund.id)),
            {"token_hash": ANEW, "contact": "", "contact_key": "left behind", "person_id": None, "continues_id": None},
            people=("owner_id", "approver_id"),
        ),
        Carried(GiftMatch, GiftMatch.fund_id.in_(funds(MatchingFund.id)), {"giver": ""}),
        Carried(Disbursement, its(Disbursement.campaign_id), people=("requester_id", "approver_id")),
        Carried(BillLine, BillLine.disbursement_id.in_(payments)),
        Carried(Evidence, Evidence.disbursement_id.in_(payments), people=("overruled_by", "added_by")),
        Carried(CampaignReport, its(CampaignReport.campaign_id), people=("drafter_id", "publisher_id")),
        Carried(
            Attempt,
            Attempt.id.in_(attempts(Attempt.id)),
            {"raw_status": "", "redirect_url": "", "payer": ""},
        ),
        Carried(Refund, Refund.id.in_(refunds(Refund.id)), {"raw_status": ""}),
        Carried(Dispute, Dispute.attempt_id.in_(attempts(Attempt.id)), {"raw_status": ""}),
        Carried(ReceiptSeries),
        Carried(Receipt),
        Carried(
            EventRow,
            EventRow.subject.in_(subjects()),
            {"client_at": None, "client_key": None},
            is_renumbered=True,
        ),
    )
