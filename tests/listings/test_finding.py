import pytest
from werkzeug.datastructures import MultiDict

from listings.finding import Question, read
from search_index import Sort


def test_an_address_says_it_all() -> None:
    args = MultiDict(
        [("q", " 小米  杂粮 "), ("county", "140430"), ("county", "140430"), ("gi", "1"), ("min", "¥2.5"), ("page", "3")]
    )

    assert read(args, place="grains") == Question(
        place="grains", text="小米 杂粮", counties=("140430",), flags=frozenset({"gi"}), min_fen=250, page=3
    )


@pytest.mark.parametrize(
    "args",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "1e9"},
        {"page": "²"},
        {"min": "nan"},
        {"min": "-5"},
        {"max": "1" * 99},
        {"min": "1e999999999"},
        {"min": "1e2"},
        {"q": "\0\x07\ufffd\ud800"},
        {"county": "\0"},
        {"category": "grain\0"},
        {"sort": "rowid; drop table listing"},
        {"county": "吉县"},
        {"gi": "yes"},
    ],
)
def test_what_makes_no_sense_is_left_out(args: dict[str, str]) -> None:
    assert read(MultiDict(args)) == Question()


@pytest.mark.parametrize(
    ("typed", "fen"), [("12", 1200), ("￥１２.５", 1250), ("0.005", 0), ("8.", 800), ("100000.01", None)]
)
def test_an_amount_is_read_in_fen(typed: str, fen: int | None) -> None:
    assert read(MultiDict({"max": typed})).max_fen == fen


def test_bounds_may_be_typed_the_wrong_way_round() -> None:
    question = read(MultiDict({"min": "20", "max": "2"}))
    assert (question.min_fen, question.max_fen) == (200, 2000)


def test_what_is_no_text_parts_words() -> None:
    assert read(MultiDict({"q": "小米\0\ufffd 苹果"})).text == "小米 苹果"


def test_a_question_and_its_address_are_the_same_thing() -> None:
    question = Question(text="苹果", categories=("fruit-apple",), flags=frozenset({"stock"}), max_fen=800, sort=Sort.NEWEST)

    address = question.url(page=2)

    assert address == "/search?q=%E8%8B%B9%E6%9E%9C&category=fruit-apple&stock=1&max=8&sort=newest&page=2"


def test_a_changed_question_begins_at_its_first_page() -> None:
    assert Question(place="grains", page=5).url(counties=("140430",)) == "/categories/grains?county=140430"
