"""What a sponsor is told of their fund, once for each fact, at the address that they left with their promise."""

from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.states import FundState
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

LANGUAGE: Final = "zh_CN"  # an officer wrote the promise down, in the language of the house
F = FundState


def tell(*, fund: str, state: str) -> None:
    """The listener of `funds.MOVED`."""
    in_transaction(write, fund=fund, state=F(state))


def write(session: Session, *, fund: str, state: FundState) -> None:
    """Nothing of a fund that nobody had paid in."""
    wanted = select(MatchingFund, Campaign.title_zh).join(Campaign, Campaign.id == MatchingFund.campaign_id)
    row, title = session.execute(wanted.where(MatchingFund.public_id == fund)).one()
    if not row.received_fen:
        return
    with speaking(LANGUAGE):
        text = words(row, title, state)
    if text:
        about: dict[str, Any] = {"person_id": row.person_id, "kind": MessageKind.GIFTS}
        messages.send(session, fact=f"matching_fund:{fund}:{state}", address=row.contact, text=text, **about)


def words(row: MatchingFund, title: str, state: FundState) -> str:
    told = {"title": title, "sum": yuan(row.received_fen), "url": links.absolute(f"/matching-funds/{link_of(row)}")}
    if state is F.FUNDED:
        return str(
            _("Your %(sum)s for gifts to “%(title)s” is there. Thank you. A second officer opens it: %(url)s", **told)
        )
    if state is F.ACTIVE:
        return str(_("Your matching fund for “%(title)s” is open: gifts are matched from now on. %(url)s", **told))
    if state is F.EXHAUSTED:
        return str(_("Nothing is left of your %(sum)s for gifts to “%(title)s”. Thank you. What it did: %(url)s", **told))
    if state is F.CLOSED:
        told |= {"matched": yuan(row.matched_fen)}
        closed = _(
            "Your matching fund for “%(title)s” is closed. Gifts got %(matched)s of it; what was left goes back to where it "
            "came from: %(url)s",
            **told,
        )
        return str(closed)
    return ""


def link_of(row: MatchingFund) -> str:
    return funds.link_token(row.public_id)
