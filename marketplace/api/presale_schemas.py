"""What the JSON face takes and gives of presales, as types."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from marketplace.api.schemas import County, Face

PresaleWord = Literal["live", "waiting_funds", "successful", "failed", "delivering", "closed", "defaulted"]


class PresalesQuery(Face):
    """Each but the page may repeat."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    state: Annotated[list[PresaleWord], Field(default_factory=list)]
    county: Annotated[list[County], Field(default_factory=list)]
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 24


class PresaleItem(Face):
    """A harvest for sale before it is in: all or nothing until its last day `closes_on`. `paid_fen` counts paid places."""

    id: str
    state: PresaleWord
    title: str
    county_code: str
    goal_fen: int
    paid_fen: int
    places: int
    closes_on: date
    harvest_on: date
    is_demo: bool
    url: str


class PresalesAnswer(Face):
    total: int
    page: int
    items: list[PresaleItem]


class PresaleTierItem(Face):
    """`fen` is what a place costs, sending (`shipping_fen`) included; `left` places can be had now, of the tier and of
    what the field bears."""

    id: str
    title: str
    unit: str
    packs: int
    grams: int
    fen: int
    shipping_fen: int
    taken: int
    most: int
    left: int


class PresaleNews(Face):
    at: datetime
    text: str


class PresaleAnswer(PresaleItem):
    """All that a presale's page says. The field bears `cap_grams` by its area (tenths of a mu) and yield (kilograms a mu);
    what is not sent `grace_days` after the harvest goes back by itself."""

    listing: str
    seller: str
    village: str
    story: str
    plan: str
    area_tenths: int
    yield_kg: int
    cap_grams: int
    left_grams: int
    start_percent: int
    grace_days: int
    tiers: list[PresaleTierItem]
    updates: list[PresaleNews]
