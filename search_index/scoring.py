"""How well each document answers: a number for each, from where the words stand and what the goods are.

A formula of our own: a weighted mean of what each word of the question is worth where it stands, with additions. Its numbers
come from no book. What holds them is `tests/search_index/test_relevance.py`: nDCG@10 of at least 0.95 on two lists of judged
questions; `flask --app wsgi search evaluate FILE` says the same of a whole shop."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_index import schema
from search_index.meaning import Kind, Role, Slot
from search_index.snapshot import Mask, Snapshot
from search_index.understanding import Meaning

Scores = npt.NDArray[np.float32]

# Where a word stands, by rising worth; a place adds what is written beside `_HEAD_BONUS` on top.
_BODY, _KEYS, _IN_TITLE, _TITLE = 0.28, 0.55, 0.75, 1.0
_HEAD_BONUS, _KEYS_BONUS, _BODY_BONUS = 0.5, 0.1, 0.04
_ENGLISH = 0.9
_SECOND_CHOICE = 0.08  # what all weaker choices together add to the best one
_AFFINITY = 0.5  # for standing in the categories where what is asked for stands
_PHRASE = 0.35  # for having all of the words side by side in the title
_CHEAP = 0.5
_PRICED = 0.5  # the share of the best score below which price does not matter
_LENGTH = 0.003  # for each character of the title
_LONGEST_TITLE = 40  # characters; those beyond cost nothing more
_SALES = 0.004  # for what is bought often, times ln(1 + sales): it decides between equals only
_SOLD_OUT = 0.9  # times this
_FILLS = 0.35  # of the best score for a word: below, the word is only mentioned
_SIBLING = 0.15  # for standing in the category of the exact answers when these are few
_COMMON_CATEGORY = 0.2  # the share of exact answers that makes a category theirs
_COVERAGE = 1.5  # how hard it is to lack a word
_ROLES = {Role.GOODS: 1.0, Role.PLACE: 0.85, Role.TRAIT: 0.6, Role.PURPOSE: 0.5, Role.AMOUNT: 0.35}
_RARITY = 0.3  # how much more the rarest word weighs than one that all documents have


@dataclass(frozen=True, slots=True)
class Scored:
    """`exact` are the documents in which every word of the text is found; `near` those that lack some."""

    scores: Scores
    exact: Mask
    near: Mask


def score(meaning: Meaning, snapshot: Snapshot) -> Scored:
    """(mean of the words' scores * share of words found ** _COVERAGE + categories + phrases) * (1 - length), both weighted;
    then what cheapness and sales add, and less for what is sold out."""
    total = np.zeros(snapshot.size, np.float32)
    exact, near = snapshot.live.copy(), np.zeros(snapshot.size, np.bool_)
    filled = np.zeros(snapshot.size, np.float32)
    weights = 0.0
    goods = np.zeros(snapshot.size, np.float32)
    for slot in meaning.slots:
        named = choices_scores(slot.choices, snapshot)
        scores = np.maximum(named, choices_scores(slot.hints, snapshot))
        found = (scores > 0) & snapshot.live
        count = int(np.count_nonzero(found))
        if not count and len(meaning.slots) > 1:
            continue  # a word nobody knows should not hide the others
        weight = _weight(slot, meaning, count, snapshot)
        total += weight * scores
        filled += weight * found
        weights += weight
        if not _is_optional(slot, meaning):
            exact &= (named > 0) & (named >= _FILLS * named.max(initial=0.0))
        if slot.role is not Role.AMOUNT or len(meaning.slots) == 1:
            near |= found
        if slot.role is Role.GOODS:
            goods += affinity(slot, snapshot)
    if not weights:
        nothing = np.zeros(snapshot.size, np.bool_)
        return Scored(total, nothing, nothing)
    total = total / weights * (filled / weights) ** _COVERAGE
    total += np.where(total > 0, goods, 0) + phrase_bonus(meaning, snapshot, total)
    total *= 1 - _LENGTH * np.minimum(snapshot.length, _LONGEST_TITLE)
    total += cheapness(meaning, total, exact, snapshot)
    total += _SALES * np.log1p(snapshot.sales).astype(np.float32) * (total > 0)
    total[(snapshot.flags & schema.IN_STOCK) == 0] *= _SOLD_OUT
    exact &= near
    near |= _add_siblings(meaning, total, exact, snapshot)
    return Scored(total.astype(np.float32), exact, near & ~exact & snapshot.live)


def _add_siblings(meaning: Meaning, total: Scores, exact: Mask, snapshot: Snapshot) -> Mask:
    """What stands in the same categories as the good answers: the next best thing when those are few."""
    siblings = np.zeros(snapshot.size, np.bool_)
    answers = exact if exact.any() else total > 0
    if not answers.any() or all(slot.role in {Role.PLACE, Role.AMOUNT} for slot in meaning.slots):
        return siblings
    good = answers & (total >= _PRICED * total[answers].max())
    shares = np.bincount(snapshot.category[good], weights=total[good], minlength=len(snapshot.categories))
    shares = np.where(shares >= _COMMON_CATEGORY * shares.sum(), shares / shares.sum(), 0)[snapshot.category]
    siblings = (shares > 0) & ~exact
    total[siblings] += (_SIBLING * shares[siblings]).astype(np.float32)
    return np.asarray(siblings)


def _is_optional(slot: Slot, meaning: Meaning) -> bool:
    return slot.role in {Role.PURPOSE, Role.AMOUNT} and any(other.role is Role.GOODS for other in meaning.slots)


def _weight(slot: Slot, meaning: Meaning, count: int, snapshot: Snapshot) -> float:
    rarity = 1 - np.log1p(count) / np.log1p(max(snapshot.size, 1))
    alone = len({other.role for other in meaning.slots}) == 1
    return float((1.0 if alone else _ROLES[slot.role]) * (1 + _RARITY * rarity))


def choices_scores(choices: Mapping[tuple[Kind, str], float], snapshot: Snapshot) -> Scores:
    """The best of the choices for each document, and a little for the others."""
    best = np.zeros(snapshot.size, np.float32)
    together = np.zeros(snapshot.size, np.float32)
    for (kind, text), worth in choices.items():
        scores = _choice_scores(kind, text, snapshot)
        if scores is None:
            continue
        scores *= worth
        np.maximum(best, scores, out=best)
        together += scores
    best += _SECOND_CHOICE * np.minimum(together - best, 1.5)
    return best


def _choice_scores(kind: Kind, text: str, snapshot: Snapshot) -> Scores | None:
    if kind is Kind.WORD:
        return word_scores(text, snapshot)
    scores = np.zeros(snapshot.size, np.float32)
    if kind is Kind.PLACE:
        scores[snapshot.postings(schema.PLACE, text)] = 1.0
    elif kind is Kind.MONTH:
        scores[(snapshot.months & (1 << int(text))) > 0] = 1.0
    elif kind is Kind.AMOUNT:
        scores[snapshot.postings(schema.KEYS, text)] = 1.0
    else:
        scores[snapshot.postings(schema.ENGLISH, text)] = _ENGLISH
        scores[snapshot.postings(schema.HEAD, text)] += _HEAD_BONUS
    return scores


def word_scores(text: str, snapshot: Snapshot) -> Scores | None:
    """What the places where a Chinese word stands make of each document; None when it stands nowhere."""
    title = snapshot.postings(schema.TITLE, text)
    head = snapshot.postings(schema.HEAD, text)
    within = snapshot.containing(schema.GRAMS, text)
    keys = snapshot.postings(schema.KEYS, text)
    body = snapshot.postings(schema.BODY, text) if len(text) == 1 else snapshot.containing(schema.BODY, text)
    if not (len(title) or len(within) or len(keys) or len(body) or len(head)):
        return None
    scores = np.zeros(snapshot.size, np.float32)
    scores[body] = _BODY
    scores[keys] = _KEYS
    scores[within] = _IN_TITLE
    scores[title] = _TITLE
    scores[head] += _HEAD_BONUS
    scores[keys] += _KEYS_BONUS
    scores[body] += _BODY_BONUS
    return scores


def affinity(slot: Slot, snapshot: Snapshot) -> Scores:
    """More for the categories in which things that are what was asked for stand, by their share."""
    shares = np.zeros(len(snapshot.categories), np.float64)
    strongest = max(slot.choices.values(), default=0.0)
    for (kind, text), worth in slot.choices.items():
        if worth >= 0.9 * strongest and kind in {Kind.WORD, Kind.ENGLISH}:
            heads = snapshot.postings(schema.HEAD, text)
            shares += worth * np.bincount(snapshot.category[heads], minlength=len(shares))
    if not shares.any():
        return np.zeros(snapshot.size, np.float32)
    worth_of_category = (_AFFINITY * shares / shares.sum()).astype(np.float32)
    return np.asarray(worth_of_category[snapshot.category])


def phrase_bonus(meaning: Meaning, snapshot: Snapshot, total: Scores) -> Scores:
    bonus = np.zeros(snapshot.size, np.float32)
    for phrase in meaning.phrases:
        bonus[snapshot.containing(schema.GRAMS, phrase)] = _PHRASE
    return np.where(total > 0, bonus, 0).astype(np.float32)


def cheapness(meaning: Meaning, total: Scores, exact: Mask, snapshot: Snapshot) -> Scores:
    """For those who ask for something cheap: the lower the measure price among comparable answers, the more."""
    bonus = np.zeros(snapshot.size, np.float32)
    if not meaning.wants_cheap:
        return bonus
    good = exact & (total >= _PRICED * total.max(initial=0.0))
    for measure in set(snapshot.measure[good].tolist()):
        numbers = np.flatnonzero(good & (snapshot.measure == measure))
        prices = snapshot.measure_price if measure else snapshot.price
        order = np.argsort(prices[numbers], kind="stable")
        bonus[numbers[order]] = _CHEAP * (1 - np.arange(len(numbers)) / len(numbers))
    return bonus
