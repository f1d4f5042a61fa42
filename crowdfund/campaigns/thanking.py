"""Whoever left an address with their gift is sent where its receipt is, in their own language, once."""

from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import receipts
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.plans.models import Installment
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

ENGLISH: Final = "en"


def send_receipt(*, gift: str) -> None:
    """The outbox's listener of `giving.RECEIVED`."""
    in_transaction(write, gift=gift)


def write(session: Session, *, gift: str) -> None:
    """Nothing for a month of a plan, whose own letters tell of it, and for a gift that went back meanwhile."""
    wanted = (
        select(Contribution.contact, Contribution.person_id, Contribution.language, Contribution.fen, Campaign.public_id)
        .add_columns(Campaign.title_zh, Campaign.title_en)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .outerjoin(Installment, Installment.contribution_id == Contribution.id)
        .where(Contribution.public_id == gift, Contribution.contact.is_not(None), Installment.id.is_(None))
    )
    row, receipt = session.execute(wanted).first(), receipts.of(session, contribution=gift)
    if row is None or receipt is None:
        return
    with speaking(row.language):
        title = row.title_en if row.language.startswith(ENGLISH) and row.title_en else row.title_zh
        told = {"sum": yuan(row.fen), "title": title, "number": receipt[0]}
        url = links.absolute(f"/campaigns/{row.public_id}/gifts/{link_token(gift)}")
        text = _("Your %(sum)s has reached “%(title)s”. Thank you. Receipt %(number)s is here: %(url)s", url=url, **told)
    about = {"person_id": row.person_id, "kind": MessageKind.GIFTS}
    messages.send(session, fact=f"gift_received:{gift}", address=row.contact, text=text, **about)
