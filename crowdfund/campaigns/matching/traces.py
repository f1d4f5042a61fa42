"""From where a gift or a sponsor's payment came: hashed with a key of ours, for campaigns with a fund only, and forgotten.

The device is known by a cookie that the browser sends to the gift form of one campaign and to no other page; the network by
the address of the request, of IPv6 the household; the card by the gateway, once it has paid."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import GiftTrace, SponsorTrace
from crowdfund.campaigns.models import Campaign, Contribution
from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.encryption import fingerprint
from marketplace.core.records import record
from marketplace.payments.models import Attempt

KEPT_FOR: Final = timedelta(days=90)
A_FEW: Final = 2_000  # at a time


@record
class Origin:
    """As the request says it: a device's own random name, a network's address. Nothing of it is stored as it is."""

    device: str = ""
    network: str = ""


def hashed(kind: str, value: str) -> str:
    return fingerprint(value, f"matching.{kind}") if value else ""


def keep(session: Session, *, gift: str, origin: Origin) -> None:
    """Beside a gift that is begun."""
    number = session.scalars(select(Contribution.id).where(Contribution.public_id == gift)).one()
    where = {"device": hashed("device", origin.device), "network": hashed("network", origin.network)}
    rest = {"card": "", "giver": "", "fen": 0, "at": clock.now()}
    add_rows(session, GiftTrace, {"contribution_id": number, **where, **rest})


def is_wanted(session: Session, campaign: str) -> bool:
    """Whether this campaign has a fund that may match, so that it matters where gifts come from."""
    mine = select(MatchingFund.id).join(Campaign, Campaign.id == MatchingFund.campaign_id)
    return session.scalar(mine.where(Campaign.public_id == campaign, MatchingFund.state == "active").limit(1)) is not None


def of_paid(session: Session, gift: int, attempt: str) -> GiftTrace:
    """What is known of a gift whose money is there, with the card that paid it."""
    trace = session.get(GiftTrace, gift)
    if trace is None:
        trace = GiftTrace(contribution_id=gift, device="", network="", card="", giver="", fen=0)
        session.add(trace)
    if attempt:
        trace.card = session.scalar(select(Attempt.payer).where(Attempt.public_id == attempt)) or ""
    trace.at = clock.now()
    return trace


def keep_of_sponsor(session: Session, *, fund: str, origin: Origin) -> None:
    """Where the sponsor pays from; the last time counts."""
    row = session.scalars(select(MatchingFund).where(MatchingFund.public_id == fund)).one()
    trace = session.get(SponsorTrace, row.id) or SponsorTrace(fund_id=row.id)
    trace.network, trace.at = hashed("network", origin.network), clock.now()
    session.add(trace)


def forget(session: Session) -> None:
    """The worker's duty: what is older is of no use but to whoever steals it."""
    long_ago = clock.now() - KEPT_FOR
    old = select(GiftTrace.contribution_id).where(GiftTrace.at < long_ago)
    known = (GiftTrace.device != "") | (GiftTrace.network != "") | (GiftTrace.card != "")
    some = session.scalars(old.where(known).order_by(GiftTrace.at).limit(A_FEW)).all()
    if some:
        blank = {"device": "", "network": "", "card": ""}
        session.execute(update(GiftTrace).where(GiftTrace.contribution_id.in_(some)).values(**blank))
    stale = update(SponsorTrace).where(SponsorTrace.at < long_ago, SponsorTrace.network != "")
    session.execute(stale.values(network=""))
