"""Whom a payment reached: written down line by line, nobody twice and nobody outside the campaign's published criteria."""

import unicodedata
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.criteria.models import Beneficiary
from crowdfund.campaigns.criteria.publishing import Limits, limits_of
from crowdfund.campaigns.models import Campaign, Disbursement
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.states import DisbursementState as D
from marketplace.core import audit, page_cache
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.formats import in_language, yuan
from marketplace.core.records import record
from marketplace.stations.models import County


@record
class Reached:
    """`name` is what the organisation's own list says."""

    name: str
    county_code: str
    fen: int


@record
class Listed:
    public_id: str
    name: str
    county: str
    fen: int


class OutsideCriteria(Refusal):
    """The line that was refused, and why; nothing of the list was kept."""

    status = 422

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name)
        self.message = _("“%(name)s”: %(why)s", name=name, why=why)


def key_of(name: str, campaign: str) -> str:
    """The same name is the same, however it was typed; the same in another campaign is not."""
    plain = "".join(unicodedata.normalize("NFKC", name).split()).casefold()
    return fingerprint(f"{campaign}\0{plain}", "beneficiary")


def add(session: Session, *, disbursement: str, officer_id: int, reached: Sequence[Reached]) -> int:
    """All of them or none; how many. Raises NotFound, StaleState unless it is paid and not proved, OutsideCriteria."""
    row, campaign = held(session, disbursement)
    limits = limits_of(session, row.campaign_id)
    if limits is None:
        raise StaleState(f"{campaign} published no limits")
    known = set(session.scalars(select(Beneficiary.key).where(Beneficiary.campaign_id == row.campaign_id)))
    left = row.fen - given_fen(session, row.id)
    for each in reached:
        key = key_of(each.name, campaign)
        refuse_outside(each, limits, is_known=key in known, number=len(known), left=left)
        known.add(key)
        left -= each.fen
        whose = {"campaign_id": row.campaign_id, "disbursement_id": row.id, "county_code": each.county_code}
        session.add(Beneficiary(name=each.name, key=key, fen=each.fen, added_by=officer_id, **whose))
        session.flush()
    actor, subject = f"person:{officer_id}", f"disbursement:{disbursement}"
    audit.record(session, actor=actor, action="beneficiaries.listed", subject=subject, number=len(reached))
    page_cache.expire(session, "ledger", f"campaign:{campaign}")
    return len(reached)


def refuse_outside(each: Reached, limits: Limits, *, is_known: bool, number: int, left: int) -> None:
    """Raises OutsideCriteria."""
    if each.county_code not in {code for code, _name in limits.counties}:
        names = _(", ").join(limits.names)
        raise OutsideCriteria(each.name, _("the published criteria allow only %(counties)s.", counties=names))
    if each.fen > limits.each_fen:
        raise OutsideCriteria(each.name, _("the published limit is %(sum)s each.", sum=yuan(limits.each_fen)))
    if is_known:
        raise OutsideCriteria(each.name, _("is listed already."))
    if number >= limits.most:
        raise OutsideCriteria(each.name, _("the published limit of %(num)s is reached.", num=limits.most))
    if each.fen > left:
        raise OutsideCriteria(each.name, _("only %(sum)s of this payment is left.", sum=yuan(max(left, 0))))


def remove(session: Session, *, disbursement: str, officer_id: int, beneficiary: str) -> None:
    """What was written down wrongly, until the payment is proved. Raises NotFound, StaleState."""
    row, campaign = held(session, disbursement)
    mine = select(Beneficiary).where(Beneficiary.disbursement_id == row.id, Beneficiary.public_id == beneficiary)
    found = session.scalar(mine)
    if found is None:
        raise NotFound(beneficiary)
    session.delete(found)
    actor, subject = f"person:{officer_id}", f"disbursement:{disbursement}"
    audit.record(session, actor=actor, action="beneficiary.removed", subject=subject)
    page_cache.expire(session, "ledger", f"campaign:{campaign}")


def held(session: Session, disbursement: str) -> tuple[Disbursement, str]:
    """The payment and its campaign, whose row is locked: lists of two payments are written one after the other."""
    row = session.scalar(select(Disbursement).where(Disbursement.public_id == disbursement))
    if row is None:
        raise NotFound(disbursement)
    locked = select(Campaign.public_id).where(Campaign.id == row.campaign_id).with_for_update(key_share=True)
    campaign = session.scalars(locked).one()
    session.refresh(row, with_for_update=True)
    if not may_be_listed(session, row):
        raise StaleState(f"{disbursement} is {row.state}")
    return row, campaign


def may_be_listed(session: Session, row: Disbursement) -> bool:
    """Until it is proved; what came back in full needed no proof, and gets one before that is corrected (ADR 63)."""
    return row.state is D.PAID or (row.state is D.EVIDENCED and repaid.is_all_back(session, row))


def given_fen(session: Session, disbursement_id: int) -> int:
    mine = select(func.coalesce(func.sum(Beneficiary.fen), 0)).where(Beneficiary.disbursement_id == disbursement_id)
    return int(session.scalar(mine) or 0)


def of_payment(session: Session, disbursement_id: int) -> list[Listed]:
    """With their names, for the organisation's own officers."""
    wanted = select(Beneficiary, County.name_zh, County.name_en).join(County, County.code == Beneficiary.county_code)
    found = session.execute(wanted.where(Beneficiary.disbursement_id == disbursement_id).order_by(Beneficiary.id))
    return [Listed(row[0].public_id, row[0].name, in_language(row[1], row[2]), row[0].fen) for row in found]


def by_county(session: Session, disbursement_id: int) -> list[tuple[str, int, int]]:
    """(county, how many, fen), for everybody: no name of anybody."""
    wanted = select(County.name_zh, County.name_en, func.count(), func.sum(Beneficiary.fen))
    wanted = wanted.join(County, County.code == Beneficiary.county_code).where(
        Beneficiary.disbursement_id == disbursement_id
    )
    found = session.execute(wanted.group_by(County.code, County.name_zh, County.name_en).order_by(County.code))
    return [(in_language(zh, en), int(number), int(fen)) for zh, en, number, fen in found]
