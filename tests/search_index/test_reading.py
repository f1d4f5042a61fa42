"""How typed texts are read: what counts as the same, and what the page can say about it."""

import pytest

from search_index import Backend, Query, ReadAs, Sort
from search_index.text import letters, plain, quantities, stem
from tests.search_index.catalogue import documents


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("hetao", "核桃", ReadAs.PINYIN),
        ("he tao", "核桃", ReadAs.PINYIN),
        ("hé tao", "核桃", ReadAs.PINYIN),
        ("lvdou", "绿豆", ReadAs.PINYIN),
        ("pinguo", "苹果", ReadAs.PINYIN),
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


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("苹果 不要 醋", ["醋"]),
        ("不要醋的苹果", ["醋"]),
        ("苹果 -醋", ["醋"]),
        ("苹果 NOT 醋", ["醋"]),
        ("红枣 除了 酒", ["酒"]),
        ("除了酒以外的红枣", ["酒"]),
        ("不辣的酱", ["辣"]),
        ("果汁 没有糖", ["糖"]),
        ("无糖", ["糖"]),
        ("水果 不要苹果和梨", ["苹果", "梨"]),
        ("jujube without wine", ["酒"]),
        ("sauce, not spicy", ["辣"]),
        ("sugar-free juice", ["sugar"]),
        ("apples -vinegar", ["醋"]),
    ],
)
def test_refusals_are_understood(index: Backend, text: str, refused: list[str]) -> None:
    read = index.search(Query(text=text)).understood

    assert [reading.words[0] for reading in read if reading.kind is ReadAs.WITHOUT] == refused


@pytest.mark.parametrize(
    "text",
    [
        *("不老松", "不锈钢锅", "无花果", "非遗 剪纸", "非常好的小米", "无核红枣", "没食子", "不知火", "不倒翁"),
        *("有没有小米", "好不好吃的苹果", "小米要不要泡", "sea-buckthorn", "沁州 - 黄小米", "no. 1 millet", "不便宜也行"),
    ],
)
def test_what_only_sounds_like_a_refusal_is_none(index: Backend, text: str) -> None:
    assert [r for r in index.search(Query(text=text)).understood if r.kind is ReadAs.WITHOUT] == []


def test_exact_words_refuse_nothing(index: Backend) -> None:
    assert index.search(Query(text="苹果 不要醋", exact_words=True)).understood == ()


def test_what_is_refused_is_not_found_in_any_order(index: Backend) -> None:
    titles = {document.code: document.title_zh for document in documents()}

    for sort in Sort:
        codes = index.search(Query(text="苹果 不要醋", sort=sort, per_page=100)).codes
        assert codes and not [titles[code] for code in codes if "醋" in titles[code]]
    everything = index.search(Query(text="不要醋"))
    assert 0 < everything.total < len(documents())


@pytest.mark.parametrize(("text", "low", "high"), [("小米 不低于30元", 3000, 10**9), ("小米 不超过30元", 0, 3000)])
def test_a_refused_price_is_the_other_bound(index: Backend, text: str, low: int, high: int) -> None:
    prices = {document.code: document.price_fen for document in documents()}

    codes = index.search(Query(text=text, per_page=100)).codes
    assert codes and all(low <= prices[code] <= high for code in codes)


def test_sheep_is_mutton_and_undecodable_letters_are_nothing(index: Backend) -> None:
    titles = {document.code: document.title_zh for document in documents()}

    assert all("羊" in titles[code] and "小米" not in titles[code] for code in index.search(Query(text="sheep")).codes[:5])
    assert index.search(Query(text="\ufffdxm\ufffd")).total == 0
    assert index.search(Query(text="小米 \ufffd")).understood == ()
