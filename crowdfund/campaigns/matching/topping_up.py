"""More from the same sponsor: a fund of its own that goes on with the same terms, so that its money, its refunds and its
disputes are those of any other; the caps of a giver are those of all of them together."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import funds
from crowdfund.campaigns.matching.funds import TakesNoFund
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import FundState
from marketplace.core import ids
from marketplace.core.encryption import token_hash
from marketplace.core.errors import Refusal
from marketplace.core.money import Money
from marketplace.payments.gateways import current_book

SAME: Final = (
    "campaign_id",
    "sponsor",
    "contact",
    "contact_key",
    "rate_percent",
    "gift_cap_fen",
    "giver_cap_fen",
    "currency",
)
TOPPED_UP: Final = "top-up written down"
TAKES_MORE: Final = frozenset({FundState.ACTIVE, FundState.EXHAUSTED})


class CannotBeToppedUp(Refusal):
    message = _l("Only a fund that is open or used up can be topped up.")


def top_up(session: Session, *, fund: str, more: Money, owner_id: int) -> str:
    """The public id of the fund that continues this one; its sponsor pays it in, and another person opens it.

    Raises NotFound, CannotBeToppedUp, TakesNoFund."""
    row = funds.get(session, fund)
    if row.state not in TAKES_MORE or not row.knows_its_sponsor or row.book != current_book():
        raise CannotBeToppedUp(fund)
    if not funds.takes_gifts(session, row):
        raise TakesNoFund(fund)
    further = MatchingFund(public_id=ids.public_id(), continues_id=row.series, book=row.book, owner_id=owner_id)
    for name in SAME:
        setattr(further, name, getattr(row, name))
    further.total_fen, further.token_hash = more.fen, token_hash(funds.link_token(further.public_id))
    campaign = session.scalars(select(Campaign.public_id).where(Campaign.id == row.campaign_id)).one()
    funds.write_down(session, further, campaign, TOPPED_UP)
    return further.public_id
