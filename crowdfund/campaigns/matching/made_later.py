"""A giver is told of a match that was made after their gift: only then does something change for them."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.thanking import ENGLISH
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.core.money import Money
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind


def tell(session: Session, gift: Contribution, fund: MatchingFund, campaign: Campaign, amount: Money) -> None:
    """In their own language, if they left an address; not a word of why it took longer."""
    if not gift.contact:
        return
    with speaking(gift.language):
        title = campaign.title_en if gift.language.startswith(ENGLISH) and campaign.title_en else campaign.title_zh
        told = {"sponsor": fund.sponsor, "sum": yuan(amount.fen), "title": title}
        url = links.absolute(f"/campaigns/{campaign.public_id}/gifts/{link_token(gift.public_id)}")
        text = _("%(sponsor)s has added %(sum)s to your gift for “%(title)s”: %(url)s", url=url, **told)
    about: dict[str, Any] = {"person_id": gift.person_id, "kind": MessageKind.GIFTS}
    messages.send(session, fact=f"gift_matched:{gift.public_id}", address=gift.contact, text=text, **about)
