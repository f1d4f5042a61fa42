"""What partners' machines hear of campaigns: what everybody may read, and nothing else, told to whoever asked for it.

Gifts, refunds and payments are told from the sealed rows of the public ledger, by the worker alone: giving waits for
nothing, and no event can know more of a giver than the row that everybody may read."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import LedgerTold, SealedRow
from crowdfund.campaigns.ledger_rows import CORRECTION, PAYMENT, REPAYMENT, sealed
from crowdfund.campaigns.models import Campaign, Disbursement, Evidence
from crowdfund.campaigns.repayments.queries import payments_of
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.states import CampaignState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction, insert_or_ignore, rows
from marketplace.notifications.endpoints import EventKind
from marketplace.notifications.publishing import Audience, is_anybody_listening, publish

C = CampaignState
K = EventKind
EVERYBODY: Final = Audience(is_public=True)
PAGE: Final = 200
TOLD: Final = func.coalesce(select(LedgerTold.number).scalar_subquery(), 0)
NEWER: Final = select(SealedRow.number).where(SealedRow.number > TOLD).limit(1)
DIRECTED: Final = "directed"  # such a campaign is known to its list alone; its rows stand in the ledger all the same
OF_STATES: Final = dict.fromkeys((C.PAUSED, C.DISBURSING, C.REPORTED), K.CAMPAIGN_UPDATED) | dict.fromkeys(
    (C.ENDED, C.CANCELLED, C.CLOSED), K.CAMPAIGN_CLOSED
)
OF_ROWS: Final = {
    "gift": K.GIFT_RECEIVED,
    "refund": K.GIFT_REFUNDED,
    "disbursement": K.DISBURSEMENT_MADE,
    "repayment": K.DISBURSEMENT_REPAID,
    "correction": K.REPAYMENT_CORRECTED,
}


def campaign_moved(*, campaign: str, before: str, state: str, at: str) -> None:
    """The listener of `campaign.moved`."""
    opened = {C.APPROVED: K.CAMPAIGN_OPENED}.get(C(before), K.CAMPAIGN_UPDATED)
    kind = opened if C(state) is C.LIVE else OF_STATES.get(C(state))
    if kind:
        in_transaction(tell_of_campaign, kind=kind, campaign=campaign, what=state, at=at)


def campaign_told(*, campaign: str, update: str, at: str) -> None:
    """The listener of `campaign.told`: it has news."""
    in_transaction(tell_of_campaign, kind=K.CAMPAIGN_UPDATED, campaign=campaign, what=f"news:{update}", at=at)


def evidence_added(*, evidence: str) -> None:
    """The listener of `evidence.added`."""
    in_transaction(tell_of_evidence, evidence=evidence)


def report_published(*, report: str) -> None:
    """The listener of `report.published`."""
    in_transaction(tell_of_report, report=report)


def tell_of_campaign(session: Session, *, kind: EventKind, campaign: str, what: str, at: str) -> None:
    if not is_anybody_listening(session):
        return
    row = session.scalars(select(Campaign).where(Campaign.public_id == campaign)).one()
    if row.channel == DIRECTED:
        return
    state = row.state.value if what.startswith("news:") else what
    data = {"campaign": campaign, "state": state, "county_code": row.station_code, "is_demo": row.is_demo}
    data["update"] = what.removeprefix("news:") if what.startswith("news:") else None
    told: dict[str, Any] = {"fact": f"{kind}:{campaign}:{what}:{at}", "at": datetime.fromisoformat(at)}
    publish(session, kind=kind, audience=EVERYBODY, data=data, **told)


def tell_of_evidence(session: Session, *, evidence: str) -> None:
    if not is_anybody_listening(session):
        return
    wanted = select(Evidence, Disbursement.public_id, Disbursement.book, Campaign.public_id.label("campaign"))
    wanted = wanted.join(Disbursement, Disbursement.id == Evidence.disbursement_id)
    wanted = wanted.join(Campaign, Campaign.id == Disbursement.campaign_id).where(Evidence.public_id == evidence)
    row = session.execute(wanted.add_columns(Campaign.channel)).one()
    if row.channel == DIRECTED:
        return
    proof, kind = row.Evidence, K.EVIDENCE_ADDED
    data = {"campaign": row.campaign, "disbursement": row.public_id, "kind": proof.kind, "sha256": proof.sha256}
    data |= {"is_test": row.book == "test"}
    publish(session, kind=kind, fact=f"{kind}:{evidence}", at=proof.at, audience=EVERYBODY, data=data)


def tell_of_report(session: Session, *, report: str) -> None:
    if not is_anybody_listening(session):
        return
    wanted = select(CampaignReport, Campaign.public_id, Campaign.channel)
    wanted = wanted.join(Campaign, Campaign.id == CampaignReport.campaign_id)
    row, campaign, channel = session.execute(wanted.where(CampaignReport.public_id == report)).one()
    if channel == DIRECTED:
        return
    kind = K.REPORT_PUBLISHED
    data = {"campaign": campaign, "report": report, "kind": row.kind, "sha256": row.sha256, "is_test": row.book == "test"}
    data |= {"since": row.since.isoformat(), "until": row.until.isoformat()}
    at = row.published_at or clock.now()
    publish(session, kind=kind, fact=f"{kind}:{report}", at=at, audience=EVERYBODY, data=data)


def tell_of_rows() -> bool:
    """The worker's step: it reads first, so that nothing is locked where nothing is new. True while more are waiting."""
    session = db.session()
    newer = session.execute(NEWER).first()
    session.rollback()
    return newer is not None and in_transaction(tell_some)


def tell_some(session: Session) -> bool:
    """Where nobody listens what is sealed by now is passed by: an address hears of what happens while it is on."""
    insert_or_ignore(session, LedgerTold, {"id": 1, "number": 0})
    after = session.scalars(select(LedgerTold.number).with_for_update()).one()
    last = session.scalar(select(func.max(SealedRow.number))) or 0
    if is_anybody_listening(session):
        last = min(last, after + PAGE)
        for row in rows(session, between(after, last)):
            tell_of_row(session, row)
    session.execute(update(LedgerTold).values(number=last))
    return last > after and session.scalar(select(SealedRow.number).where(SealedRow.number > last).limit(1)) is not None


def between(after: int, last: int) -> Any:
    which = [SealedRow.number > after, SealedRow.number <= last, SealedRow.kind.in_(OF_ROWS)]
    return sealed(which).add_columns(SealedRow.book).order_by(None).order_by(SealedRow.number)


def tell_of_row(session: Session, row: Any) -> None:
    kind = OF_ROWS[row.kind]
    data = {"campaign": row.public_id, "number": row.number, "hash": row.hash, "fen": abs(row.fen), "currency": "CNY"}
    data |= {"who": row.who, "is_test": row.book == "test"}
    if kind is K.DISBURSEMENT_MADE:
        data |= {"disbursement": row.reference.removeprefix(PAYMENT), "what": row.what}
    elif kind in {K.DISBURSEMENT_REPAID, K.REPAYMENT_CORRECTED}:
        name = row.reference.removeprefix(REPAYMENT).removeprefix(CORRECTION)
        data |= {"disbursement": payments_of(session, [name])[name], "what": row.what}
    publish(session, kind=kind, fact=f"{kind}:{row.number}", at=row.at, audience=EVERYBODY, data=data)
