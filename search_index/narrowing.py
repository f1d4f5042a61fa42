"""Filters and facets as masks over columns: every filter is one array, every facet one counting."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search_index import schema
from search_index.documents import Measure
from search_index.lexicon import Lexicon
from search_index.query import Alternative, Bucket, Facet, Facets, Query
from search_index.schema import MEASURES
from search_index.snapshot import Column, Mask, Snapshot

FLAGS = {
    "geographical_indication": schema.GEOGRAPHICAL_INDICATION,
    "deep_poverty": schema.DEEP_POVERTY,
    "pickup": schema.PICKUP,
    "in_stock": schema.IN_STOCK,
}
_GROUPS = {
    "categories": ("categories",),
    "counties": ("counties",),
    "price": ("price_min_fen", "price_max_fen"),
    "measure": ("measure", "measure_price_min_fen", "measure_price_max_fen"),
    "in_season": ("in_season",),
} | {name: (name,) for name in FLAGS}
_STEPS = (1, 2, 5)  # histogram buckets are as wide as one of these, times ten, a hundred ...
_MOST_BUCKETS = 12
_NEARLY_ALL = 0.95  # of the prices fall below the last bucket, which is open


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The masks of the filters that are set, by group; counting one group's facet leaves that group's mask out."""

    masks: Mapping[str, Mask]
    size: int

    def mask(self, without: str = "") -> Mask:
        kept = np.ones(self.size, np.bool_)
        for group, mask in self.masks.items():
            if group != without:
                kept &= mask
        return kept


def narrow(query: Query, snapshot: Snapshot) -> Narrowing:
    masks: dict[str, Mask] = {}
    if query.categories:
        masks["categories"] = _one_of(with_children(query.categories, snapshot), snapshot.categories)[snapshot.category]
    if query.counties:
        masks["counties"] = _one_of(query.counties, snapshot.counties)[snapshot.county]
    if query.price_min_fen is not None or query.price_max_fen is not None:
        masks["price"] = _between(snapshot.price, query.price_min_fen, query.price_max_fen)
    if (measure := _measure_mask(query, snapshot)) is not None:
        masks["measure"] = measure
    if query.in_season is not None:
        bit = 1 << query.in_season if 1 <= query.in_season <= 12 else 0
        masks["in_season"] = (snapshot.months & bit) > 0
    for name, bit in FLAGS.items():
        if getattr(query, name):
            masks[name] = (snapshot.flags & bit) > 0
    return Narrowing(masks, snapshot.size)


def with_children(codes: frozenset[str], snapshot: Snapshot) -> frozenset[str]:
    """The categories and all below them."""
    names = snapshot.vocabulary.lexicon.categories
    return frozenset(code for code in snapshot.categories if codes & set(path(code, snapshot.vocabulary.lexicon))) | (
        codes & set(names)
    )


def path(code: str, lexicon: Lexicon) -> list[str]:
    """The category and its parents; a circle, should anyone make one, is walked once."""
    found: list[str] = []
    step: str | None = code
    while step and step not in found:
        found.append(step)
        known = lexicon.categories.get(step)
        step = known.parent if known else None
    return found


def _one_of(codes: frozenset[str], known: list[str]) -> Mask:
    return np.fromiter((code in codes for code in known), np.bool_, len(known))


def _between(column: Column, low: int | None, high: int | None) -> Mask:
    kept = np.ones(len(column), np.bool_)
    if low is not None:
        kept &= column >= low
    if high is not None:
        kept &= column <= high
    return kept


def _measure_mask(query: Query, snapshot: Snapshot) -> Mask | None:
    bounds = (query.measure_price_min_fen, query.measure_price_max_fen)
    if query.measure is None and bounds == (None, None):
        return None
    kept: Mask = snapshot.measure > 0 if query.measure is None else snapshot.measure == MEASURES.index(query.measure)
    kept &= _between(snapshot.measure_price, *bounds)
    return kept


def facets(found: Mask, narrowing: Narrowing, snapshot: Snapshot) -> Facets:
    """Counts over what the text found, each facet without its own filter."""
    lexicon = snapshot.vocabulary.lexicon
    narrowed = found & narrowing.mask()

    def without(group: str) -> Mask:
        return found & narrowing.mask(group) if group in narrowing.masks else narrowed

    by_county = np.bincount(snapshot.county[without("counties")], minlength=len(snapshot.counties))
    counties = dict(zip(snapshot.counties, by_county.tolist(), strict=True))
    by_category = np.bincount(snapshot.category[without("categories")], minlength=len(snapshot.categories))
    categories: dict[str, int] = {}
    for code, count in zip(snapshot.categories, by_category.tolist(), strict=True):
        for step in path(code, lexicon):
            categories[step] = categories.get(step, 0) + count
    months = snapshot.months[without("in_season")]
    return Facets(
        counties=_named(counties, lexicon.counties),
        categories=_named(categories, lexicon.categories),
        flags={name: int(np.count_nonzero(snapshot.flags[without(name)] & bit)) for name, bit in FLAGS.items()},
        seasons={month: int(np.count_nonzero(months & (1 << month))) for month in range(1, 13)},
        measures=_histograms(without("measure"), snapshot),
    )


def _named(counts: Mapping[str, int], names: Mapping[str, object]) -> tuple[Facet, ...]:
    present = sorted(((code, count) for code, count in counts.items() if count), key=lambda item: (-item[1], item[0]))
    return tuple(
        Facet(code, getattr(names.get(code), "name_zh", code), getattr(names.get(code), "name_en", code), count)
        for code, count in present
    )


def _histograms(found: Mask, snapshot: Snapshot) -> dict[Measure, tuple[Bucket, ...]]:
    histograms = {}
    for number, measure in enumerate(MEASURES):
        prices = snapshot.measure_price[found & (snapshot.measure == number)]
        if measure and len(prices):
            histograms[measure] = buckets(prices)
    return histograms


def buckets(prices: Column) -> tuple[Bucket, ...]:
    """At most a dozen buckets of one round width, and an open one for the few dearest."""
    place = int(_NEARLY_ALL * (len(prices) - 1))
    top = max(float(np.partition(prices, place)[place]), 1.0)
    width = _round_up(top / (_MOST_BUCKETS - 1))
    counts = np.bincount(np.minimum(prices // width, _MOST_BUCKETS - 1).astype(np.int64))
    last = len(counts) - 1
    is_open = last == _MOST_BUCKETS - 1
    return tuple(
        Bucket(i * width, None if is_open and i == last else (i + 1) * width, count)
        for i, count in enumerate(counts.tolist())
    )


def _round_up(width: float) -> int:
    scale = 1
    while True:
        for step in _STEPS:
            if step * scale >= width:
                return step * scale
        scale *= 10


def ways_out(query: Query, found: Mask, narrowing: Narrowing) -> tuple[Alternative, ...]:
    """Which filters to drop so that something is found: one of them, or else all."""
    single = [
        Alternative(_set_fields(query, group), int(np.count_nonzero(found & narrowing.mask(group))))
        for group in narrowing.masks
    ]
    helpful = sorted((way for way in single if way.count), key=lambda way: -way.count)
    everything = tuple(name for group in narrowing.masks for name in _set_fields(query, group))
    if not helpful and everything and (count := int(np.count_nonzero(found))):
        return (Alternative(everything, count),)
    return tuple(helpful)


def _set_fields(query: Query, group: str) -> tuple[str, ...]:
    blank = Query()
    return tuple(name for name in _GROUPS[group] if getattr(query, name) != getattr(blank, name))
