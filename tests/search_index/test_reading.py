"""How typed texts are read: what counts as the same, and what the page can say about it."""

import pytest

from search_index import Backend, Query, ReadAs
from search_index.text import letters, plain, quantities, stem


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("hetao", "核桃", ReadAs.PINYIN),
        ("he tao", "核桃", ReadAs.PINYIN),
        ("hé tao", "核桃", ReadAs.PINYIN),
        ("lvdou", "绿豆", ReadAs.PINYIN),
        ("lyuliang", "吕梁", ReadAs.PINYIN),
        ("hzr", "核桃仁", None),
        ("htr", "核桃仁", ReadAs.INITIALS),
        ("小咪", "小米", ReadAs.CORRECTION),
        ("蜂密", "蜂蜜", ReadAs.CORRECTION),
        ("沙辣汁", "沙棘汁", ReadAs.CORRECTION),
        ("hetoa", "核桃", ReadAs.CORRECTION),
        ("小米", "小米", None),
    ],
)
def test_the_page_can_say_how_words_were_read(index: Backend, text: str, words: str, kind: ReadAs | None) -> None:
    readings = index.search(Query(text=text)).understood

    if kind is None:
        assert not any(words in reading.words for reading in readings)
    else:
        assert [(words in reading.words, reading.kind) for reading in readings] == [(True, kind)]


def test_counties_of_one_sound_are_both_meant(index: Backend) -> None:
    (reading,) = index.search(Query(text="pinglu")).understood

    assert {"平鲁", "平陆"} <= set(reading.words)


def test_exact_words_are_taken_as_typed(index: Backend) -> None:
    answer = index.search(Query(text="沁洲黄小咪", exact_words=True))

    assert answer.understood == ()
    assert answer.suggestion == "沁州黄小米"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("５斤", {"2500g"}),
        ("2.5kg", {"2500g"}),
        ("五斤装", {"2500g"}),
        ("十二枚", {"12枚"}),
        ("500ml×2瓶", {"500ml"}),
        ("小米", set()),
    ],
)
def test_amounts_are_compared_in_one_unit(typed: str, meant: set[str]) -> None:
    assert quantities(plain(typed, {})) == meant


def test_plain_texts_have_one_form() -> None:
    assert plain(" ＱＩＮ\u0000\u200b 雞\t蛋 ", {ord("雞"): "鸡"}) == "qin 鸡 蛋"
    assert letters("lǚ’liáng3") == "lvliang"
    assert [stem(word) for word in ("walnuts", "potatoes", "berries", "grass", "dishes")] == [
        "walnut",
        "potato",
        "berry",
        "grass",
        "dish",
    ]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("小", "小米"), ("xiaom", "小米"), ("xm", "小米"), ("qinz", "沁州"), ("waln", "核桃"), ("雞", "鸡蛋"), ("lü", "吕梁")],
)
def test_beginnings_become_words(index: Backend, prefix: str, expected: str) -> None:
    suggestions = index.suggest(prefix)

    assert len(suggestions) <= 8
    assert expected in [suggestion.text for suggestion in suggestions]
    assert all(suggestion.count > 0 and suggestion.pinyin for suggestion in suggestions)


def test_nothing_is_suggested_for_nothing(index: Backend) -> None:
    assert index.suggest("") == index.suggest("  ") == index.suggest("😀") == ()
