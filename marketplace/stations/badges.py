"""A station in one glance, beside goods, campaigns and presales; as templates/ui/station.html wants it."""

from typing import Any

from sqlalchemy import Row

from marketplace.core.records import record


@record
class StationBadge:
    code: str
    initial: str
    name: str  # in the reader's language
    is_deep_poverty: bool


def badge(row: Row[Any], words: str) -> StationBadge:
    """From a row with `station`, `name_zh`, `name_en` and `is_deep_poverty`."""
    name = row.name_en if words == "en" else row.name_zh
    return StationBadge(row.station, row.name_zh[:1], name, row.is_deep_poverty)
