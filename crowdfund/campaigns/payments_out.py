"""Payments to providers as pages show them: to everybody once they are paid, to their organisation from the first day."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.disbursing import SPENDS
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.models import BudgetLine, Campaign, Disbursement, Evidence
from crowdfund.campaigns.states import DisbursementState
from crowdfund.campaigns.students import set_aside
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.records import slim_record
from marketplace.ledger.models import LedgerAccount, Line

D = DisbursementState
PUBLIC = frozenset({D.PAID, D.EVIDENCED})
MOST = 200
FIRST = (D.REQUESTED, D.APPROVED, D.FAILED, D.PAYING, D.PAID)  # what waits for somebody, in this order
ORDER = case({state: place for place, state in enumerate(FIRST)}, value=Disbursement.state, else_=len(FIRST))


@slim_record
class Shown:
    """One payment with the names that belong to it."""

    row: Disbursement
    campaign: str
    campaign_title: str
    budget_line: str
    requester: str
    approver: str | None
    evidence: int

    @property
    def is_overdue(self) -> bool:
        due: date | None = self.row.evidence_due_on
        return self.row.state is D.PAID and due is not None and due < clock.today()


@slim_record
class Proof:
    """One piece of evidence; `file` is its public id where everybody may open it."""

    public_id: str
    kind: str
    words: str
    sha256: str
    at: datetime
    is_public: bool
    has_file: bool
    faces: int | None = None
    is_waiting: bool = False  # to be looked at
    is_refused: bool = False
    overruled_why: str = ""
    is_mine: bool = False
    is_picture: bool = False
    may_be_taken_back: bool = False
    taken_back_why: str = ""  # of what was public and is not any more


@slim_record
class Choice:
    """A campaign that may spend: what is in its account and not promised."""

    public_id: str
    title: str
    free_fen: int


def select_shown() -> Columns:
    requester, approver = aliased(Person), aliased(Person)
    files = select(func.count()).select_from(Evidence).where(Evidence.disbursement_id == Disbursement.id)
    wanted: Columns = select(Disbursement, Campaign.public_id, Campaign.title_zh, BudgetLine.name_zh)
    wanted = wanted.add_columns(requester.name, approver.name, files.scalar_subquery())
    wanted = wanted.join(Campaign, Campaign.id == Disbursement.campaign_id)
    wanted = wanted.join(BudgetLine, BudgetLine.id == Disbursement.budget_line_id)
    wanted = wanted.join(requester, requester.id == Disbursement.requester_id)
    return wanted.outerjoin(approver, approver.id == Disbursement.approver_id)


def work(session: Session, organisations: Sequence[str]) -> list[Shown]:
    """What somebody has to do first, then the newest. One statement."""
    mine = select_shown().where(Campaign.organisation_code.in_(organisations))
    return [Shown(*row) for row in session.execute(mine.order_by(ORDER, Disbursement.id.desc()).limit(MOST))]


def get(session: Session, organisations: Sequence[str], disbursement: str) -> Shown:
    """One of theirs. Raises NotFound for every other."""
    mine = select_shown().where(Campaign.organisation_code.in_(organisations), Disbursement.public_id == disbursement)
    return one(session, mine, disbursement)


def public(session: Session, campaign: int, disbursement: str) -> Shown:
    """One that was paid. Raises NotFound."""
    mine = select_shown().where(Disbursement.campaign_id == campaign, Disbursement.public_id == disbursement)
    return one(session, mine.where(Disbursement.state.in_(PUBLIC)), disbursement)


def one(session: Session, wanted: Columns, disbursement: str) -> Shown:
    """Raises NotFound."""
    row = session.execute(wanted).first()
    if row is None:
        raise NotFound(disbursement)
    return Shown(*row)


def evidence_of(session: Session, disbursement: str, *, reader: int = 0) -> list[Proof]:
    """`reader`: the person who looks, to whom some of it may belong."""
    wanted = select(Evidence).join(Disbursement, Disbursement.id == Evidence.disbursement_id)
    found = session.scalars(wanted.where(Disbursement.public_id == disbursement).order_by(Evidence.id)).all()
    gone = looking.reasons_of_taken_back(session, [each.public_id for each in found])
    return [
        Proof(
            *(each.public_id, each.kind, each.words_zh, each.sha256, each.at, each.is_public, bool(each.file_name)),
            faces=each.faces,
            is_waiting=each.wants_public and each.is_picture and each.faces is None,
            is_refused=each.is_refused,
            overruled_why=each.overruled_why,
            is_mine=each.added_by == reader,
            is_picture=each.is_picture,
            may_be_taken_back=bool(each.file_name) and each.wants_public and not each.is_refused,
            taken_back_why=gone.get(each.public_id, ""),
        )
        for each in found
    ]


def choices(session: Session, organisations: Sequence[str], book: str) -> list[Choice]:
    """Their campaigns that may spend. One statement."""
    account = select(LedgerAccount.owner, func.sum(-Line.amount).label("fen"))
    account = account.join(Line, Line.account_id == LedgerAccount.id).group_by(LedgerAccount.owner)
    held = account.where(LedgerAccount.kind == "restricted", LedgerAccount.book == book).subquery()
    approved = select(Disbursement.campaign_id, func.sum(Disbursement.fen).label("fen")).group_by(Disbursement.campaign_id)
    promised = approved.where(Disbursement.state == D.APPROVED, Disbursement.book == book).subquery()
    free = func.coalesce(held.c.fen, 0) - func.coalesce(promised.c.fen, 0) - drawers.by_campaign(book)
    free -= set_aside.by_campaign(book)
    wanted = select(Campaign.public_id, Campaign.title_zh, free.label("free"))
    wanted = wanted.outerjoin(held, held.c.owner == Campaign.public_id)
    wanted = wanted.outerjoin(promised, promised.c.campaign_id == Campaign.id)
    wanted = wanted.where(Campaign.organisation_code.in_(organisations), Campaign.state.in_(SPENDS))
    return [Choice(row.public_id, row.title_zh, int(row.free)) for row in session.execute(wanted.order_by(Campaign.id))]
