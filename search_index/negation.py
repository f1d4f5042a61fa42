"""What somebody does not want: “苹果 不要醋”, “不辣的酱”, “苹果 -醋”, “jujube without wine”.

What is taken out of the text either becomes a label that goods bear (没有糖 is 无糖), or only strikes goods out. What sounds
like refusal within a name is none: 不老松, 不锈钢 and 非遗 stay whole, since what follows names nothing by itself."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from search_index import schema
from search_index.knowledge import Knowledge, english_key, knowledge
from search_index.snapshot import Mask, Snapshot
from search_index.text import LONGEST_WORD, is_stop_word, stem

Names = Callable[[str], bool]  # whether a text names something that goods are or have

# Said before anything, these refuse it. 有没有 and 要不要 ask; 不要钱 and the like name nothing, and so strike nothing out.
_REFUSAL = re.compile(
    r"(?<![有要])(?:而?不是|不(?:想|能|可以)?(?:要|含|带|加|放|吃|喝|喜欢|爱吃)(?:有|含|加|放|太|过|任何)?|别(?:要|放|加)"
    r"|(?<!有)没有?(?:加|放)?|除(?:了|去|开|掉)|去掉|排除|不包括|不包含|拒绝)\s*(?=[㐀-鿿])"
)
_WEAK = re.compile(
    r"(?<![㐀-鿿])(?:不|无|非|没)(?=[㐀-鿿])(?![加放含带要吃喝有])"
    r"|(?<=[的有要])(?:不|无|非|没)(?=[㐀-鿿])(?![加放含带要吃喝有])"
)
_MINUS = re.compile(r"(?:^|(?<=\s))(?:[-−–]|(?:not|no|without|except)\s+)(?=[㐀-鿿])")
_ENGLISH = re.compile(
    r"(?:^|(?<=[\s,]))(?:-(?=[a-z])|"
    r"(?:without|except(?: for)?|excluding|minus|but not|but no|non|not|no)[\s-]+(?:any |added |the )?)"
    r"([a-z]+(?:[ -][a-z]+){0,2})"
)
_FREE = re.compile(r"\b([a-z]{3,})[ -]free\b")
_AFTER = re.compile(r"^(?:的|(?:以外|之外|外)的?)?(?:还有)?")
_AND = re.compile(r"^[和、或跟]")
_SEVERAL = re.compile(r"[与和及、&,]| and ")
_LABELS = ("无{}", "不{}", "不加{}", "零{}", "非{}", "无{}剂")


@dataclass(frozen=True, slots=True)
class Refused:
    """`typed` asks for goods that have none of `words` (nor English `stems`); goods that bear one of `labels` have none."""

    typed: str
    words: frozenset[str]
    stems: frozenset[str]
    labels: frozenset[str]

    @property
    def name(self) -> str:
        return min(self.words, key=lambda word: (word not in self.typed, len(word)), default=next(iter(self.stems), ""))


def take_refused(text: str, names: Names) -> tuple[str, list[Refused]]:
    """The text without its refusals (with labels in their place where goods bear such), and what was refused."""
    refused: list[Refused] = []
    for pattern in (_WEAK, _REFUSAL, _MINUS):  # the weak ones first: the others put labels such as 无糖 into the text
        text = _take_chinese(text, pattern, names, refused)
    return _take_english(text, refused), refused


def _take_chinese(text: str, pattern: re.Pattern[str], names: Names, refused: list[Refused]) -> str:
    kept, place = "", 0
    for found in pattern.finditer(text):
        if found.start() < place or _asks(text, found):
            continue
        things, end = _things(text, found.end(), names, is_weak=pattern is _WEAK)
        if not things:
            continue
        kept += text[place : found.start()] + " "
        for thing in things:
            typed = text[found.start() : end].strip()
            refused.append(_refused(typed, thing))
            kept += f"{typed if typed in knowledge().same else _label(thing)} "
        place = end + len(_after(text[end:]))
    return kept + text[place:]


def _asks(text: str, found: re.Match[str]) -> bool:
    """好不好, 要不要: the same word on both sides of 不 asks."""
    mark = found.group().strip()
    before, after = text[: found.start()][-1:], (mark[1:] or text[found.end() :])[:1]
    return mark.startswith(("不", "没")) and bool(before) and before == after


def _things(text: str, begin: int, names: Names, *, is_weak: bool) -> tuple[list[str], int]:
    """What is refused from here on, several joined by 和; and where it ends."""
    things: list[str] = []
    end = begin
    while True:
        run = re.match(r"[㐀-鿿]*", text[begin:])
        thing = _thing(run.group() if run else "", names, is_weak=is_weak)
        if not thing:
            return things, end
        things.append(thing)
        end = begin + len(thing)
        joined = None if is_weak else _AND.match(text[end:])
        if not joined:
            return things, end
        begin = end + 1


def _thing(run: str, names: Names, *, is_weak: bool) -> str:
    """The longest name that the run begins with; after a weak mark it must be all that stands before 的 or the end."""
    whole = run.partition("的")[0]
    if is_weak:
        return whole if 0 < len(whole) <= LONGEST_WORD and names(whole) else ""
    lengths = range(min(len(run), LONGEST_WORD), 0, -1)
    return next((run[:length] for length in lengths if names(run[:length])), "")


def _after(rest: str) -> str:
    found = _AFTER.match(rest)
    return found.group() if found else ""


def is_lacked(thing: str) -> bool:
    """Whether the trade has several words for lacking it, as 不辣 and 不放辣; 非遗 alone does not make 遗 a thing."""
    return sum(label.format(thing) in knowledge().same for label in (*_LABELS, "不要{}", "不放{}")) > 1


def _label(thing: str) -> str:
    """What goods without this are called, if the trade has a word for it."""
    known = knowledge()
    labels = (label.format(thing) for label in _LABELS)
    return next((label for label in labels if label in known.same), "")


def _refused(typed: str, thing: str) -> Refused:
    known = knowledge()
    label = _label(thing)
    labels = {label, *known.same.get(label, {})} if label else set()
    labels |= {pattern.format(thing) for pattern in (*_LABELS, "低{}", "微{}", "少{}")}
    return Refused(typed.strip(), frozenset(_alike(thing, known)), frozenset(), frozenset(labels))


def _alike(thing: str, known: Knowledge) -> Iterator[str]:
    """The thing by its other names, and the kinds of it: who wants no mushrooms wants no shiitake."""
    yield thing
    yield from (other for other, worth in known.same.get(thing, {}).items() if worth >= 0.8)
    yield from (other for other, worth in known.helps.get(thing, {}).items() if worth >= 0.5)


def _take_english(text: str, refused: list[Refused]) -> str:
    known = knowledge().english

    def replaced(typed: str, phrase: str) -> str:
        words = re.split(r"[ -]", phrase)
        counts = range(len(words), 0, -1)
        count = next((count for count in counts if english_key(" ".join(words[:count])) in known), 1)
        thing, rest = english_key(" ".join(words[:count])), " ".join(words[count:])
        if not thing or is_stop_word(thing):
            return typed
        keys = (f"no {thing}", f"not {thing}", f"{thing} free", f"non {thing}", f"no added {thing}")
        label = next((key for key in keys if english_key(key) in known), "")
        chinese = {
            word for name, worth in known.get(thing, {}).items() if worth >= 0.8 for word in _alike(name, knowledge())
        }
        labels = set(known.get(english_key(label), {}))
        refused.append(Refused(typed.strip(), frozenset(chinese), frozenset({stem(thing)}), frozenset(labels)))
        return f" {label} {rest} "

    text = _FREE.sub(lambda found: replaced(found.group(), found.group(1)), text)
    return _ENGLISH.sub(lambda found: replaced(found.group(), found.group(1)), text)


def struck_out(refused: Iterable[Refused], snapshot: Snapshot) -> Mask:
    """The documents that have what is refused in title, tags or category, and bear no label that says the contrary."""
    struck = np.zeros(snapshot.size, np.bool_)
    for one in refused:
        have = np.zeros(snapshot.size, np.bool_)
        for word in one.words:
            named = np.zeros(snapshot.size, np.bool_)
            named[snapshot.postings(schema.KEYS, word)] = True
            have |= named & ~_only_beside_others(word, snapshot)
            have[snapshot.containing(schema.GRAMS, word)] = True
        for word in one.stems:
            named = np.zeros(snapshot.size, np.bool_)
            named[snapshot.postings(schema.ENGLISH, word)] = True
            have |= named & ~_only_beside_others(word, snapshot)
            have[snapshot.postings(schema.HEAD, word)] = True
        for label in one.labels:
            have[snapshot.postings(schema.KEYS, label)] = False
            have[snapshot.containing(schema.GRAMS, label)] = False
        struck |= have
    return struck


def _only_beside_others(word: str, snapshot: Snapshot) -> Mask:
    """In categories of several things (醋与酱), where standing there does not make a thing one of them."""
    names = snapshot.vocabulary.lexicon.categories
    several = [
        code in names
        and any(word in name.lower() and _SEVERAL.search(name) for name in (names[code].name_zh, names[code].name_en))
        for code in snapshot.categories
    ]
    return np.asarray(several, np.bool_)[snapshot.category]
