"""Approvers are told of a match that has waited some days: one message a match. Its giver knows nothing."""

from datetime import timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import WAITS
from marketplace.accounts.models import Grant, Person
from marketplace.core import clock
from marketplace.core.formats import yuan
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

PATIENCE: Final = timedelta(days=3)
APPROVER: Final = "charity_approver"


def remind(session: Session) -> None:
    """The worker's hourly step, one statement. Nobody can switch these messages off: somebody's match waits for them."""
    wanted: Any = select(HeldMatch.public_id, HeldMatch.fen, Campaign.title_zh, Person)
    wanted = wanted.join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    wanted = wanted.join(Campaign, Campaign.id == MatchingFund.campaign_id)
    at = and_(Grant.scope_kind == "organisation", Grant.scope_id == Campaign.organisation_code)
    wanted = wanted.join(Grant, and_(Grant.role == APPROVER, at)).join(Person, Person.id == Grant.person_id)
    wanted = wanted.where(HeldMatch.state.in_(sorted(WAITS)), HeldMatch.at < clock.now() - PATIENCE, Person.is_active)
    for held, fen, title, person in session.execute(wanted.order_by(HeldMatch.id, Person.id)):
        if address := person.email or person.phone:
            url = f"{settings().base_url.rstrip('/')}/charity/held-matches/{held}"
            told = {"sum": yuan(fen), "title": title, "url": url}
            words = _("A match of %(sum)s for “%(title)s” has waited for three days. Somebody has to look at it: %(url)s")
            given: dict[str, Any] = {"person_id": person.id, "kind": MessageKind.ACCOUNT, "text": words % told}
            messages.send(session, fact=f"held_match_waits:{held}:{person.public_id}", address=address, **given)
