from pathlib import Path

import pytest

from search_index.evaluation import Judged, evaluate, ndcg, read_judgements


def test_the_best_order_scores_one_and_nothing_scores_zero() -> None:
    assert ndcg(["a", "b", "c"], {"a": 3, "b": 2, "c": 1}) == pytest.approx(1.0)
    assert ndcg([], {"a": 3}) == 0.0


def test_gain_is_two_to_the_grade_less_one_halved_by_place() -> None:
    assert ndcg(["x", "a"], {"a": 3}) == pytest.approx(1 / 1.584963, abs=1e-6)


def test_only_ten_answers_count_and_each_once() -> None:
    padded = [f"x{number}" for number in range(10)]

    assert ndcg([*padded, "a"], {"a": 3}) == 0.0
    assert ndcg(["a", "a", "a"], {"a": 3, "b": 3}) == pytest.approx(1 / (1 + 1 / 1.584963), abs=1e-6)


def test_the_worst_comes_first() -> None:
    questions = [Judged("Q1", "good", "head", {"a": 3}), Judged("Q2", "bad", "typo", {"b": 3})]

    evaluation = evaluate(questions, lambda text: ["a"])

    assert [score.query_id for score in evaluation.scores] == ["Q2", "Q1"]
    assert evaluation.mean == 0.5
    assert evaluation.by_kind == {"head": 1.0, "typo": 0.0}


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "query_id,query,query_type,product_id,grade\nQ1,x,head,P1,many\n"])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content)

    with pytest.raises(ValueError, match=r"other\.csv"):
        read_judgements(path)
