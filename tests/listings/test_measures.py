import pytest

from listings import measures
from listings.measures import Measure


@pytest.mark.parametrize(
    ("unit", "measure"),
    [
        ("5斤箱", Measure("weight", 2500)),
        ("4.5斤盒", Measure("weight", 2250)),
        ("500g×3袋", Measure("weight", 1500)),
        ("2.5kg袋", Measure("weight", 2500)),
        ("750g×1只", Measure("weight", 750)),
        ("1个约9斤", Measure("weight", 4500)),
        ("2个装约8斤", Measure("weight", 4000)),
        ("500ml×2瓶", Measure("volume", 1000)),
        ("1L×6瓶", Measure("volume", 6000)),
        ("2.5L桶", Measure("volume", 2500)),
        ("30枚箱", Measure("piece", 30, "枚")),
        ("10穗箱", Measure("piece", 10, "穗")),
        ("12幅册", Measure("piece", 12, "幅")),
        ("1双", Measure()),
        ("1条 30×180cm", Measure()),
        ("2kg 200×230cm", Measure()),
        ("1壶4杯", Measure()),
        ("一大筐", Measure()),
    ],
)
def test_a_unit_says_what_the_pack_holds(unit: str, measure: Measure) -> None:
    assert measures.read(unit) == measure


@pytest.mark.parametrize(
    ("unit", "english"),
    [
        ("5斤箱", "2.5 kg box"),
        ("10斤箱", "5 kg box"),
        ("500g袋", "500 g bag"),
        ("500ml×2瓶", "2 × 500 ml bottles"),
        ("1L×6瓶", "6 × 1 L bottles"),
        ("245ml×12罐", "12 × 245 ml cans"),
        ("30枚箱", "box of 30"),
        ("2个装约8斤", "2, about 4 kg"),
        ("1条 30×180cm", "1 piece, 30 × 180 cm"),
        ("2kg 200×230cm", "2 kg, 200 × 230 cm"),
        ("750g×1只", "750 g piece"),
        ("一大筐", "一大筐"),
    ],
)
def test_a_unit_can_be_read_in_english(unit: str, english: str) -> None:
    assert measures.in_english(unit) == english


@pytest.mark.parametrize(
    ("unit", "called", "in_english"),
    [
        ("5斤箱", "箱", ("box", "boxes")),
        ("500g袋", "袋", ("bag", "bags")),
        ("500g×2袋", "份", ("pack", "packs")),
        ("30枚箱", "箱", ("box", "boxes")),
        ("5L桶", "桶", ("can", "cans")),
        ("240ml×1罐", "罐", ("can", "cans")),
        ("2kg", "份", ("pack", "packs")),
        ("1双", "双", ("pair", "pairs")),
        ("1条 180×90cm", "份", ("pack", "packs")),
        ("礼盒", "份", ("pack", "packs")),
        ("", "份", ("pack", "packs")),
    ],
)
def test_what_one_pack_is_called(unit: str, called: str, in_english: tuple[str, str]) -> None:
    assert measures.word(unit) == (called, in_english)
