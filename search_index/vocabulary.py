"""The words of the index by how they sound and begin: for pinyin, initials, homophones and suggestions."""

from bisect import bisect_left
from collections import defaultdict
from itertools import product
from pathlib import Path

from search_index.knowledge import knowledge
from search_index.lexicon import Lexicon, Strength, Word

MOST_READINGS = 2  # of a character that is looked up by sound
_FUZZY = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("ang", "an"),
    ("eng", "en"),
    ("ing", "in"),
    ("v", "u"),
    ("lyu", "lu"),
    ("nyu", "nu"),
)


def fuzzy(sound: str) -> str:
    """The sound as those say it who do not tell zh from z, ing from in, l from n at its beginning, lü from lu."""
    for clear, blurred in _FUZZY:
        sound = sound.replace(clear, blurred)
    return "l" + sound[1:] if sound.startswith("n") else sound


def put_in(drawers: dict[str, tuple[str, ...]], key: str, text: str) -> bool:
    """False if it is there already: a word is read again when it was met in a stronger place."""
    there = drawers.get(key, ())
    if text in there:
        return False
    drawers[key] = (*there, text)
    return True


class Vocabulary:
    """Grows with the lexicon file of one index; words that nobody carries any more stay until the next rebuild."""

    def __init__(self) -> None:
        self.lexicon = Lexicon()
        self.by_sound: dict[str, tuple[str, ...]] = {}
        self.by_blurred_sound: dict[str, tuple[str, ...]] = {}
        self.by_initials: dict[str, tuple[str, ...]] = {}
        self.by_character: dict[str, list[str]] = defaultdict(list)
        self.syllables: set[str] = set()
        self.english: set[str] = set()
        self._beginnings: list[tuple[str, str]] = []

    def read(self, path: Path) -> None:
        """Take in what was appended to the lexicon."""
        fresh = [text for text in dict.fromkeys(self.lexicon.read(path)) if len(text) > 1 or self._is_name(text)]
        for text in fresh:
            word = self.lexicon.words[text]
            put_in(self.by_sound, word.sound, text)
            if word.strength > Strength.BODY and put_in(self.by_blurred_sound, fuzzy(word.sound), text):
                put_in(self.by_initials, word.initials, text)
                for character in set(text):
                    self.by_character[character].append(text)
        self.syllables = self.syllables or {one for way in self.lexicon.readings.ways for one in way}
        self.english = self.lexicon.english | {word for key in knowledge().english for word in key.split()}
        if fresh:
            self._beginnings = []  # sorted again when somebody asks

    def _is_name(self, text: str) -> bool:
        return self.lexicon.words[text].strength > Strength.BODY

    def _suggestible(self) -> set[tuple[str, str]]:
        keys = set()
        for word in list(self.lexicon.words.values()):  # a copy, since another thread may be taking words in
            if word.strength > Strength.BODY and len(word.text) > 1:
                keys |= {(key, word.text) for key in (word.text, word.sound, word.initials)}
        for phrase, names in knowledge().english.items():
            keys |= {(phrase, name) for name, worth in names.items() if worth >= 1}
        return keys

    def __contains__(self, text: str) -> bool:
        return text in self.lexicon.words

    def word(self, text: str) -> Word | None:
        return self.lexicon.words.get(text)

    def names_something(self, text: str) -> bool:
        word = self.lexicon.words.get(text)
        return word is not None and word.strength > Strength.BODY

    def readings(self, character: str) -> tuple[str, ...]:
        return self.lexicon.readings.of(character)

    def sounds(self, text: str) -> list[tuple[str, ...]]:
        """The ways a text may be read aloud; none when a character is unknown."""
        return list(product(*(self.readings(character)[:MOST_READINGS] for character in text)))

    def homophones(self, text: str) -> set[str]:
        """Words that name something and sound like the text."""
        found = {word for sound in self.sounds(text) for word in self.by_sound.get("".join(sound), ())}
        return {word for word in found if len(word) == len(text) and self.names_something(word)} - {text}

    def is_pinyin(self, text: str) -> bool:
        """Whether the letters can be read as whole syllables."""
        reachable = {0}
        for end in range(1, len(text) + 1):
            if any(begin in reachable and text[begin:end] in self.syllables for begin in range(max(0, end - 6), end)):
                reachable.add(end)
        return len(text) in reachable

    def beginning_with(self, prefix: str) -> list[tuple[str, str]]:
        """(key, word) pairs whose key (characters, sound, initials, English) begins so."""
        beginnings = self._beginnings or sorted(self._suggestible())
        self._beginnings = beginnings
        begin = bisect_left(beginnings, (prefix, ""))
        return beginnings[begin : bisect_left(beginnings, (prefix + "\U0010ffff", ""))]
