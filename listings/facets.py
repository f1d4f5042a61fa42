"""What narrows a list of goods, ready for the page: sections of checkboxes, chips, a histogram of measure prices."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import shelves
from listings.finding import FLAGS, Question
from listings.models import Category
from marketplace.core.db import rows
from marketplace.core.formats import language, yuan
from marketplace.core.memory import remembered
from marketplace.stations.badges import StationBadge, badge
from marketplace.stations.models import County, Station
from search_index import Alternative, Bucket, Facet, Facets, Measure

SHOWN: Final = 6  # choices of a section before "all of them"
CHIPS: Final = 6
TALLEST: Final = 44


@dataclass(frozen=True)
class Choice:
    code: str
    name: str
    count: int
    is_chosen: bool
    taken: Callable[[], str]
    station: StationBadge | None = None

    @property
    def url(self) -> str:
        """The same question with this choice taken or dropped: only a few of the many choices are asked for it."""
        return self.taken()


@dataclass(frozen=True)
class Section:
    """One group of checkboxes: `first` are always shown, `rest` behind a word."""

    name: str  # of the field
    title: str
    choices: tuple[Choice, ...]

    @property
    def first(self) -> tuple[Choice, ...]:
        chosen = sum(choice.is_chosen for choice in self.choices)
        return self.choices[: max(SHOWN, chosen)]

    @property
    def rest(self) -> tuple[Choice, ...]:
        return self.choices[len(self.first) :]


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    height: int
    words: str


@dataclass(frozen=True, eq=False)  # the same only as itself: one is kept for each question and state of the index
class Panel:
    categories: Section
    counties: Section
    flags: Section
    bars: tuple[Bar, ...]
    bars_words: str
    price: Choice | None

    @property
    def chosen(self) -> list[Choice]:
        """The chosen filters, as chips that take themselves away."""
        sections = (self.flags, self.categories, self.counties)
        chosen = [choice for section in sections for choice in section.choices if choice.is_chosen]
        return [*chosen, self.price] if self.price else chosen

    @property
    def offered(self) -> list[Choice]:
        """Kinds of goods that are one press away."""
        return [choice for choice in self.categories.choices if not choice.is_chosen and choice.count][:CHIPS]


def panel(session: Session, question: Question, counts: Facets) -> Panel:
    """The filters beside these goods: two statements."""
    asked = replace(question, page=1)
    return Panel(
        categories=Section("category", _("Categories"), tuple(kinds(session, asked, counts.categories))),
        counties=Section("county", _("Sent from"), tuple(stations(session, asked, counts.counties))),
        flags=Section("", _("Also"), tuple(flags(asked, counts.flags, counts.seasons))),
        bars=tuple(bars(counts.measures.get(Measure.WEIGHT, ()))),
        bars_words=_("Products by price per 500 g"),
        price=price(asked),
    )


def kinds(session: Session, question: Question, counts: Iterable[Facet]) -> list[Choice]:
    """The categories below the page's own place; on the search page all that hold goods themselves."""
    shelf = shelves.find_shelf(question.place)
    if question.place and shelf is None:
        return []
    above = shelf.categories if shelf else ()
    named = {code: name for code, name in leaves(session).items() if not above or code.partition("-")[0] in above}
    return arranged(named, counts, question.categories, question, "categories")


def stations(session: Session, question: Question, counts: Iterable[Facet]) -> list[Choice]:
    badges = all_badges(session)
    named = {code: badge.name for code, badge in badges.items()}
    return arranged(named, counts, question.counties, question, "counties", badges)


@remembered()
def leaves(session: Session) -> Mapping[str, str]:
    """The names of all categories that hold goods themselves."""
    wanted = select(Category.code, Category.name_zh, Category.name_en).where(Category.parent_code.isnot(None))
    name = f"name_{language()}"
    return {row.code: getattr(row, name) for row in rows(session, wanted)}


@remembered()
def all_badges(session: Session) -> Mapping[str, StationBadge]:
    wanted = select(Station.code.label("station"), Station.name_zh, Station.name_en, County.is_deep_poverty).join(County)
    words = language()
    return {row.station: badge(row, words) for row in rows(session, wanted)}


def arranged(
    named: Mapping[str, str],
    counts: Iterable[Facet],
    chosen: Sequence[str],
    question: Question,
    field: str,
    badges: Mapping[str, StationBadge] | None = None,
) -> list[Choice]:
    """Chosen ones first, then the most frequent; those without goods last, so that what there is not can be seen as well."""
    numbers = {facet.code: facet.count for facet in counts}
    codes = sorted(named, key=lambda code: (code not in chosen, -numbers.get(code, 0), code))
    return [
        Choice(
            code,
            named[code],
            numbers.get(code, 0),
            code in chosen,
            partial(toggle, question, field, code),
            (badges or {}).get(code),
        )
        for code in codes
    ]


def toggle(question: Question, field: str, code: str) -> str:
    chosen: Sequence[str] = getattr(question, field)
    return question.url(**{field: tuple(each for each in chosen if each != code) if code in chosen else (*chosen, code)})


def flags(question: Question, counts: Mapping[str, int], seasons: Mapping[int, int]) -> list[Choice]:
    names = {
        "stock": _("In stock"),
        "season": _("In season now"),
        "gi": _("Geographical indication"),
        "deep": _("From deep-poverty counties"),
    }
    choices = [
        Choice(
            flag,
            words,
            counts.get(FLAGS[flag], 0),
            flag in question.flags,
            partial(question.url, flags=question.flags ^ {flag}),
        )
        for flag, words in names.items()
    ]
    return sorted(choices, key=lambda choice: not (choice.count or choice.is_chosen))


def price(question: Question) -> Choice | None:
    """The bounds of the price per 500 g, where there are any: "¥2–20/斤"."""
    if not question.is_bounded:
        return None
    least, most = question.bounds
    if not most:
        words = _("from ¥%(least)s per 500 g", least=least)
    elif not least:
        words = _("up to ¥%(most)s per 500 g", most=most)
    else:
        words = _("¥%(least)s–%(most)s per 500 g", least=least, most=most)
    return Choice("price", words, 0, True, partial(question.url, min_fen=None, max_fen=None))


def bars(buckets: Sequence[Bucket]) -> list[Bar]:
    most = max((bucket.count for bucket in buckets), default=0)
    heights = [round(TALLEST * bucket.count / most) if most else 0 for bucket in buckets]
    return [
        Bar(x=number * 20, y=TALLEST - height, height=height, words=f"{between(bucket)} · {bucket.count}")
        for number, (bucket, height) in enumerate(zip(buckets, heights, strict=True))
    ]


def between(bucket: Bucket) -> str:
    return f"{yuan(bucket.from_fen)}+" if bucket.below_fen is None else f"{yuan(bucket.from_fen)}-{yuan(bucket.below_fen)}"


def ways_out(question: Question, alternatives: Iterable[Alternative]) -> list[tuple[str, str, int]]:
    """(words, address, count) for each group of filters that could be dropped when nothing was found."""
    return [(dropped(way.filters), question.url(**blank(way.filters)), way.count) for way in alternatives]


def dropped(filters: Iterable[str]) -> str:
    names = {
        "categories": _("kinds"),
        "counties": _("stations"),
        "measure": _("price"),
        "measure_price_min_fen": _("price"),
        "measure_price_max_fen": _("price"),
        "in_season": _("season"),
        "geographical_indication": _("geographical indication"),
        "deep_poverty": _("deep-poverty counties"),
        "in_stock": _("in stock"),
    }
    return str(_(", ")).join(dict.fromkeys(names.get(name, name) for name in filters))


def blank(filters: Iterable[str]) -> dict[str, object]:
    """The fields of a question that belong to these fields of a query, emptied."""
    emptied: dict[str, object] = {}
    for name in filters:
        if name in ("categories", "counties"):
            emptied[name] = ()
        elif name in ("measure", "measure_price_min_fen", "measure_price_max_fen"):
            emptied["min_fen"] = emptied["max_fen"] = None
        else:
            emptied["flags"] = frozenset()
    return emptied
