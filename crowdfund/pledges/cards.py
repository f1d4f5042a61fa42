"""Blind cards: alias, place, age band and need, told so that each might be one of five children at least."""

from collections.abc import Collection, Sequence
from typing import Any, Self

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.pledges import seeds
from crowdfund.pledges.anonymity import Cell, Label, labels
from crowdfund.pledges.drawing import Child, deal as next_cards, order, waited
from crowdfund.pledges.models import ChildCase
from crowdfund.pledges.states import CARDS, COUNTED, CaseState
from marketplace.core import clock
from marketplace.core.records import record
from marketplace.stations.models import County


@record
class Card:
    """Everything that is ever shown of a child."""

    case: str  # the case's public id: random, and nowhere beside a name
    alias_zh: str
    alias_en: str
    place: str
    place_zh: str
    place_en: str
    age_band: str
    tier: int
    need: str
    waited: str

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        return cls(**content)


def words(session: Session) -> dict[Cell, Label]:
    """How each cell may be told just now: one statement, however many children there are."""
    key = (ChildCase.county_code, ChildCase.age_band, ChildCase.need_tier)
    counted = select(*key, func.count()).where(ChildCase.state.in_(COUNTED)).group_by(*key)
    return labels({Cell(county, band, tier): number for county, band, tier, number in session.execute(counted)})


def listed(session: Session) -> list[Child]:
    """Who waits on the list."""
    wanted = (
        select(ChildCase.public_id, ChildCase.county_code, ChildCase.age_band, ChildCase.need_tier, ChildCase.waiting_since)
        .add_columns(County.is_deep_poverty)
        .join(County, County.code == ChildCase.county_code)
        .where(ChildCase.state == CaseState.LISTED)
    )
    return [Child._make(row) for row in session.execute(wanted)]


def cell_of(child: Child) -> Cell:
    return Cell(child.county, child.age_band, child.tier)


def deal(session: Session, *, wish: str, shown: Sequence[str]) -> tuple[list[Card], list[str]]:
    """(the next cards, who was free at this moment in the order of the day, as far as the last card).

    A wish for a county finds only children whose card may name it: else the wish itself would tell."""
    told = words(session)
    children = order(listed(session), day=clock.today(), seed=seeds.today(session))
    may = {child.public_id for child in children if (found := told.get(cell_of(child))) and wish in ("", found.place)}
    chosen = next_cards(children, wish=wish, shown=shown, may_be_shown=may)
    free = [child.public_id for child in children if child.public_id in may]
    last = max(map(free.index, chosen)) + 1 if len(chosen) == CARDS else len(free)
    return cards_of(session, chosen, told), free[:last]


def cards_of(session: Session, public_ids: Sequence[str], told: dict[Cell, Label]) -> list[Card]:
    """The cards of these cases, in this order; what has no words that are coarse enough is left out."""
    wanted = select(ChildCase.public_id, ChildCase.county_code, ChildCase.age_band, ChildCase.need_tier)
    wanted = wanted.add_columns(ChildCase.waiting_since, ChildCase.alias_zh, ChildCase.alias_en, ChildCase.need)
    rows = {row.public_id: row for row in session.execute(wanted.where(ChildCase.public_id.in_(public_ids)))}
    places = names(session, {row.county_code for row in rows.values()})
    found = []
    for public_id in public_ids:
        row = rows[public_id]
        label = told.get(Cell(row.county_code, row.age_band, row.need_tier))
        if label is not None:
            band = waited(row.waiting_since, clock.today())
            place = (label.place, *places.get(label.place, ("山西", "Shanxi")))
            alias = (row.public_id, row.alias_zh, row.alias_en)
            found.append(Card(*alias, *place, label.age_band, label.tier, row.need, band))
    return found


def still_free(session: Session, dealt: Sequence[Card]) -> list[Card]:
    """Those of these cards that wait on the list just now: what was taken down is shown to nobody any more."""
    wanted = select(ChildCase.public_id).where(
        ChildCase.public_id.in_([card.case for card in dealt]), ChildCase.state == CaseState.LISTED
    )
    listed = set(session.scalars(wanted))
    return [card for card in dealt if card.case in listed]


def names(session: Session, counties: Collection[str] = ()) -> dict[str, tuple[str, str]]:
    """Counties and prefectures by code, as they are written on a card: of these counties, or of all."""
    wanted = select(
        County.code, County.name_zh, County.name_en, County.prefecture_code, County.prefecture_zh, County.prefecture_en
    )
    if counties:
        wanted = wanted.where(County.code.in_(counties))
    found = {}
    for code, name_zh, name_en, prefecture, prefecture_zh, prefecture_en in session.execute(wanted):
        found[prefecture] = (prefecture_zh, prefecture_en)
        found[code] = (f"{prefecture_zh} {name_zh}", f"{name_en}, {prefecture_en}")
    return found


def wishes(session: Session) -> list[tuple[str, str, str]]:
    """Counties that can be wished for: (code, Chinese, English) of those that some free card may name."""
    told, places = words(session), names(session)
    open_ = {found.place for child in listed(session) if (found := told.get(cell_of(child)))}
    return sorted((code, *places[code]) for code in open_ if code and not code.endswith("00"))
