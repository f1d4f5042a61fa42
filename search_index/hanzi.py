"""Typed Chinese cut into words of the index; stretches that are no words are read by their sound and shape."""

from collections.abc import Callable, Iterator

from search_index.knowledge import knowledge
from search_index.lexicon import Strength
from search_index.meaning import Word
from search_index.query import ReadAs
from search_index.text import LONGEST_WORD, runs
from search_index.vocabulary import Vocabulary, fuzzy

_UNKNOWN, _SINGLE, _FILLER, _BODY, _NAME = 3.0, 1.7, 0.6, 1.3, 1.0
_SAME_SOUND, _LIKE_SOUND, _LIKE_SHAPE, _NEAR_SOUND = 0.3, 0.5, 0.55, 0.8
_COMMON_READINGS = 2  # of a character; the third is for dictionaries
_BEARABLE = {2: 0.6, 3: 1.1}  # how far off a word of so many characters may be written

Exists = Callable[[str], bool]  # whether two neighbouring characters stand anywhere in a title or description


def is_han(text: str) -> bool:
    return all(run.kind == "han" and run.text == text for run in runs(text))


def words_in(text: str, vocabulary: Vocabulary, exists: Exists, correct: bool) -> list[Word]:
    """The words of one run of Chinese characters, fillers left out."""
    found: list[Word] = []
    loose = ""
    for piece in (*cut(text, vocabulary), ""):
        if len(piece) == 1 and not _stands_alone(piece, vocabulary, loose):
            loose += piece
            continue
        found += _loose_words(loose, vocabulary, exists, correct)
        loose = ""
        if piece:
            found.append(Word(piece, ((piece, 1.0),)))
    if correct:
        found = list(_with_strays(found, vocabulary))
    kept = [word for word in found if word.typed not in knowledge().fillers]
    return kept or found


def _with_strays(found: list[Word], vocabulary: Vocabulary) -> Iterator[Word]:
    """A single character that names nothing may be a slip within a longer word: 胡麻由 is 胡麻油."""
    place = 0
    while place < len(found):
        pair = found[place : place + 2]
        typed = "".join(word.typed for word in pair)
        if len(pair) == 2 and any(_is_stray(word, vocabulary) for word in pair):
            meant = {name: far for name, far in alike(typed, vocabulary).items() if far <= _LIKE_SOUND}
            if meant and typed not in meant:
                least = min(meant.values())
                names = tuple((name, 1.0) for name, far in meant.items() if far == least)
                yield Word(typed, names[:4], ReadAs.CORRECTION)
                place += 2
                continue
        yield found[place]
        place += 1


def _is_stray(word: Word, vocabulary: Vocabulary) -> bool:
    is_known = vocabulary.names_something(word.typed) or word.typed in knowledge().fillers
    return len(word.typed) == 1 and not word.read_as and not is_known


def cut(text: str, vocabulary: Vocabulary) -> list[str]:
    """The cheapest way to cover the text with words: few, long, and such as name something."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(text) + 1):
        begins = range(max(0, end - LONGEST_WORD), end)
        best.append(min((best[begin][0] + _cost(text[begin:end], vocabulary), begin) for begin in begins))
    pieces = []
    end = len(text)
    while end:
        pieces.append(text[best[end][1] : end])
        end = best[end][1]
    return pieces[::-1]


def _cost(piece: str, vocabulary: Vocabulary) -> float:
    if piece in knowledge().fillers:
        return _FILLER
    known = vocabulary.word(piece)
    if len(piece) == 1:
        return _SINGLE if known and known.strength > Strength.BODY else _UNKNOWN
    bonus = 0.03 * len(piece) ** 2
    if piece in knowledge().regions or piece in knowledge().same or piece in knowledge().helps:
        return _NAME - 0.1 - bonus
    if known is None:
        return 99.0
    return (_NAME if known.strength > Strength.BODY else _BODY) - bonus


def _stands_alone(piece: str, vocabulary: Vocabulary, loose: str) -> bool:
    return piece in knowledge().fillers and not loose


def _loose_words(loose: str, vocabulary: Vocabulary, exists: Exists, correct: bool) -> Iterator[Word]:
    """Words in a stretch of single characters: as it stands when goods are described so, else what it sounds like."""
    if not loose:
        return
    if len(loose) == 1:
        yield Word(loose, ((loose, 1.0),))
        return
    if all(exists(loose[i : i + 2]) for i in range(len(loose) - 1)):
        yield Word(loose, ((loose, 1.0),))
        return
    read = read_by_sound(loose, vocabulary) if correct else []
    if read:
        yield from read
        return
    for piece in cut(loose, vocabulary):
        is_known = len(piece) > 1 or piece in knowledge().words  # a character of an unknown word says nothing by itself
        yield Word(piece, ((piece, 1.0),) if is_known else ())


def read_by_sound(text: str, vocabulary: Vocabulary) -> list[Word]:
    """The text as words that sound or look like it, or nothing when that is too far-fetched."""
    best: list[tuple[float, list[Word]]] = [(0.0, [])]
    for end in range(1, len(text) + 1):
        ways = [_step(best[begin], text[begin:end], vocabulary) for begin in range(max(0, end - LONGEST_WORD), end)]
        best.append(min(ways, key=lambda way: way[0]))
    read = best[-1][1]
    return read if any(word.read_as for word in read) else []


def _step(before: tuple[float, list[Word]], piece: str, vocabulary: Vocabulary) -> tuple[float, list[Word]]:
    cost, words = before
    if len(piece) == 1:
        fits = vocabulary.names_something(piece) or piece in knowledge().fillers
        return cost + (_SINGLE if fits else _UNKNOWN), [*words, Word(piece, ((piece, 1.0),))]
    meant = alike(piece, vocabulary)
    if not meant:
        return cost + 99, words
    off = min(meant.values())
    names = tuple((name, 1.0) for name, far in sorted(meant.items(), key=lambda item: item[1]) if far <= off + 0.01)
    return cost + _NAME + off, [*words, Word(piece, names[:4], ReadAs.CORRECTION if off else None)]


def alike(piece: str, vocabulary: Vocabulary) -> dict[str, float]:
    """Words as long as the piece that it may have been meant for, with how far off they are."""
    candidates = {word for character in set(piece) for word in vocabulary.by_character.get(character, ())}
    candidates = {word for word in candidates if len(word) == len(piece)}
    if len(piece) <= 4:
        candidates |= vocabulary.homophones(piece)
    if vocabulary.names_something(piece):
        candidates.add(piece)
    bearable = _BEARABLE.get(len(piece), 1.5)
    distances = {word: _distance(piece, word, vocabulary) for word in candidates}
    return {word: far for word, far in distances.items() if far <= bearable}


def _distance(typed: str, word: str, vocabulary: Vocabulary) -> float:
    known = vocabulary.word(word)
    sounds = known.syllables if known else ()
    if len(sounds) != len(word):
        return 99.0
    return sum(
        0.0 if one == other else _character_distance(one, other, sound, vocabulary)
        for one, other, sound in zip(typed, word, sounds, strict=True)
    )


def _character_distance(typed: str, meant: str, sound: str, vocabulary: Vocabulary) -> float:
    readings = vocabulary.readings(typed)[:_COMMON_READINGS]
    if sound in readings:
        return _SAME_SOUND
    if fuzzy(sound) in {fuzzy(reading) for reading in readings}:
        return _LIKE_SOUND
    if typed in knowledge().lookalikes.get(meant, ""):
        return _LIKE_SHAPE
    if any(_rhymes(reading, sound) for reading in readings):
        return _NEAR_SOUND
    return 1.4


def _rhymes(one: str, other: str) -> bool:
    """One letter more, less or other: tiao and tao, jing and qing."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
