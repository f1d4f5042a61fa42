"""What the typed beginning may become."""

from search_index import schema
from search_index.lexicon import Strength
from search_index.query import Suggestion, SuggestionKind
from search_index.snapshot import Snapshot
from search_index.text import letters, plain

MOST_LOOKED_AT = 400


def suggest(prefix: str, snapshot: Snapshot, limit: int) -> tuple[Suggestion, ...]:
    """Words that goods carry and that begin so, in characters, pinyin, initials or English; the most frequent first."""
    lexicon = snapshot.vocabulary.lexicon
    typed = plain(prefix[:40], lexicon.simplified)
    key = letters(typed) if typed and typed[0] < "\u2e80" and not typed.isdigit() else typed.replace(" ", "")
    if not key:
        return ()
    found: dict[str, Suggestion] = {}
    for begin, text in snapshot.vocabulary.beginning_with(key)[:MOST_LOOKED_AT]:
        if text not in found and (suggestion := _suggestion(text, snapshot)):
            found[text] = suggestion
        _ = begin
    ranked = sorted(found.values(), key=lambda one: (-_weight(one, key), len(one.text), one.text))
    return tuple(ranked[: min(limit, 8)])


def _suggestion(text: str, snapshot: Snapshot) -> Suggestion | None:
    word = snapshot.vocabulary.lexicon.words[text]
    if word.strength is Strength.PLACE:
        kind, count = SuggestionKind.COUNTY, snapshot.count(schema.PLACE, text)
    else:
        titles, keys = snapshot.count(schema.TITLE, text), snapshot.count(schema.KEYS, text)
        kind, count = SuggestionKind.WORD, max(titles, keys)
    names = {name.name_zh for name in snapshot.vocabulary.lexicon.categories.values()}
    if text in names:
        kind = SuggestionKind.CATEGORY
    return Suggestion(text, " ".join(word.syllables), kind, count) if count else None


def _weight(suggestion: Suggestion, key: str) -> float:
    is_whole = suggestion.text == key or suggestion.pinyin.replace(" ", "") == key
    return suggestion.count * (1 if suggestion.kind is SuggestionKind.WORD else 1.5) + 1000 * is_whole
