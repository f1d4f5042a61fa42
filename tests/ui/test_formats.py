from datetime import UTC, date, datetime

import pytest
from flask import Flask

from marketplace.core import formats


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (3980, "¥39.80"),
        (0, "¥0.00"),
        (5, "¥0.05"),
        (123456789, "¥1,234,567.89"),
        (-3000, "\u2212¥30.00"),
        (-5, "\u2212¥0.05"),
    ],
)
def test_sums_have_two_decimals_commas_and_a_true_minus(fen: int, written: str) -> None:
    assert formats.yuan(fen) == written


def test_a_movement_shows_its_direction() -> None:
    assert formats.signed_yuan(1000) == "+¥10.00"
    assert formats.signed_yuan(-481500) == "\u2212¥4,815.00"


def test_statistics_are_rounded_to_ten_thousands_in_chinese_only() -> None:
    assert formats.statistic(9_470_000, "zh") == "¥9.47万"
    assert formats.statistic(999_999, "zh") == "¥9,999.99"
    assert formats.statistic(9_470_000, "en") == "¥94,700.00"
    assert formats.statistic(1_004_999, "zh") == "¥1.00万"
    assert formats.statistic(1_005_000, "zh") == "¥1.01万"


def test_days_are_those_of_shanghai() -> None:
    late = datetime(2026, 10, 17, 17, 32, tzinfo=UTC)

    assert formats.local_date(late, "zh") == "10月18日 周日"
    assert formats.local_date(late, "en") == "18 Oct, Sun"
    assert formats.full_date(late, "zh") == "2026年10月18日"
    assert formats.full_date(late, "en") == "18 Oct 2026"
    assert formats.local_time(late) == "01:32"
    assert formats.local_datetime(late.replace(tzinfo=None), "zh") == "10月18日 01:32"
    assert formats.local_date(date(2026, 10, 18), "zh") == "10月18日 周日"


@pytest.mark.parametrize(
    ("price", "measure", "amount", "zh", "en"),
    [
        (3980, "weight", 2500, "¥7.96/斤", "¥7.96 per 500 g"),
        (6500, "volume", 1800, "¥36.11/升", "¥36.11 per litre"),
        (4200, "piece", 30, "¥1.40/枚", "¥1.40 per piece"),
        (1001, "weight", 1000, "¥5.01/斤", "¥5.01 per 500 g"),
        (1000, "none", 1, "", ""),
        (1000, "weight", 0, "", ""),
    ],
)
def test_packs_compare_by_measure(price: int, measure: str, amount: int, zh: str, en: str) -> None:
    assert formats.measure_price(price, measure, amount, "枚", "zh") == zh
    assert formats.measure_price(price, measure, amount, "枚", "en") == en


def test_weights() -> None:
    assert formats.weight(1250, "zh") == "2.5斤"
    assert formats.weight(1250, "en") == "1.25 kg"
    assert formats.weight(500, "en") == "500 g"
    assert formats.kilograms(4980) == "4.98 kg"
    assert formats.price_per_kilogram(3980, 2500) == "¥15.92/kg"


def test_people_stay_unknown() -> None:
    assert formats.mask_phone("13812342045") == "138****2045"
    assert formats.mask_phone("12345") == "*****"
    assert formats.mask_name("王小明") == "王**"


@pytest.mark.parametrize(
    ("units", "currency", "written"),
    [
        (3980, "CNY", "¥39.80"),
        (4298, "HKD", "42.98 HKD"),
        (-123405, "HKD", "−1,234.05 HKD"),
        (1200, "JPY", "1,200 JPY"),
        (0, "JPY", "0 JPY"),
        (4298, "KWD", "4.298 KWD"),
    ],
)
def test_sums_of_other_currencies(units: int, currency: str, written: str) -> None:
    assert formats.amount(units, currency) == written


def test_addresses_of_ours_in_a_message_can_be_pressed_and_nothing_else_is_markup(app: Flask) -> None:
    told = "想停点这里：http://127.0.0.1:8000/gifts/plans/0123456789abcdef0123 <b>谢谢</b>"

    assert formats.linked(told) == (
        '想停点这里：<a class="link" href="http://127.0.0.1:8000/gifts/plans/0123456789abcdef0123">打开</a>'
        " &lt;b&gt;谢谢&lt;/b&gt;"
    )


@pytest.mark.parametrize(
    "address", ["https://shop.example/gifts", "http://127.0.0.1:8000.example/a", "http://127.0.0.1:80000/"]
)
def test_addresses_of_others_cannot(app: Flask, address: str) -> None:
    assert formats.linked(f"理由：{address}。") == f"理由：{address}。"
