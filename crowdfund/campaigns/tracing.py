"""Where somebody who follows a gift's money through the books can see what it was given for and what it paid."""

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution, Disbursement
from crowdfund.campaigns.repayments.queries import payments_of


def page_of_gift(session: Session, gift: str) -> str | None:
    """The ledger of its campaign: a gift's own page is the giver's."""
    mine = select(Campaign.public_id).join(Contribution, Contribution.campaign_id == Campaign.id)
    campaign = session.scalar(mine.where(Contribution.public_id == gift))
    return url_for("ledger.show_campaign", campaign=campaign) if campaign else None


def page_of_repayment(session: Session, repayment: str) -> str | None:
    payment = payments_of(session, [repayment]).get(repayment)
    return page_of_disbursement(session, payment) if payment else None


def page_of_fund(_session: Session, fund: str) -> str:
    return url_for("matching_funds.show_fund", fund=fund)


def page_of_disbursement(session: Session, disbursement: str) -> str | None:
    mine = select(Campaign.public_id).join(Disbursement, Disbursement.campaign_id == Campaign.id)
    campaign = session.scalar(mine.where(Disbursement.public_id == disbursement))
    return url_for("ledger.show_disbursement", campaign=campaign, disbursement=disbursement) if campaign else None
