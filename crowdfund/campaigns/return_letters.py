"""Whoever left an address with a gift that goes back is told why, and when it is there, in their own language."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import returning
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.states import CampaignState, ContributionState
from crowdfund.campaigns.thanking import ENGLISH
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.payments.models import Attempt, Refund


def tell(*, refund: str) -> None:
    """The listener of `gift.returned`: it is on its way."""
    in_transaction(write, refund=refund, words=on_its_way, fact="returned")


def arrived(*, purpose: str, reference: str, refund: str) -> None:
    """The listener of `refund.succeeded`, which tells of orders as well: also of money that came too late."""
    if purpose in returning.PURPOSES:
        in_transaction(write, refund=refund, words=there, fact="refunded")


def write(session: Session, *, refund: str, words: Callable[..., str], fact: str) -> None:
    wanted = (
        select(Contribution.public_id, Contribution.contact, Contribution.person_id, Contribution.language, Refund.fen)
        .add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en, Campaign.state)
        .add_columns(Contribution.state.label("gift_state"))
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .join(Attempt, Attempt.reference == Contribution.public_id)
        .join(Refund, Refund.attempt_id == Attempt.id)
        .where(Refund.public_id == refund, Contribution.contact.is_not(None))
    )
    row = session.execute(wanted).first()
    if row is None:
        return
    with speaking(row.language):
        title = row.title_en if row.language.startswith(ENGLISH) and row.title_en else row.title_zh
        url = links.absolute(f"/campaigns/{row.campaign}/gifts/{link_token(row.public_id)}")
        text = words(row, {"sum": yuan(row.fen), "title": title, "url": url})
    about = {"person_id": row.person_id, "kind": MessageKind.GIFTS}
    messages.send(session, fact=f"gift_{fact}:{refund}", address=row.contact, text=text, **about)


def on_its_way(gift: Row[Any], told: dict[str, str]) -> str:
    if gift.state is CampaignState.CANCELLED:
        return str(_("“%(title)s” was called off. Your %(sum)s goes back to where it came from: %(url)s", **told))
    return str(
        _("“%(title)s” was over when the bank released your %(sum)s, so it goes back to where it came from: %(url)s", **told)
    )


def there(gift: Row[Any], told: dict[str, str]) -> str:
    if gift.gift_state is ContributionState.RECEIVED:
        return str(_("Your %(sum)s for “%(title)s” was refunded to where it came from: %(url)s", **told))
    return str(_("Your %(sum)s for “%(title)s” came too late, and was refunded to where it came from: %(url)s", **told))
