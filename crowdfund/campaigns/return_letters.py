"""Whoever left an address with a gift that goes back is told why, in their own language, once for each refund."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.states import CampaignState
from crowdfund.campaigns.thanking import ENGLISH
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.payments.models import Attempt, Refund


def tell(*, refund: str) -> None:
    """The listener of `gift.returned`."""
    in_transaction(write, refund=refund)


def write(session: Session, *, refund: str) -> None:
    wanted = (
        select(Contribution.public_id, Contribution.contact, Contribution.person_id, Contribution.language, Refund.fen)
        .add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en, Campaign.state)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .join(Attempt, Attempt.reference == Contribution.public_id)
        .join(Refund, Refund.attempt_id == Attempt.id)
        .where(Refund.public_id == refund, Contribution.contact.is_not(None))
    )
    row = session.execute(wanted).one()
    with speaking(row.language):
        title = row.title_en if row.language.startswith(ENGLISH) and row.title_en else row.title_zh
        told = {"sum": yuan(row.fen), "title": title}
        url = links.absolute(f"/campaigns/{row.campaign}/gifts/{link_token(row.public_id)}")
        if row.state is CampaignState.CANCELLED:
            text = _("“%(title)s” was called off. Your %(sum)s goes back to where it came from: %(url)s", url=url, **told)
        else:
            text = _(
                "“%(title)s” was over when the bank released your %(sum)s, so it goes back to where it came from: %(url)s",
                url=url,
                **told,
            )
    about = {"person_id": row.person_id, "kind": MessageKind.GIFTS}
    messages.send(session, fact=f"gift_returned:{refund}", address=row.contact, text=text, **about)
