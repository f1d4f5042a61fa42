"""One question, answered from one snapshot."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from search_index.documents import LARGEST_NUMBER
from search_index.narrowing import Narrowing, facets, narrow, ways_out
from search_index.negation import struck_out
from search_index.query import LONGEST_TEXT, MOST_PER_PAGE, Answer, Hit, Query, Sort
from search_index.scoring import Scored, score
from search_index.snapshot import Column, Mask, Snapshot
from search_index.text import plain
from search_index.understanding import Meaning, understand

ENOUGH = 24  # exact answers; when there are fewer, near ones follow them
_WORTH_SORTING = 0.3  # of the best score: what scores less only mentions the words, and has no place in an order by price
_FAR = 2**62
_FEW = 3  # exact answers; with fewer, another text is suggested where one is at hand


def answer(query: Query, snapshot: Snapshot) -> Answer:
    per_page = min(max(query.per_page, 1), MOST_PER_PAGE)
    page = max(query.page, 1)
    numbered = of_number(query.text, snapshot)
    meaning = Meaning() if numbered else understand(query.text, snapshot, correct=not query.exact_words)
    narrowing = narrow(with_typed_prices(query, meaning), snapshot)
    scored = numbered or meant(query, meaning, snapshot)
    exact, near = tiers(scored, narrowing, query.sort)
    found = exact | near
    narrowed = exact & narrowing.mask()
    order = ranked(query.sort, scored, narrowed, near & narrowing.mask(), snapshot)
    shown = order[(page - 1) * per_page : page * per_page]
    return Answer(
        total=len(order),
        exact=int(np.count_nonzero(narrowed)),
        page=page,
        per_page=per_page,
        hits=tuple(Hit(snapshot.code(int(number)), round(float(scored.scores[number]), 4)) for number in shown),
        facets=facets(found, narrowing, snapshot),
        understood=tuple(meaning.readings),
        counties=int(np.count_nonzero(np.bincount(snapshot.county[narrowed]))),
        suggestion=meaning.suggestion if np.count_nonzero(scored.exact) < _FEW else None,
        alternatives=() if len(order) else ways_out(query, found, narrowing),
    )


def of_number(text: str, snapshot: Snapshot) -> Scored | None:
    """The goods whose number is in the text: whoever copies one from a label or a message wants these and no others."""
    exact = np.zeros(snapshot.size, np.bool_)
    for word in plain(text[:LONGEST_TEXT], {}).split():
        for code in {word, word.upper()}:
            exact[snapshot.postings("code", code)] = True
    exact &= snapshot.live
    return Scored(exact.astype(np.float32), exact, np.zeros(snapshot.size, np.bool_)) if exact.any() else None


def meant(query: Query, meaning: Meaning, snapshot: Snapshot) -> Scored:
    is_text = bool(query.text.strip())
    if is_text and meaning.slots:
        scored = score(meaning, snapshot)
    else:
        scored = _everything(snapshot, bool(is_text and not _says_price(meaning) and not meaning.refused))
    return without(struck_out(meaning.refused, snapshot), scored) if meaning.refused else scored


def with_typed_prices(query: Query, meaning: Meaning) -> Query:
    """“小米 20元以下” narrows by price, unless a price filter is already set."""
    if query.price_min_fen is not None or query.price_max_fen is not None:
        return query
    return replace(query, price_min_fen=meaning.price_min_fen, price_max_fen=meaning.price_max_fen)


def without(struck: Mask, scored: Scored) -> Scored:
    return Scored(np.where(struck, 0, scored.scores).astype(np.float32), scored.exact & ~struck, scored.near & ~struck)


def _says_price(meaning: Meaning) -> bool:
    return meaning.wants_cheap or meaning.price_min_fen is not None or meaning.price_max_fen is not None


def _everything(snapshot: Snapshot, is_rubbish: bool) -> Scored:
    """No words: everything is found alike. Words without any letter in them: nothing."""
    nothing = np.zeros(snapshot.size, np.bool_)
    return Scored(np.zeros(snapshot.size, np.float32), nothing if is_rubbish else snapshot.live, nothing)


def tiers(scored: Scored, narrowing: Narrowing, sort: Sort) -> tuple[Mask, Mask]:
    """The exact answers, and the near ones when there are few exact ones."""
    exact, near = scored.exact, scored.near
    narrowed = narrowing.mask()
    count = int(np.count_nonzero(exact & narrowed))
    if sort is not Sort.RELEVANCE:
        worth = scored.scores >= _WORTH_SORTING * scored.scores.max(initial=0.0)
        return exact & worth, near & worth & (count == 0)
    return exact, near & (count < ENOUGH)


def ranked(sort: Sort, scored: Scored, exact: Mask, near: Mask, snapshot: Snapshot) -> npt.NDArray[np.intp]:
    """The numbers of what was found in order: the exact ones, then the near ones."""
    numbers = np.flatnonzero(exact | near)
    key = sort_key(sort, scored, snapshot)[numbers]
    newest = -snapshot.published[numbers]
    return numbers[np.lexsort((numbers, newest, -scored.scores[numbers], key, near[numbers]))]


def sort_key(sort: Sort, scored: Scored, snapshot: Snapshot) -> Column:
    if sort is Sort.PRICE:
        return snapshot.price
    if sort is Sort.UNIT_PRICE:  # a price of 500 g is no price of an egg: weights, litres, pieces, then what has none
        by_measure = (snapshot.measure.astype(np.int64) - 1) * LARGEST_NUMBER + snapshot.measure_price
        return np.where(snapshot.measure > 0, by_measure, _FAR)
    if sort is Sort.NEWEST:
        return -snapshot.published
    if sort is Sort.SALES:
        return -snapshot.sales
    return -scored.scores
