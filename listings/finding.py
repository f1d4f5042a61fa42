"""What a visitor asks of the shelves, read from an address, and the address of the same question changed a little."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from listings.shelves import IN_SEASON, find_shelf
from search_index import Measure, Query, Sort

PER_PAGE: Final = 24
LONGEST: Final = 100  # characters of a question
MOST_READ: Final = 10 * LONGEST
CODE: Final = re.compile(r"[A-Za-z0-9-]{1,40}")
LAST_PAGE: Final = 400
DEAREST_FEN: Final = 10_000_000
AMOUNT: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{0,9}))?")
FLAGS: Final = {"season": "in_season", "gi": "geographical_indication", "deep": "deep_poverty", "stock": "in_stock"}
SORTS: Final = (Sort.RELEVANCE, Sort.UNIT_PRICE, Sort.SALES, Sort.NEWEST)


@dataclass(frozen=True, slots=True)
class Question:
    """One page of goods that somebody asked for. `place` is the shelf or category whose page it is, or empty."""

    place: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    counties: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    min_fen: int | None = None  # per 500 g: what is sold by the piece or the litre has no such price
    max_fen: int | None = None
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    exact: bool = False
    per_page: int = PER_PAGE

    @property
    def path(self) -> str:
        return f"/categories/{self.place}" if self.place else "/search"

    @property
    def filters(self) -> int:
        """How many filters were chosen, beyond the page's own place."""
        return len(self.categories) + len(self.counties) + len(self.flags) + self.is_bounded

    @property
    def is_bounded(self) -> bool:
        return self.min_fen is not None or self.max_fen is not None

    @property
    def is_plain(self) -> bool:
        """A shelf or category as it stands: no words, no filters."""
        return not self.text and not self.filters

    @property
    def bounds(self) -> tuple[str, str]:
        """Least and most price per 500 g as a person types them; empty where there is none."""
        least, most = ("" if fen is None else yuan(fen) for fen in (self.min_fen, self.max_fen))
        return least, most

    def url(self, **changes: Any) -> str:
        """The address of this question with some fields changed; a changed question begins at its first page."""
        asked = replace(self, **{"page": 1, **changes})
        pairs: list[tuple[str, str]] = [("q", asked.text)] if asked.text else []
        pairs += [("category", code) for code in asked.categories] + [("county", code) for code in asked.counties]
        pairs += [(flag, "1") for flag in sorted(asked.flags)]
        pairs += [(name, yuan(fen)) for name, fen in (("min", asked.min_fen), ("max", asked.max_fen)) if fen is not None]
        pairs += [("sort", asked.sort)] if asked.sort != Sort.RELEVANCE else []
        pairs += [("exact", "1")] if asked.exact else []
        pairs += [("page", str(asked.page))] if asked.page > 1 else []
        return f"{asked.path}?{urlencode(pairs)}" if pairs else asked.path

    def query(self, today: date) -> Query:
        """The same for the search index."""
        shelf = find_shelf(self.place)
        own = shelf.categories if shelf else (self.place,) if self.place else ()
        in_season = "season" in self.flags or self.place == IN_SEASON
        return Query(
            text=self.text,
            categories=frozenset(self.categories or own),
            counties=frozenset(self.counties),
            measure=Measure.WEIGHT if self.is_bounded else None,
            measure_price_min_fen=self.min_fen,
            measure_price_max_fen=self.max_fen,
            in_season=today.month if in_season else None,
            geographical_indication="gi" in self.flags,
            deep_poverty="deep" in self.flags,
            in_stock="stock" in self.flags,
            sort=self.sort,
            page=self.page,
            per_page=self.per_page,
            exact_words=self.exact,
        )


def read(args: MultiDict[str, str], place: str = "") -> Question:
    """The question in an address. What makes no sense is left out rather than refused: an address is not a form."""
    first = args.to_dict()  # a MultiDict raises and catches for each parameter that is not there
    least, most = fen(first.get("min", "")), fen(first.get("max", ""))
    if least is not None and most is not None and least > most:  # typed the wrong way round
        least, most = most, least
    return Question(
        place=place,
        text=readable(first.get("q", "")),
        categories=codes(args.getlist("category")),
        counties=codes(args.getlist("county")),
        flags=frozenset(flag for flag in FLAGS if first.get(flag) == "1"),
        min_fen=least,
        max_fen=most,
        sort=sort_named(first.get("sort", "")),
        page=page_number(first.get("page", "")),
        exact=first.get("exact") == "1",
    )


def readable(text: str) -> str:
    """Typed words as one line. What is no text (control characters, bytes that were none) parts words: PostgreSQL would not
    take a NUL at all."""
    return " ".join("".join(" " if is_no_text(letter) else letter for letter in text[:MOST_READ]).split())[:LONGEST]


def is_no_text(letter: str) -> bool:
    return letter == "\ufffd" or unicodedata.category(letter) in {"Cc", "Cs"}


def codes(values: Iterable[str]) -> tuple[str, ...]:
    tidy = dict.fromkeys(value.strip() for value in values)
    return tuple(value for value in tidy if CODE.fullmatch(value))[:60]


def fen(text: str) -> int | None:
    """Yuan as typed ("12", "¥12.5", full-width too) in fen, or None."""
    typed = unicodedata.normalize("NFKC", text[:40]).strip().lstrip("¥")
    if not (found := AMOUNT.fullmatch(typed)):
        return None
    fen = 100 * int(found[1]) + int(f"{found[2] or ''}00"[:2])
    return fen if fen <= DEAREST_FEN else None


def yuan(fen: int) -> str:
    return f"{fen / 100:.2f}".removesuffix(".00")


def sort_named(name: str) -> Sort:
    return Sort(name) if name in set(Sort) else Sort.RELEVANCE


def page_number(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isdecimal() and len(text) < 6 else 1
