"""Documents into terms. The writing side alone: it cuts Chinese with `rjieba` and knows how words sound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from search_index import schema
from search_index.documents import Document
from search_index.knowledge import knowledge
from search_index.lexicon import Strength
from search_index.text import LONGEST_WORD, bigrams, english_stems, han_runs, plain, quantities

if TYPE_CHECKING:
    from rjieba import Jieba

# Endings that say how a thing is cut, dried or packed; before them stands what it is.
FORMS = ("礼盒", "礼箱", "礼罐", "切片", "整枝", "原枝", "整粒", "干货", "鲜品", "家庭装", "片", "干", "块", "仁", "粉")
_PLACE_ENDINGS = ("县", "区", "市")
_FREQUENT = 20_000  # a weight that lets the words of the trade win over rjieba's own cutting


@dataclass(frozen=True, slots=True)
class Analysed:
    """The fields for Whoosh, and the words met with where they were met."""

    fields: dict[str, str | bytes]
    words: dict[str, Strength]
    english: set[str]


def analyse(document: Document, simplify: Mapping[int, str]) -> Analysed:
    title = plain(document.title_zh, simplify)
    tags = [plain(tag, simplify) for tag in (*document.tags, *_marks(document))]
    names = [plain(term.name_zh, simplify) for term in document.categories]
    body = plain(f"{document.description} {document.seller}", simplify)
    places = list(place_names(plain(document.county.name_zh, simplify), plain(document.county.prefecture_zh, simplify)))
    title_words = list(dict.fromkeys((*words_of(title), *tails(title))))
    key_words, body_words = words_of(" ".join((*tags, *names))), words_of(body)
    stems = english_stems(f"{document.title_en} {' '.join(term.name_en for term in document.categories)}")
    place_stems = english_stems(f"{document.county.name_en} {document.county.prefecture_en}".lower().replace("ü", "v"))
    unit = quantities(plain(document.unit, simplify)) | quantities(title)
    terms = {
        schema.TITLE: title_words,
        schema.GRAMS: [*"".join(han_runs(title)), *bigrams(title)],
        schema.HEAD: [*heads(title), *english_heads(document.title_en)],
        schema.KEYS: [*key_words, *bigrams(" ".join((*tags, *names))), *tags, *unit],
        schema.PLACE: [*places, *place_stems],
        schema.BODY: [*bigrams(body), *(word for word in body_words if len(word) != 2)],
        schema.ENGLISH: stems,
    }
    fields: dict[str, str | bytes] = {name: " ".join(values) for name, values in terms.items()}
    fields["code"] = document.code
    fields["facts"] = schema.facts(document, len(title))
    strengths = dict.fromkeys(body_words, Strength.BODY)
    strengths |= dict.fromkeys((*title_words, *key_words), Strength.NAME) | dict.fromkeys(places, Strength.PLACE)
    return Analysed(fields, strengths, {*stems, *place_stems})


def _marks(document: Document) -> Iterator[str]:
    """What a document's flags are called."""
    if document.has_geographical_indication:
        yield "地理标志"
    if document.is_deep_poverty:
        yield "深度贫困县"
    if document.has_pickup:
        yield "自提"


def words_of(text: str) -> list[str]:
    """Words as rjieba cuts them, the words of the trade that stand within, and what a stretch of text ends with."""
    known = knowledge().words
    words: list[str] = []
    for piece in han_runs(text):
        cut = list(_cutter().cut_for_search(piece))
        words += (word for word in cut if len(word) <= LONGEST_WORD)
        within = {piece[i : i + n] for n in range(2, LONGEST_WORD + 1) for i in range(len(piece) - n + 1)}
        words += sorted((within & known) - set(cut))
    return words


def tails(title: str) -> Iterator[str]:
    """The names a title's first part ends with, two or three words long: 隰县玉露香梨 is a 玉露香梨."""
    cut = _cutter().cut(next(han_runs(title), ""))
    for count in (2, 3):
        name = "".join(cut[-count:])
        if len(cut) > count and 3 <= len(name) <= LONGEST_WORD:
            yield name


def heads(title: str) -> Iterator[str]:
    """The ends of a title's first part, as it stands and without the words for its form."""
    first = next(han_runs(title.split(" ")[0]), "")
    seen: set[str] = set()
    for part in (first, *(first.removesuffix(form) for form in FORMS if first.endswith(form))):
        for length in range(1, min(len(part), LONGEST_WORD) + 1):
            seen.add(part[-length:])
    return iter(sorted(seen))


def english_heads(title: str) -> list[str]:
    """The last word of an English title's first part is what the thing is."""
    return english_stems(title.split(",")[0].replace(" Gift Box", ""))[-1:]


def place_names(county: str, prefecture: str) -> Iterator[str]:
    """The ways people write a county and its prefecture: with and without the word for county."""
    for name in (county, prefecture):
        yield name
        if len(name) > 2 and name.endswith(_PLACE_ENDINGS):
            yield name[:-1]


@cache
def _cutter() -> "Jieba":
    from rjieba import Jieba

    cutter = Jieba()
    for word in knowledge().words:
        cutter.add_word(word, _FREQUENT, "n")
    return cutter
