"""Is every sentence of the source translated, once, with the same blanks, and nothing else?"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from marketplace.core.languages import CATALOGUES
from marketplace.core.sentences import catalogues

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("marketplace", "listings", "crowdfund", "search_index", "templates")
METHODS: Final = [("**.py", "python"), ("**.html", "jinja2")]
OPTIONS: Final = {"**.html": {"encoding": "utf-8", "silent": "false", "extensions": "marketplace.core.fragments.Keep"}}
KEYWORDS: Final[Any] = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
BLANK: Final = re.compile(r"%\((\w+)\)[a-z]")

Id = str | tuple[str, ...]


def problems() -> list[str]:
    """One line for each sentence that is missing, left over, translated twice, or whose blanks differ."""
    used = _used()
    return [line for locale in sorted(CATALOGUES.iterdir()) if locale.is_dir() for line in _problems_of(locale, used)]


def _problems_of(locale: Path, used: dict[Id, str]) -> Iterator[str]:
    given: dict[Id, str] = {}
    for path, catalogue in catalogues(locale):
        for message in catalogue:
            if not (sentence := _key(message.id)):
                continue
            place = f"{path.relative_to(ROOT)}:{message.lineno or 1}"
            if sentence in given:
                yield f"{place}: stands in {given[sentence]} as well: {_shown(sentence)}"
            given[sentence] = place
            if message.fuzzy or not all(_strings(message.string)):
                yield f"{place}: not translated: {_shown(sentence)}"
            elif sentence not in used:
                yield f"{place}: nobody says this any more: {_shown(sentence)}"
            elif any(_blanks(text) - _blanks(sentence) for text in _strings(message.string)):
                yield f"{place}: a blank that the sentence does not have: {_shown(sentence)}"
    for said, place in used.items():
        if said not in given:
            yield f"{place}: missing in {locale.name}: {_shown(said)}"


def _used() -> dict[Id, str]:
    """Every sentence of the source, and where it is said first."""
    places: dict[Id, list[str]] = defaultdict(list)
    for folder in SOURCES:
        found = extract_from_dir(ROOT / folder, METHODS, OPTIONS, KEYWORDS)
        for file, line, sentence, *_rest in found:
            places[_key(sentence)].append(f"{folder}/{file}:{line}")
    return {sentence: where[0] for sentence, where in places.items()}


def _key(sentence: Any) -> Id:
    return sentence if isinstance(sentence, str) else tuple(part for part in sentence if isinstance(part, str))


def _strings(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _blanks(text: Any) -> set[str]:
    return {blank for one in _strings(text) for blank in BLANK.findall(one)}


def _shown(sentence: Id) -> str:
    return repr(sentence if isinstance(sentence, str) else sentence[0])
