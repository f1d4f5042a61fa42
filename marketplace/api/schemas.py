"""What the JSON face takes and gives, as types: the answers are built from them, and the OpenAPI document too."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

County = Annotated[str, Field(pattern=r"^[0-9]{6}$", description="six-digit county code")]
Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9-]+$")]


class Face(BaseModel):
    """A type of the JSON face. Its checks are built when it is first used: most web processes never need most of them."""

    model_config = ConfigDict(defer_build=True)


class SearchQuery(Face):
    """The parameters of /api/v1/search; `county` and `category` may repeat, and a parent category counts its children."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    q: Annotated[str, Field(max_length=200)] = ""
    county: list[County] = []
    category: list[Code] = []
    sort: Literal["relevance", "price", "unit_price", "newest"] = "relevance"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 24


class Item(Face):
    """One listing that was found."""

    sku: str
    title: str
    price_fen: int
    county_code: str
    category: str
    url: str


class FacetValue(Face):
    code: str
    name: str
    count: int


class FacetValues(Face):
    county: list[FacetValue]
    category: list[FacetValue]


Degraded = Annotated[
    bool,
    Field(
        description="True while the search index is being set up: each word of `q` must then stand in title, story or "
        "village as it is typed (no pinyin, no synonyms, no refusals), relevance is the number sold, and no words are "
        "suggested. Filters, orders and facets hold all the same."
    ),
]


class SearchAnswer(Face):
    total: int
    page: int
    degraded: Degraded
    items: list[Item]
    facets: FacetValues


class Tier(Face):
    from_quantity: int
    price_fen: int


class Pack(Face):
    sku: str
    unit: str
    price_fen: int
    net_weight_g: int
    minimum_quantity: int
    available: int
    tiers: list[Tier]


class ListingAnswer(Face):
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


class StationItem(Face):
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


class StationsAnswer(Face):
    total: int
    items: list[StationItem]


class PledgeProgramme(Face):
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


class PledgeProgrammesAnswer(Face):
    total: int
    items: list[PledgeProgramme]


class SuggestQuery(Face):
    model_config = ConfigDict(extra="ignore", defer_build=True)

    q: Annotated[str, Field(max_length=100)] = ""


class Suggested(Face):
    text: str
    pinyin: str
    url: str


class SuggestAnswer(Face):
    degraded: Degraded
    suggestions: list[Suggested]


class CampaignsQuery(Face):
    """The parameters of /api/v1/campaigns; each but the page may repeat."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    kind: list[Literal["donation", "student_aid"]] = []
    state: list[Literal["live", "paused", "ended", "cancelled", "disbursing", "reported", "closed"]] = []
    county: list[County] = []
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 24


class GivenElsewhere(Face):
    """What a campaign has got on its platform, as the platform's files say: no part of the sums beside it."""

    platform: str
    url: str
    raised_fen: int
    gifts: int
    until: datetime | None  # the latest gift that a file told of


class CampaignItem(Face):
    """A campaign that takes or took gifts; sums in whole fen, as the public ledger has them."""

    id: str
    kind: str
    state: str
    title: str
    county_code: str
    goal_fen: int
    raised_fen: int
    spent_fen: int
    returned_fen: int
    gifts: int
    starts_on: date
    ends_on: date
    is_demo: bool
    url: str
    elsewhere: GivenElsewhere | None = None


class CampaignsAnswer(Face):
    total: int
    page: int
    items: list[CampaignItem]


class BudgetItem(Face):
    name: str
    fen: int


class FreePlace(Face):
    """A student who waits for a sponsor, by an alias: no name, no school."""

    alias: str
    stage: Literal["primary", "junior", "senior", "vocational", "college"]
    month_fen: int
    term_fen: int
    url: str  # where a person takes it


class Students(Face):
    """Of a student-aid campaign: how many have a sponsor, and who waits for one."""

    sponsored: int
    free: list[FreePlace]


class Limits(Face):
    """Whom a campaign's payments may reach, as published before the first gift: so many, in these counties, so much each."""

    counties: list[str]
    most: int
    each_fen: int


class CampaignAnswer(CampaignItem):
    """All that a campaign's page says: purpose, rule, budget, and who asks for the money."""

    organisation: str
    filing_number: str
    filed_on: date | None
    purpose: str
    beneficiaries: str
    criteria: str
    limits: Limits | None  # null: published in words alone
    region: str
    leader: str
    residue: str
    past_goal: str
    story: str
    unit_fen: int | None
    unit: str
    budget: list[BudgetItem]
    students: Students | None


class InvalidParameter(Face):
    pointer: str
    detail: str


class Problem(Face):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    instance: str
    errors: list[InvalidParameter] = []
