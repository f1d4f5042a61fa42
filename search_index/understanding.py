"""From a typed text to slots: which goods, from where, what for, how much."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from search_index import hanzi, latin, negation, schema
from search_index.knowledge import knowledge
from search_index.lexicon import Strength
from search_index.meaning import Kind, Role, Slot, Word
from search_index.negation import Refused
from search_index.query import LONGEST_TEXT, ReadAs, Reading
from search_index.snapshot import Snapshot
from search_index.text import bigrams, month_number, plain, quantities, runs, without_quantities

_CHEAP = re.compile(r"便宜点?|实惠|划算|平价|性价比高?|低价|经济|省钱|cheap(?:est)?|affordable|budget|inexpensive")
_UP_TO = re.compile(
    r"(\d{1,6})\s*(?:元|块钱?|￥)\s*(?:以下|以内|之内|内)|(?:(?<!不)低于|不超过|不高于|under|below)\s*(?:¥|￥)?\s*(\d{1,6})\s*(?:元|块|yuan)?"
)
_AT_LEAST = re.compile(
    r"(\d{1,6})\s*(?:元|块钱?|￥)\s*(?:以上|起)|(?:(?<!不)超过|不低于|不少于|至少|over|above)\s*(?:¥|￥)?\s*(\d{1,6})\s*(?:元|块|yuan)?"
)
_MONTH = re.compile(r"(\d{1,2}|十[一二]?|[一二三四五六七八九])月份?(?!饼)")
MOST_SLOTS = 8
MOST_MEANT = 5
_TAIL = 0.5  # what the last word within a longer one is worth: for 沁州黄小米 also 小米
_MIDDLE = 0.3
_CHARACTER = 0.3  # what either character of a word is worth that few goods have
_FEW = 3


@dataclass(slots=True)
class Meaning:
    """The text understood. `phrases` are the stretches of Chinese as read, for titles that have them whole."""

    slots: list[Slot] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    wants_cheap: bool = False
    price_min_fen: int | None = None
    price_max_fen: int | None = None
    refused: list[Refused] = field(default_factory=list)
    suggestion: str | None = None  # the text as it was perhaps meant, where it was taken as typed


def understand(text: str, snapshot: Snapshot, *, correct: bool = True) -> Meaning:
    """What the text asks of this index. Any text is legal."""
    lexicon = snapshot.vocabulary.lexicon
    text = plain(text[: 4 * LONGEST_TEXT], lexicon.simplified)[:LONGEST_TEXT]
    meaning = Meaning()
    text = _take_prices(text, meaning)
    if correct:
        text = _take_refused(text, snapshot, meaning)
    text = _take_months(text, meaning)
    for amount in sorted(quantities(text)):
        meaning.slots.append(Slot(amount, Role.AMOUNT, {(Kind.AMOUNT, amount): 1.0}))
    words = list(_words(without_quantities(text), snapshot, correct))
    for word in words:
        _take_word(word, snapshot, meaning)
    _find_head(words, meaning)
    meaning.slots = meaning.slots[:MOST_SLOTS]
    meaning.phrases = _phrases(words)
    meaning.suggestion = _suggestion(words, snapshot) if correct else _as_corrected(text, snapshot)
    return meaning


def _suggestion(words: list[Word], snapshot: Snapshot) -> str | None:
    """The text with each word that goods only mention, or do not know, replaced by one of their names that is alike."""
    better = [_better(word, snapshot) for word in words]
    if not any(better):
        return None
    return "".join(
        other or (word.words[0][0] if word.words else word.typed) for word, other in zip(words, better, strict=True)
    )


def _better(word: Word, snapshot: Snapshot) -> str | None:
    text = word.typed
    if word.read_as or word.is_english or len(text) < 2 or not hanzi.is_han(text) or text in knowledge().words:
        return None
    if snapshot.count(schema.TITLE, text) or snapshot.count(schema.KEYS, text) or is_place(text, snapshot):
        return None
    alike = hanzi.alike(text, snapshot.vocabulary)
    named = [(far, other) for other, far in alike.items() if other != text and snapshot.count(schema.TITLE, other)]
    return min(named)[1] if named else None


def _as_corrected(text: str, snapshot: Snapshot) -> str | None:
    words = list(_words(without_quantities(text), snapshot, correct=True))
    if not any(word.read_as is ReadAs.CORRECTION for word in words):
        return None
    texts = [word.words[0][0] if word.words else word.typed for word in words]
    return (" " if any(word.is_english for word in words) else "").join(texts)


def _take_prices(text: str, meaning: Meaning) -> str:
    for pattern, name in ((_UP_TO, "price_max_fen"), (_AT_LEAST, "price_min_fen")):
        if found := pattern.search(text):
            setattr(meaning, name, 100 * int(next(number for number in found.groups() if number)))
            text = pattern.sub(" ", text)
    if _CHEAP.search(text):
        meaning.wants_cheap = True
        text = _CHEAP.sub(" ", text)
    return text


def _take_refused(text: str, snapshot: Snapshot, meaning: Meaning) -> str:
    def names(thing: str) -> bool:
        return snapshot.vocabulary.names_something(thing) or thing in knowledge().words or negation.is_lacked(thing)

    text, meaning.refused = negation.take_refused(text, names)
    meaning.readings += [Reading(refused.typed, (refused.name,), ReadAs.WITHOUT) for refused in meaning.refused]
    return text


def _take_months(text: str, meaning: Meaning) -> str:
    for month in _MONTH.findall(text):
        number = int(month) if month.isdigit() else month_number(month)
        if 1 <= number <= 12:
            meaning.slots.append(Slot(f"{number}月", Role.AMOUNT, {(Kind.MONTH, str(number)): 1.0}))
    return _MONTH.sub(" ", text)


def _words(text: str, snapshot: Snapshot, correct: bool) -> Iterator[Word]:
    def exists(pair: str) -> bool:
        return len(snapshot.postings(schema.GRAMS, pair)) > 0 or len(snapshot.postings(schema.BODY, pair)) > 2

    tokens: list[str] = []
    for run in runs(text):
        if run.kind == "latin" and run.text:
            tokens.append(run.text)
            continue
        yield from latin.words_in(tokens, snapshot.vocabulary, correct) if tokens else ()
        tokens = []
        if run.kind == "han":
            yield from hanzi.words_in(run.text, snapshot.vocabulary, exists, correct)
    yield from latin.words_in(tokens, snapshot.vocabulary, correct) if tokens else ()


def _take_word(word: Word, snapshot: Snapshot, meaning: Meaning) -> None:
    if word.is_english:
        slot, read = _english_slot(word, snapshot)
    else:
        words = _likeliest(word, snapshot) if len(word.words) > 1 else list(word.words)
        slot, read = _slot(word.typed, words, snapshot), tuple(dict.fromkeys(_called(text, snapshot) for text, _ in words))
    meaning.slots.append(slot)
    if word.read_as and read:
        meaning.readings.append(Reading(word.typed, read, word.read_as))


def _called(text: str, snapshot: Snapshot) -> str:
    """What goods call it: who typed pinguo is told 苹果, not the 频果 that people mistype."""
    if snapshot.count(schema.TITLE, text):
        return text
    alike = hanzi.alike(text, snapshot.vocabulary).keys() & knowledge().same.get(text, {}).keys()
    return max(sorted(alike), key=lambda other: snapshot.count(schema.TITLE, other), default=text)


def _likeliest(word: Word, snapshot: Snapshot) -> list[tuple[str, float]]:
    """Of words that sound alike, those that goods carry, the frequent ones first and worth more."""
    counts = {text: _weight(text, snapshot) for text, _ in word.words}
    most = max(counts.values())
    if not most:
        return list(word.words[:MOST_MEANT])
    ranked = sorted(counts.items(), key=lambda item: -item[1])[:MOST_MEANT]
    return [(text, max(0.3, (count / most) ** 0.5)) for text, count in ranked if count]


def _weight(text: str, snapshot: Snapshot) -> float:
    heads, titles = snapshot.count(schema.HEAD, text), snapshot.count(schema.TITLE, text)
    keys = len(snapshot.postings(schema.KEYS, text))
    known = sum(len(snapshot.postings(schema.TITLE, other)) for other in list(knowledge().same.get(text, ()))[:6])
    return 3 * heads + titles + 0.3 * keys + 0.5 * known + 12 * (len(snapshot.postings(schema.PLACE, text)) > 0)


def _slot(typed: str, words: list[tuple[str, float]], snapshot: Snapshot) -> Slot:
    slot = Slot(typed, Role.GOODS)
    for text, worth in words:
        _add_word(slot, text, worth, snapshot)
    texts = [text for text, _ in words]
    if texts and all(is_place(text, snapshot) for text in texts):
        slot.role = Role.PLACE
    elif texts and all(is_purpose(text, snapshot) for text in texts):
        slot.role = Role.PURPOSE
    elif texts and all(is_trait(text, snapshot) for text in texts):
        slot.role = Role.TRAIT
    return slot


def is_place(text: str, snapshot: Snapshot) -> bool:
    return text in knowledge().regions or len(snapshot.postings(schema.PLACE, text)) > 0


def is_purpose(text: str, snapshot: Snapshot) -> bool:
    """Whether the word says what goods are for, and is itself nothing that goods are called."""
    is_called = snapshot.count(schema.HEAD, text) or snapshot.count(schema.KEYS, text)
    return text in knowledge().helps and not is_called


def is_trait(text: str, snapshot: Snapshot) -> bool:
    """Whether the word is a label that goods bear, never their name nor that of a category."""
    if text in knowledge().helps or snapshot.count(schema.HEAD, text) or not snapshot.count(schema.KEYS, text):
        return False
    return not any(text in category.name_zh for category in snapshot.vocabulary.lexicon.categories.values())


def _add_word(slot: Slot, text: str, worth: float, snapshot: Snapshot) -> None:
    known = knowledge()
    if is_place(text, snapshot):
        slot.add(Kind.PLACE, text, worth)
        for place in known.regions.get(text, ()):
            slot.add(Kind.PLACE, place, 0.9 * worth)
    slot.add(Kind.WORD, text, worth)
    for other, others_worth in (*known.same.get(text, {}).items(), *known.helps.get(text, {}).items()):
        slot.add(Kind.WORD, other, worth * others_worth)
    for part, parts_worth in _parts(text, snapshot):
        slot.hint(Kind.WORD, part, worth * parts_worth)
        for other, others_worth in known.same.get(part, {}).items():
            slot.hint(Kind.WORD, other, worth * parts_worth * others_worth)


def _parts(text: str, snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    """The shorter words within a long one: the last says what it is, the others of what sort."""
    vocabulary = snapshot.vocabulary
    if len(text) < 3:
        are_few = snapshot.count(schema.TITLE, text) < _FEW
        parts = text if are_few else text[1:]  # 陈醋 is a 醋, however many there are
        if len(text) == 2:
            yield from ((part, _CHARACTER) for part in parts if vocabulary.names_something(part))
        return
    ends = (text[i:] for i in range(1, len(text) - 1))
    if end := next((end for end in ends if vocabulary.names_something(end)), None):
        yield end, _TAIL
    begins = (text[:i] for i in range(len(text) - 1, 1, -1))
    if begin := next((begin for begin in begins if vocabulary.names_something(begin)), None):
        word = vocabulary.word(begin)
        if word and word.strength is not Strength.PLACE:
            yield begin, _MIDDLE


def _english_slot(word: Word, snapshot: Snapshot) -> tuple[Slot, tuple[str, ...]]:
    """English is looked for in English titles, and as the Chinese words it stands for."""
    known = knowledge()
    phrase = word.words[0][0]
    slot = Slot(word.typed, Role.GOODS)
    if places := known.regions.get(phrase):
        slot.role = Role.PLACE
        for place in places:
            slot.add(Kind.PLACE, place, 1.0)
    if " " not in phrase:
        slot.add(Kind.ENGLISH, phrase, 1.0)
        if len(snapshot.postings(schema.PLACE, phrase)):
            slot.role = Role.PLACE
            slot.add(Kind.PLACE, phrase, 1.0)
    for text, worth in known.english.get(phrase, {}).items():
        slot.add(Kind.WORD, text, worth)
        for other, others_worth in known.helps.get(text, {}).items():
            slot.add(Kind.WORD, other, worth * others_worth)
    if " " in phrase:
        last = phrase.split()[-1]
        slot.hint(Kind.ENGLISH, last, _TAIL)
        for text, worth in known.english.get(last, {}).items():
            slot.hint(Kind.WORD, text, _TAIL * worth)
    first = next(iter(known.english.get(phrase, {})), "")
    if is_purpose(first, snapshot):
        slot.role = Role.PURPOSE
    return slot, (phrase,)


def _find_head(words: list[Word], meaning: Meaning) -> None:
    """English says last what a thing is, and before it of what sort: dried mushrooms are mushrooms."""
    slots = meaning.slots[len(meaning.slots) - len(words) :]
    goods = [slot for slot, word in zip(slots, words, strict=True) if word.is_english and slot.role is Role.GOODS]
    for slot in goods[:-1]:
        slot.role = Role.TRAIT


def _phrases(words: list[Word]) -> list[str]:
    """Neighbouring Chinese words put together again, as a title may have them."""
    texts = [word.words[0][0] if word.words and not word.is_english else "" for word in words]
    phrase = "".join(texts)
    return [phrase] if len(phrase) > 1 and all(texts) and any(True for _ in bigrams(phrase)) else []
