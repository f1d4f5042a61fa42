"""What the JSON face takes and gives, as types: the answers are built from them, and the OpenAPI document too."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

County = Annotated[str, Field(pattern=r"^\d{6}$", description="six-digit county code")]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9-]+$")]


class SearchQuery(BaseModel):
    """The parameters of /api/v1/search; `county` and `category` may repeat, and a parent category counts its children."""

    model_config = ConfigDict(extra="ignore")

    q: Annotated[str, Field(max_length=200)] = ""
    county: list[County] = []
    category: list[Code] = []
    sort: Literal["relevance", "price", "unit_price", "newest"] = "relevance"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 24


class Item(BaseModel):
    """One listing that was found."""

    sku: str
    title: str
    price_fen: int
    county_code: str
    category: str
    url: str


class FacetValue(BaseModel):
    code: str
    name: str
    count: int


class FacetValues(BaseModel):
    county: list[FacetValue]
    category: list[FacetValue]


class SearchAnswer(BaseModel):
    total: int
    page: int
    items: list[Item]
    facets: FacetValues


class Tier(BaseModel):
    from_quantity: int
    price_fen: int


class Pack(BaseModel):
    sku: str
    unit: str
    price_fen: int
    net_weight_g: int
    minimum_quantity: int
    available: int
    tiers: list[Tier]


class ListingAnswer(BaseModel):
    """A published listing with all its packs; prices in whole fen."""

    sku: str
    title: str
    story: str
    category: str
    county_code: str
    seller: str
    origin_village: str
    harvest_months: list[int]
    return_policy: str
    url: str
    packs: list[Pack]


class StationItem(BaseModel):
    code: str
    name: str
    county: str
    prefecture: str
    is_deep_poverty: bool
    address: str
    opening_hours: str
    phone: str
    latitude: float
    longitude: float
    url: str


class StationsAnswer(BaseModel):
    total: int
    items: list[StationItem]


class PledgeProgramme(BaseModel):
    """A programme of deposit pledges with its quota and what its partner still owes, in devices."""

    code: str
    name: str
    partner_code: str
    partner: str
    charity: str
    device_model: str
    is_demo: bool
    opens_on: date
    closes_on: date
    signed_on: date
    unit_value_fen: int
    quota: int
    brought: int
    owed: int
    directed: int
    handed_over: int
    url: str


class PledgeProgrammesAnswer(BaseModel):
    total: int
    items: list[PledgeProgramme]


class SuggestQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    q: Annotated[str, Field(max_length=100)] = ""


class Suggested(BaseModel):
    text: str
    pinyin: str
    url: str


class SuggestAnswer(BaseModel):
    suggestions: list[Suggested]


class InvalidParameter(BaseModel):
    pointer: str
    detail: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    instance: str
    errors: list[InvalidParameter] = []
