"""What may be asked, and what comes back."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from search_index.documents import Measure

LONGEST_TEXT = 100  # characters that are looked at; the rest of a longer text is ignored
MOST_PER_PAGE = 100


class Sort(StrEnum):
    RELEVANCE = "relevance"
    PRICE = "price"
    UNIT_PRICE = "unit_price"
    NEWEST = "newest"
    SALES = "sales"


@dataclass(frozen=True, slots=True)
class Query:
    """A question. Values of one filter widen each other (this county or that), different filters narrow.

    A category finds what stands in it or below it. Bounds include both ends; a bound that makes no sense finds nothing.
    Every text is legal: what cannot be read finds nothing, and nothing raises.
    """

    text: str = ""
    categories: frozenset[str] = frozenset()
    counties: frozenset[str] = frozenset()
    price_min_fen: int | None = None
    price_max_fen: int | None = None
    measure: Measure | None = None  # only goods sold by this measure; the measure bounds need no measure to hold
    measure_price_min_fen: int | None = None
    measure_price_max_fen: int | None = None
    in_season: int | None = None  # a month, 1 to 12
    geographical_indication: bool = False
    deep_poverty: bool = False
    pickup: bool = False
    in_stock: bool = False
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    per_page: int = 24
    exact_words: bool = False  # take the words as typed ("search instead for ..."): no correction of typing mistakes

    def without_filters(self) -> "Query":
        """The same words, order and page, with nothing narrowed."""
        kept = {name: getattr(self, name) for name in ("text", "sort", "page", "per_page", "exact_words")}
        return Query(**kept)

    def without(self, *filters: str) -> "Query":
        """The same question with the named filters (fields of this class) dropped."""
        blank = Query()
        return replace(self, **{name: getattr(blank, name) for name in filters})


@dataclass(frozen=True, slots=True)
class Hit:
    code: str
    score: float


class ReadAs(StrEnum):
    """Why some typed words were read as others."""

    PINYIN = "pinyin"
    INITIALS = "initials"
    WITHOUT = "without"  # goods that have `words` were left out
    CORRECTION = "correction"  # a typing mistake, or other characters of the same sound


@dataclass(frozen=True, slots=True)
class Reading:
    """`typed` was read as one of `words`: “按拼音 zaliang 找到 杂粮”."""

    typed: str
    words: tuple[str, ...]
    kind: ReadAs


@dataclass(frozen=True, slots=True)
class Facet:
    code: str
    name_zh: str
    name_en: str
    count: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Goods whose measure price lies in [from_fen, below_fen); the last bucket of a histogram is open (None)."""

    from_fen: int
    below_fen: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts under the question's other filters: a facet never narrows itself. Most frequent first, zeros left out.

    A thing counts for its category and for every parent of it. `flags` has the names of the query's boolean fields,
    and `seasons` the months; `measures` one histogram for each measure met.
    """

    counties: tuple[Facet, ...] = ()
    categories: tuple[Facet, ...] = ()
    flags: dict[str, int] = field(default_factory=dict)
    seasons: dict[int, int] = field(default_factory=dict)
    measures: dict[Measure, tuple[Bucket, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way out of an empty answer: without `filters` (names of query fields), `count` things are found."""

    filters: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of what was found. `hits` are in the order asked for; `total` counts all pages.

    The first `exact` of the `total` hits have every word of the question; those after them are near it, and shown only
    when there are few exact ones ("similar goods").
    """

    total: int
    exact: int
    page: int
    per_page: int
    hits: tuple[Hit, ...] = ()
    facets: Facets = field(default_factory=Facets)
    understood: tuple[Reading, ...] = ()
    counties: int | None = None  # how many counties the exact ones come from, on all pages; None: nobody counted
    suggestion: str | None = None  # “did you mean”: a text worth searching instead; not searched yet
    alternatives: tuple[Alternative, ...] = ()  # only when nothing was found, best first

    @property
    def codes(self) -> list[str]:
        return [hit.code for hit in self.hits]

    @property
    def pages(self) -> int:
        return -(-self.total // self.per_page)


class SuggestionKind(StrEnum):
    WORD = "word"
    CATEGORY = "category"
    COUNTY = "county"  # or its prefecture


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the typed beginning may become; `pinyin` is shown beside it, syllables apart, without tones."""

    text: str
    pinyin: str
    kind: SuggestionKind
    count: int
