"""What can be found: one plain document for each thing on offer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_CODE = 40  # bytes; codes live in fixed-width columns
LARGEST_NUMBER = 2**53


class Measure(StrEnum):
    """What a measure price is the price of, so that packs of different size can be compared."""

    WEIGHT = "weight"  # 500 g
    VOLUME = "volume"  # one litre
    PIECE = "piece"


@dataclass(frozen=True, slots=True)
class Term:
    """A named code of a classification, such as a category."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Place:
    """The county a thing comes from, and the prefecture the county lies in."""

    code: str
    name_zh: str
    name_en: str
    prefecture_zh: str
    prefecture_en: str


@dataclass(frozen=True, slots=True)
class Document:
    """Everything the search knows of one thing. `categories` runs from the topmost parent to the thing's own."""

    code: str
    title_zh: str
    categories: tuple[Term, ...]
    county: Place
    price_fen: int
    title_en: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    unit: str = ""
    measure: Measure | None = None
    measure_price_fen: int | None = None
    harvest_months: frozenset[int] = frozenset()
    has_geographical_indication: bool = False
    is_deep_poverty: bool = False
    has_pickup: bool = False
    in_stock: bool = True
    sales: int = 0
    published_at: datetime | None = None
    seller: str = ""

    def __post_init__(self) -> None:
        if not self.categories:
            raise ValueError(f"{self.code}: a document stands in at least one category")
        codes = (self.code, self.county.code, *(term.code for term in self.categories))
        if any(not code or len(code.encode()) > LONGEST_CODE or "\0" in code for code in codes):
            raise ValueError(f"{self.code!r}: codes have 1 to {LONGEST_CODE} bytes")
        if not self.harvest_months <= frozenset(range(1, 13)):
            raise ValueError(f"{self.code}: months run from 1 to 12")
        for number in (self.price_fen, self.measure_price_fen or 0, self.sales):
            if not 0 <= number < LARGEST_NUMBER:
                raise ValueError(f"{self.code}: {number} is no price or count")
        if (self.measure is None) != (self.measure_price_fen is None):
            raise ValueError(f"{self.code}: a measure and its price go together")
