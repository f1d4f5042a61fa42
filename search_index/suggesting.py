"""What the typed beginning may become."""

from search_index import schema
from search_index.lexicon import Strength
from search_index.query import Suggestion, SuggestionKind
from search_index.snapshot import Snapshot
from search_index.text import letters, plain

MOST_LOOKED_AT = 400
MOST_SUGGESTED = 8
SHORTEST_ENGLISH = 3  # letters, before English words are thought of


def suggest(prefix: str, snapshot: Snapshot, limit: int) -> tuple[Suggestion, ...]:
    """Words that goods carry and that begin so, in characters, pinyin, initials or English; the most frequent first."""
    lexicon = snapshot.vocabulary.lexicon
    typed = plain(prefix[:40], lexicon.simplified)
    key = letters(typed) if typed and typed[0] < "\u2e80" and not typed.isdigit() else typed.replace(" ", "")
    if not key:
        return ()
    begun = snapshot.vocabulary.beginning_with(key)[:MOST_LOOKED_AT]
    words = dict.fromkeys(
        text for whole, text in begun if len(key) >= SHORTEST_ENGLISH or _sounds_like(text, whole, snapshot)
    )
    categories = {plain(category.name_zh, {}) for category in lexicon.categories.values()}
    found = (_suggestion(text, text in categories, snapshot) for text in words)
    ranked = sorted(filter(None, found), key=lambda one: (-_weight(one, key), len(one.text), one.text))
    return tuple(one for one in ranked if not _is_long_form(one, words))[: min(limit, MOST_SUGGESTED)]


def _suggestion(text: str, is_category: bool, snapshot: Snapshot) -> Suggestion | None:
    word = snapshot.vocabulary.lexicon.words[text]
    if word.strength is Strength.PLACE:
        kind, count = SuggestionKind.COUNTY, snapshot.count(schema.PLACE, text)
    else:
        kind = SuggestionKind.CATEGORY if is_category else SuggestionKind.WORD
        count = snapshot.count(schema.TITLE, text) or snapshot.count(schema.KEYS, text)
    return Suggestion(text, " ".join(word.syllables), kind, count) if count else None


def _weight(suggestion: Suggestion, key: str) -> float:
    is_whole = suggestion.text == key or suggestion.pinyin.replace(" ", "") == key
    return suggestion.count * (1 if suggestion.kind is SuggestionKind.WORD else 1.5) + 1000 * is_whole


def _sounds_like(text: str, key: str, snapshot: Snapshot) -> bool:
    word = snapshot.vocabulary.lexicon.words[text]
    return key in {text, word.sound, word.initials}


def _is_long_form(suggestion: Suggestion, others: dict[str, None]) -> bool:
    """临汾市 beside 临汾 says nothing more."""
    return suggestion.kind is SuggestionKind.COUNTY and suggestion.text[:-1] in others
