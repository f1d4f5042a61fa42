"""Matches that wait, as the desk shows them: why, and which gifts they are tied to. No address, no network, no card."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import LARGE_FEN, GiftTrace, HeldMatch
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.states import WAITS
from marketplace.core.db import Columns
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.records import slim_record

MOST: Final = 200
A_FEW: Final = 20


@slim_record
class Held:
    """One of them, with what belongs to it."""

    row: HeldMatch
    gift_fen: int
    shown_as: str
    given_at: datetime
    fund: str
    sponsor: str
    book: str
    giver_cap_fen: int
    campaign: str
    title_zh: str
    title_en: str
    organisation: str

    @property
    def title(self) -> str:
        return in_language(self.title_zh, self.title_en)

    @property
    def waits(self) -> bool:
        return self.row.state in WAITS

    @property
    def is_large(self) -> bool:
        return self.row.fen >= LARGE_FEN


def reached(organisations: Sequence[str] | None) -> Columns:
    """Of these organisations; None: of all."""
    wanted: Columns = select(HeldMatch, Contribution.fen, Contribution.shown_as, Contribution.received_at)
    wanted = wanted.add_columns(MatchingFund.public_id, MatchingFund.sponsor, MatchingFund.book, MatchingFund.giver_cap_fen)
    wanted = wanted.add_columns(Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.organisation_code)
    wanted = wanted.join(Contribution, Contribution.id == HeldMatch.contribution_id)
    wanted = wanted.join(MatchingFund, MatchingFund.id == HeldMatch.fund_id)
    wanted = wanted.join(Campaign, Campaign.id == MatchingFund.campaign_id)
    return wanted if organisations is None else wanted.where(Campaign.organisation_code.in_(organisations))


def waiting(session: Session, organisations: Sequence[str] | None) -> list[Held]:
    """Whoever has waited longest first."""
    mine = reached(organisations).where(HeldMatch.state.in_(sorted(WAITS)))
    return [Held(*row) for row in session.execute(mine.order_by(HeldMatch.at, HeldMatch.id).limit(MOST))]


def decided(session: Session, organisations: Sequence[str] | None) -> list[Held]:
    """The latest."""
    mine = reached(organisations).where(HeldMatch.state.not_in(sorted(WAITS)))
    return [Held(*row) for row in session.execute(mine.order_by(HeldMatch.decided_at.desc()).limit(A_FEW))]


def get(session: Session, held: str, organisations: Sequence[str] | None) -> Held:
    """One of theirs. Raises NotFound for every other."""
    row = session.execute(reached(organisations).where(HeldMatch.public_id == held)).first()
    if row is None:
        raise NotFound(held)
    return Held(*row)


@slim_record
class Tied:
    """Another gift to the same fund that has something in common with this one."""

    at: datetime
    shown_as: str
    gift_fen: int
    fen: int
    same_card: bool
    same_device: bool
    same_network: bool
    same_giver: bool


def tied(session: Session, held: HeldMatch) -> list[Tied]:
    """The latest few; none once the traces are forgotten."""
    trace = session.get(GiftTrace, held.contribution_id)
    if trace is None or trace.series is None:
        return []
    names = {"card": trace.card, "device": trace.device, "network": trace.network, "giver": trace.giver}
    same: dict[str, ColumnElement[bool]] = {
        name: and_(getattr(GiftTrace, name) == value, getattr(GiftTrace, name) != "") for name, value in names.items()
    }
    wanted: Any = select(GiftTrace.at, Contribution.shown_as, Contribution.fen, GiftTrace.fen)
    wanted = wanted.add_columns(*(one.label(f"same_{name}") for name, one in same.items()))
    wanted = wanted.join(Contribution, Contribution.id == GiftTrace.contribution_id)
    wanted = wanted.where(GiftTrace.series == trace.series, GiftTrace.contribution_id != trace.contribution_id)
    rows = session.execute(wanted.where(or_(*same.values())).order_by(GiftTrace.at.desc()).limit(A_FEW))
    return [Tied(*row[:4], *map(bool, row[4:])) for row in rows]
