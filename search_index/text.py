"""The plain forms of texts: what is typed and what is written must come out alike."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LONGEST_WORD = 8  # characters of a Chinese word, letters aside
_HAN = "㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"[{_HAN}]+|[a-zà-öø-ÿāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü'’]+[1-5]?|\d+(?:\.\d+)?")
_UNDECODED = re.compile(rf"[^\s{_HAN}]*\ufffd[^\s{_HAN}]*")
_NUMERALS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2, "半": 0.5}
_GRAMS = {"kg": 1000, "千克": 1000, "公斤": 1000, "斤": 500, "两": 50, "g": 1, "克": 1}
_MILLILITRES = {"ml": 1, "毫升": 1, "l": 1000, "升": 1000}
_PIECES = {"枚", "个", "只", "穗", "双", "对", "根", "片"}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*(千克|公斤|毫升|kg|ml|斤|两|克|升|g|l|枚|个|只|穗|双|对|根|片)(?![a-z])")
_CHINESE_QUANTITY = re.compile(r"([一二两三四五六七八九十半]{1,3})(公斤|斤|两|升|枚|个|只|穗|双|对)")
_STOP_WORDS = frozenset({
    "a", "an", "and", "any", "at", "best", "buy", "by", "china", "chinese", "find", "for", "from", "good", "great", "i",
    "in", "me", "my", "need", "nice", "of", "on", "or", "shanxi", "some", "the", "to", "want", "with",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """An unbroken piece of one script: `kind` is "han", "latin" or "number"."""

    text: str
    kind: str
    begin: int
    end: int


def plain(text: str, simplify: Mapping[int, str]) -> str:
    """Half-width, lower case, simplified characters, no control characters or symbols beyond plain space.

    Letters that stand at what could not be decoded are remains of another encoding, and go with it."""
    text = _UNDECODED.sub(" ", text) if "\ufffd" in text else text
    text = unicodedata.normalize("NFKC", text).lower().translate(simplify)
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def runs(text: str) -> Iterator[Run]:
    """The pieces of a plain text that can mean something; punctuation and pictures fall out."""
    for found in _RUNS.finditer(text):
        piece = found.group()
        kind = "number" if piece[0].isdigit() else "latin" if _is_latin(piece) else "han"
        yield Run(letters(piece) if kind == "latin" else piece, kind, found.start(), found.end())


def _is_latin(piece: str) -> bool:
    return ord(piece[0]) < 0x3400


def letters(text: str) -> str:
    """Latin text without tone marks, tone numbers and apostrophes; `ü` is written `v`, as people type it."""
    text = unicodedata.normalize("NFC", text)
    for typed in "üǖǘǚǜ":
        text = text.replace(typed, "v")
    bare = unicodedata.normalize("NFD", text)
    return "".join(c for c in bare if "a" <= c <= "z")


def han_runs(text: str) -> Iterator[str]:
    return (run.text for run in runs(text) if run.kind == "han")


def bigrams(text: str) -> Iterator[str]:
    """Pairs of neighbours within the Chinese parts of a plain text."""
    for piece in han_runs(text):
        yield from (piece[i : i + 2] for i in range(len(piece) - 1))


def english_stems(text: str) -> list[str]:
    """The words of an English text in singular, without those that say nothing."""
    words = re.findall(r"[a-z]{2,}", text.lower().replace("'s", "").replace("’s", ""))
    return [stem(word) for word in words if word not in _STOP_WORDS]


def is_stop_word(word: str) -> bool:
    return word in _STOP_WORDS


def stem(word: str) -> str:
    """Singular for plural; enough for the names of goods."""
    if len(word) > 4 and word.endswith("ies") and word not in {"cookies", "series"}:
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("oes", "ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def quantities(text: str) -> set[str]:
    """The amounts named in a plain text as comparable marks: 5斤, 2.5kg and 五斤 are all "2500g" and "5斤" no more."""
    marks = {_mark(float(number), unit) for number, unit in _QUANTITY.findall(text)}
    marks |= {_mark(_value(numeral), unit) for numeral, unit in _CHINESE_QUANTITY.findall(text)}
    return marks


def without_quantities(text: str) -> str:
    return _CHINESE_QUANTITY.sub(" ", _QUANTITY.sub(" ", text))


def month_number(numeral: str) -> int:
    """十一 is 11."""
    return int(_value(numeral))


def _mark(number: float, unit: str) -> str:
    if unit in _GRAMS:
        return f"{number * _GRAMS[unit]:g}g"
    if unit in _MILLILITRES:
        return f"{number * _MILLILITRES[unit]:g}ml"
    return f"{number:g}{unit if unit in _PIECES else ''}"


def _value(numeral: str) -> float:
    if "十" in numeral:
        tens, _, ones = numeral.partition("十")
        return 10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(ones, 0)
    return _NUMERALS.get(numeral[0], 1) if len(numeral) == 1 else _NUMERALS.get(numeral[0], 1) + 0.5
