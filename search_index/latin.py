"""Typed Latin letters as English words, pinyin, its initials, or one of them with a typing mistake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from search_index.knowledge import knowledge
from search_index.lexicon import Strength
from search_index.meaning import Word
from search_index.query import ReadAs
from search_index.text import is_stop_word, stem
from search_index.vocabulary import Vocabulary, fuzzy

LONGEST_STRETCH = 48  # letters read at once; what comes after is left out
LONGEST_SOUND = 28
MOST_MEANT = 5
# What reading some letters in a way costs; only their order and distance count. Of a whole stretch the cheapest reading is
# taken, so fewer and longer words win. What holds them is tests/search_index/test_reading.py.
_EXACT, _SINGLE, _BLURRED, _INITIALS = 1.0, 1.5, 1.6, 2.4  # pinyin of a word, of one character, blurred, first letters only
_ENGLISH, _STOP, _LOST = 1.1, 0.2, 6.0  # an English word, one that says nothing, a token that nobody knows
_AS_LIKELY = 0.3  # readings of a mistyped token that cost so little more than the best are all kept
_LONGEST_PHRASE = 4  # English words


@dataclass(frozen=True, slots=True)
class Edge:
    """One way to read the letters from here to `end`."""

    end: int
    cost: float
    word: Word | None


def words_in(tokens: Sequence[str], vocabulary: Vocabulary, correct: bool) -> list[Word]:
    """The words of neighbouring tokens of letters; spaces may stand anywhere between syllables."""
    stretch = _Stretch(tokens, vocabulary)
    cost, words = stretch.read()
    if correct and cost >= _LOST:
        words = [better for word in words for better in _mended(word, vocabulary)]
    return words


class _Stretch:
    """Letters without their spaces, read from left to right: the shortest way over the `Edge`s from each place."""

    def __init__(self, tokens: Sequence[str], vocabulary: Vocabulary, *, is_clear: bool = False) -> None:
        self.text = "".join(tokens)[:LONGEST_STRETCH]
        self.vocabulary = vocabulary
        ends = accumulate(len(token) for token in tokens)
        self.ends = list(dict.fromkeys(min(end, len(self.text)) for end in ends))
        self.begins = {0, *self.ends}
        self.is_clear = is_clear  # take full, clear pinyin only

    def read(self) -> tuple[float, list[Word]]:
        """The cheapest reading of the whole stretch and its cost; a token that stays unread costs _LOST."""
        best: dict[int, tuple[float, list[Word]]] = {0: (0.0, [])}
        for begin in range(len(self.text)):
            if begin not in best:
                continue
            cost, words = best[begin]
            for edge in self._edges(begin):
                reached = cost + edge.cost
                if edge.end not in best or reached < best[edge.end][0]:
                    best[edge.end] = (reached, [*words, edge.word] if edge.word else words)
        return best.get(len(self.text), (_LOST, [Word(self.text, ())]))

    def _edges(self, begin: int) -> Iterator[Edge]:
        """All ways to go on from here. English begins where a token does; pinyin may begin anywhere."""
        if begin in self.begins:
            yield from self._english(begin)
            end = next(end for end in self.ends if end > begin)
            yield Edge(end, _LOST, Word(self.text[begin:end], ()))
        for end in range(begin + 1, min(len(self.text), begin + LONGEST_SOUND) + 1):
            yield from self._spoken(begin, end)

    def _english(self, begin: int) -> Iterator[Edge]:
        """The tokens from here on as a phrase or a word of English, the longest first."""
        ends = [end for end in self.ends if end > begin][:_LONGEST_PHRASE]
        starts = [begin, *ends]
        tokens = [stem(self.text[a:b]) for a, b in zip(starts, ends, strict=False)]
        for count in range(len(tokens), 0, -1):
            typed, end = self.text[begin : ends[count - 1]], ends[count - 1]
            if count == 1 and is_stop_word(typed):
                yield Edge(end, _STOP, None)
            elif " ".join(tokens[:count]) in knowledge().english:
                yield Edge(end, _ENGLISH - 0.2, Word(typed, ((" ".join(tokens[:count]), 1.0),), is_english=True))
            elif count == 1 and len(typed) > 2 and tokens[0] in self.vocabulary.english:
                yield Edge(end, _ENGLISH, Word(typed, ((tokens[0], 1.0),), is_english=True))

    def _spoken(self, begin: int, end: int) -> Iterator[Edge]:
        """These letters as pinyin: of a word that goods have, else with sounds that people mix up, else as initials."""
        typed = self.text[begin:end]
        names = self._meant(self.vocabulary.by_sound.get(typed, ()))
        ends_token, whole_token = end in self.begins, begin in self.begins and end in self.begins
        if names and (len(names[0]) > 1 or whole_token or (ends_token and typed[0] not in "aeo")):
            weak = 0.5 * (self.vocabulary.lexicon.words[names[0]].strength is Strength.BODY)
            weak += 0.5 * (len(names[0]) == 1 and not whole_token)
            cost = (_EXACT if len(names[0]) > 1 else _SINGLE) + weak - 0.05 * len(names[0])
            yield Edge(end, cost, Word(typed, equals(names), ReadAs.PINYIN))
        elif self.is_clear:
            return
        elif len(typed) >= 4 and (blurred := self._meant(self.vocabulary.by_blurred_sound.get(fuzzy(typed), ()), 2)):
            yield Edge(end, _BLURRED, Word(typed, equals(blurred), ReadAs.PINYIN))
        elif (meant := self._initials(typed)) and (begin in self.begins or end in self.begins):
            yield Edge(end, _INITIALS - 0.1 * len(typed), Word(typed, equals(meant), ReadAs.INITIALS))

    def _initials(self, typed: str) -> list[str]:
        return self._meant(self.vocabulary.by_initials.get(typed, ()), 2) if 2 <= len(typed) <= 6 else []

    def _meant(self, words: Sequence[str], shortest: int = 1) -> list[str]:
        """Those of the words that name something, if any does; the meanest reading is to take them all."""
        long = [word for word in words if len(word) >= shortest]
        names = [word for word in long if self.vocabulary.names_something(word)]
        return names or long


def equals(names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    return tuple((name, 1.0) for name in names)


def _mended(word: Word, vocabulary: Vocabulary) -> Iterator[Word]:
    """A token that stayed unread, with one letter more, less, other or two of them swapped."""
    if word.words:
        yield word
        return
    readings: list[tuple[float, list[Word]]] = []
    for candidate in one_letter_off(word.typed):
        if stem(candidate) in vocabulary.english:
            meant = Word(word.typed, ((stem(candidate), 1.0),), ReadAs.CORRECTION, is_english=True)
            readings.append((_ENGLISH + 0.2 * (candidate[0] != word.typed[0]), [meant]))
        elif len(candidate) >= 4 and vocabulary.is_pinyin(candidate):
            cost, words = _Stretch([candidate], vocabulary, is_clear=True).read()
            if cost < min(_LOST, 1.7 * len(words)):
                typed = (word.typed, *[""] * (len(words) - 1))
                corrected = [Word(t, one.words, ReadAs.CORRECTION) for t, one in zip(typed, words, strict=True)]
                readings.append((cost + 0.2 * (candidate[0] != word.typed[0]), corrected))
    if not readings:
        yield word
        return
    least, likeliest = min(readings, key=lambda reading: reading[0])
    as_likely = [words[0] for cost, words in readings if cost <= least + _AS_LIKELY and len(words) == 1]
    if len(likeliest) > 1 or likeliest[0].is_english:
        yield from likeliest
    else:
        all_meant = {text: worth for one in as_likely if not one.is_english for text, worth in one.words}
        yield Word(word.typed, tuple(all_meant.items()), ReadAs.CORRECTION)


def one_letter_off(typed: str) -> Iterator[str]:
    """Slips of the finger, those that leave the letters but not their order first."""
    if not 4 <= len(typed) <= 24:
        return
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    halves = [(typed[:i], typed[i:]) for i in range(len(typed) + 1)]
    yield from (a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1)
    yield from (a + b[1:] for a, b in halves if b)
    yield from (a + letter + b[1:] for a, b in halves if b for letter in alphabet)
    yield from (a + letter + b for a, b in halves for letter in alphabet)
