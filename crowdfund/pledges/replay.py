"""Anyone with the seed of a day can repeat its shuffle, and every deal that was made by it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.drawing import Child, deal, group, order, seed_hash, shuffle_key
from crowdfund.pledges.models import ChildCase, ChildVault, Deal, DrawSeed
from crowdfund.pledges.states import CaseState
from marketplace.core import clock
from marketplace.core.records import record
from marketplace.core.transitions import EventRow
from marketplace.stations.models import County


@record
class Place:
    """One child's place in the order of a day: group, and the hash that shuffles within the group. Without an alias where
    the guardian has had the card taken down since."""

    position: int
    public_id: str
    alias_zh: str
    alias_en: str
    group: int
    key: str


@record
class DayOrder:
    day: date
    seed: str
    seed_hash: str
    published_in_time: bool
    places: Sequence[Place]

    @property
    def fits(self) -> bool:
        """The seed is the one whose hash was published."""
        return seed_hash(self.seed) == self.seed_hash


def order_of(session: Session, day: date) -> DayOrder | None:
    """The order of a day; None where there is no seed of it."""
    seed = session.get(DrawSeed, day)
    if seed is None:
        return None
    children = listed_on(session, day)
    ordered = order(children, day=day, seed=seed.seed)
    groups = {found: number for number, found in enumerate(sorted({group(child, day) for child in ordered}), 1)}
    aliases = {public_id: (zh, en) for public_id, zh, en in session.execute(names())}
    places = [
        Place(
            number,
            child.public_id,
            *aliases.get(child.public_id, ("", "")),
            groups[group(child, day)],
            shuffle_key(seed.seed, child.public_id),
        )
        for number, child in enumerate(ordered, 1)
    ]
    in_time = seed.published_at < clock.start_of(day)
    return DayOrder(day, seed.seed, seed.seed_hash, in_time, places)


def names() -> Any:
    """The aliases of cards that are not taken down for good."""
    kept = select(ChildCase.public_id, ChildCase.alias_zh, ChildCase.alias_en).join(ChildVault)
    return kept.where(ChildVault.destroyed_at.is_(None))


def listed_on(session: Session, day: date) -> list[Child]:
    """Every child that was on the list at some moment of that day, by the events of its case."""
    begins, ends = clock.start_of(day), clock.start_of(day + timedelta(days=1))
    lives: dict[str, list[EventRow]] = defaultdict(list)
    events = select(EventRow).where(EventRow.subject.startswith("child_case:"), EventRow.at < ends).order_by(EventRow.id)
    for event in session.scalars(events):
        lives[event.subject.removeprefix("child_case:")].append(event)
    there = {public_id for public_id, life in lives.items() if was_listed(life, begins)}
    wanted = (
        select(ChildCase.public_id, ChildCase.county_code, ChildCase.age_band, ChildCase.need_tier, ChildCase.waiting_since)
        .add_columns(County.is_deep_poverty)
        .join(County, County.code == ChildCase.county_code)
    )
    return [Child(*row) for row in session.execute(wanted) if row.public_id in there]


def was_listed(life: Sequence[EventRow], begins: Any) -> bool:
    """On the list when the day began, or put there in its course."""
    before = [event for event in life if event.at < begins]
    if before and before[-1].to_state == CaseState.LISTED:
        return True
    return any(event.to_state == CaseState.LISTED for event in life if event.at >= begins)


def wrong_deals(session: Session, day: date, known: DayOrder) -> list[int]:
    """The ids of that day's deals that the seed does not give again."""
    positions = {place.public_id: place.position for place in known.places}
    children = {child.public_id: child for child in listed_on(session, day)}
    shown: dict[int, list[str]] = defaultdict(list)
    wrong = []
    of_day = select(Deal.choosing_id).where(Deal.day == day)
    for row in session.scalars(select(Deal).where(Deal.choosing_id.in_(of_day)).order_by(Deal.choosing_id, Deal.number)):
        dealt = [str(card["case"]) for card in row.cards]
        free = [children[public_id] for public_id in row.free if public_id in children]
        in_order = sorted(row.free, key=lambda public_id: positions.get(public_id, 0))
        again = deal(free, wish=row.wish, shown=shown[row.choosing_id], may_be_shown=row.free)
        if row.day == day and (len(free) != len(row.free) or in_order != row.free or again != dealt):
            wrong.append(row.id)
        shown[row.choosing_id] += dealt
    return wrong
