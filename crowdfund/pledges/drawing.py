"""The order in which children's cards are dealt: by need, by waiting, then by a shuffle that anyone can repeat. Pure."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from crowdfund.pledges.states import CARDS

WAITED: Final = (("over_180", 180), ("over_90", 90), ("over_30", 30), ("under_30", 0))
"""Bands of days, the longest first. Exact days are never shown, so the order does not hang on them either."""
RANK: Final = {band: rank for rank, (band, _days) in enumerate(WAITED)}


class Child(NamedTuple):
    """As much of a case as the order needs."""

    public_id: str
    county: str
    age_band: str
    tier: int
    waiting_since: date
    is_deep: bool = False  # of one of the ten deep-poverty counties


@lru_cache(4_000)  # the order of a day asks the same of every child, at every deal
def waited(since: date, today: date) -> str:
    days = (today - since).days
    return next(band for band, least in WAITED if days >= least or least == 0)


def seed_hash(seed: str) -> str:
    """What is published the day before."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


@lru_cache(20_000)
def shuffle_key(seed: str, public_id: str) -> str:
    return hmac.new(bytes.fromhex(seed), public_id.encode(), hashlib.sha256).hexdigest()


def group(child: Child, day: date) -> tuple[int, int]:
    """Whom the shuffle may exchange: children of one tier who have waited about as long."""
    return child.tier, RANK[waited(child.waiting_since, day)]


def order(children: Iterable[Child], *, day: date, seed: str) -> list[Child]:
    """The order of one day."""
    return sorted(children, key=lambda child: (*group(child, day), shuffle_key(seed, child.public_id)))


def deal(ordered: Sequence[Child], *, wish: str, shown: Collection[str], may_be_shown: Collection[str]) -> list[str]:
    """The next cards for one saver: the first in order whom they have not seen yet, of the county that they wish for.

    Without such a wish one of three is from a deep-poverty county, if any such child waits: the floor of their share."""
    open_ = [
        child
        for child in ordered
        if child.public_id not in shown and child.public_id in may_be_shown and (not wish or child.county == wish)
    ]
    cards = open_[:CARDS]
    if not wish and len(cards) == CARDS and not any(child.is_deep for child in cards):
        deep = next((child for child in open_ if child.is_deep), None)
        cards = [*cards[:-1], deep] if deep else cards
    return [child.public_id for child in cards]
