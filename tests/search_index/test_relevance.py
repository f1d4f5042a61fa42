"""How good the answers are, on two lists of judged questions written by different hands."""

from pathlib import Path

import pytest

from search_index import Backend, Query, Sort
from search_index.evaluation import Evaluation, evaluate, read_judgements
from tests.search_index.catalogue import documents

DATA = Path(__file__).parent / "data"
TITLES = {document.code: document.title_zh for document in documents()}


def judge(index: Backend, name: str) -> Evaluation:
    return evaluate(read_judgements(DATA / name), lambda text: index.search(Query(text=text, per_page=10)).codes)


@pytest.mark.parametrize(("name", "least"), [("search_judgements.csv", 0.95), ("own_judgements.csv", 0.95)])
def test_the_right_goods_come_first(index: Backend, name: str, least: float) -> None:
    evaluation = judge(index, name)

    assert evaluation.mean >= least, evaluation.scores[:5]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("qinzhou huang xiaomi", "沁州黄小米"),
        ("QINZHOU HUANGXIAOMI", "沁州黄小米"),
        ("qìnzhōu huáng xiǎomǐ", "沁州黄小米"),
        ("ｑｉｎｚｈｏｕ小米", "沁州黄小米"),
        ("沁州黃小米", "沁州黄小米"),
        ("沁洲黄小咪", "沁州黄小米"),
        ("qzhxm", "沁州黄小米"),
        ("lüliang hetao", "核桃"),
        ("lvliang hetao", "核桃"),
        ("hetoa", "核桃"),
        ("核挑", "核桃"),
        ("wallnuts", "核桃"),
        ("山药蛋", "山药蛋"),
        ("洋芋", "土豆"),
        ("蒲县小米醋", "蒲县小米醋"),
        ("小米 5斤", "小米"),
        ("岚县 土豆 10斤", "岚县土豆"),
        ("sea buckthorn juice", "沙棘"),
        ("送老丈人的礼盒", "礼"),
    ],
)
def test_goods_are_found_however_they_are_typed(index: Backend, text: str, first: str) -> None:
    answer = index.search(Query(text=text))

    assert answer.hits and first in TITLES[answer.codes[0]]


def test_what_a_thing_is_counts_more_than_what_it_is_made_of(index: Backend) -> None:
    found = [TITLES[code] for code in index.search(Query(text="醋", per_page=10)).codes]

    assert all("醋" in title for title in found[:8])
    assert not any("醋" in TITLES[code] for code in index.search(Query(text="小米", per_page=10)).codes)


def test_cheap_means_the_price_for_the_same_amount(index: Backend) -> None:
    answer = index.search(Query(text="便宜的小米", per_page=3))
    prices = {document.code: document.measure_price_fen for document in documents()}

    assert [prices[code] for code in answer.codes] == sorted(prices[code] or 0 for code in answer.codes)


def test_a_price_in_words_narrows(index: Backend) -> None:
    answer = index.search(Query(text="小米 20元以下"))
    prices = {document.code: document.price_fen for document in documents()}

    assert answer.hits and all(prices[code] <= 2000 for code in answer.codes)


def test_an_order_by_price_holds_only_what_was_asked_for(index: Backend) -> None:
    codes = index.search(Query(text="小米", sort=Sort.PRICE)).codes

    assert codes and all("米" in TITLES[code] for code in codes)


def test_an_unknown_word_does_not_hide_the_known_ones(index: Backend) -> None:
    answer = index.search(Query(text="平遥 牛肉"))

    assert "牛" in TITLES[answer.codes[0]]
