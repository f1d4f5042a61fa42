"""How good the order of answers is, by nDCG@10 over judged questions."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path

DEPTH = 10

Search = Callable[[str], Sequence[str]]  # a text in, codes out, the best first


@dataclass(frozen=True, slots=True)
class Judged:
    """One question of a judgement file: which codes answer it how well (3 is the very thing)."""

    query_id: str
    text: str
    kind: str
    grades: dict[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    query_id: str
    text: str
    kind: str
    ndcg: float
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`scores` has the worst first; `by_kind` the mean for each kind of question."""

    mean: float
    scores: tuple[Score, ...]
    by_kind: dict[str, float]


def read_judgements(path: str | Path) -> list[Judged]:
    """Columns query_id, query, query_type, product_id, grade. Raises ValueError when the file is not such a one."""
    questions: dict[str, Judged] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            try:
                name, grade = row["query_id"], int(row["grade"])
                question = questions.setdefault(name, Judged(name, row["query"], row["query_type"], {}))
                question.grades[row["product_id"]] = grade
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}: not a judgement file") from error
    if not questions:
        raise ValueError(f"{path}: no judgements")
    return list(questions.values())


def evaluate(questions: Iterable[Judged], search: Search) -> Evaluation:
    """Ask every question and compare with the judgements. A search that finds nothing scores 0."""
    scores = []
    for question in questions:
        found = tuple(search(question.text)[:DEPTH])
        scores.append(Score(question.query_id, question.text, question.kind, ndcg(found, question.grades), found))
    kinds = defaultdict(list)
    for score in scores:
        kinds[score.kind].append(score.ndcg)
    return Evaluation(
        mean=sum(score.ndcg for score in scores) / len(scores) if scores else 0.0,
        scores=tuple(sorted(scores, key=lambda score: (score.ndcg, score.query_id))),
        by_kind={kind: sum(values) / len(values) for kind, values in sorted(kinds.items())},
    )


def ndcg(found: Sequence[str], grades: dict[str, int]) -> float:
    """The discounted gain (2^grade - 1) of the first ten, as a share of what the best order would gain."""
    best = _gain(sorted(grades.values(), reverse=True)[:DEPTH])
    met = list(dict.fromkeys(found))[:DEPTH]  # a code named twice counts once
    return _gain([grades.get(code, 0) for code in met]) / best if best else 0.0


def _gain(grades: Sequence[int]) -> float:
    return sum(float(2**grade - 1) / log2(place + 1) for place, grade in enumerate(grades, 1))
