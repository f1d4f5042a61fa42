"""What leads out of the house is noticed; what people say of goods is not mistaken for it."""

import pytest

from listings.screening import holds_contact

LEADS_OUT = (
    "再买就打 13835172045",
    "电话一三八 三五一七 二零四五",
    "138-3517-2045 找我",
    "站里座机 0351-5550100",
    "身份证 14012219900101123X",
    "微信号: guo_xiaoyun88",
    "加我微信便宜两块",
    "看 www.example 有图",
    "更便宜的在 cheap-apples.com",
    "写信到 a.b@example.org",
    "vx1357902468",
)
ABOUT_GOODS = (
    "Lvxiaoming 家的苹果",
    "2026-10-18 收到，5 斤装，2500 克，一个不少",
    "用微信付的，第二天就发货了",
    "一箱十二个，坏了一个，赔了三块八",
    "比去年的 39.80 便宜，甜度 14.5",
    "QQ糖一样的口感",
    "给爸妈买的，都说好",
    "万荣的麻花，一口气吃了三根",
)


@pytest.mark.parametrize("words", LEADS_OUT)
def test_what_leads_out_is_held(words: str) -> None:
    assert holds_contact(words)


@pytest.mark.parametrize("words", ABOUT_GOODS)
def test_what_is_about_goods_is_not(words: str) -> None:
    assert not holds_contact(words)
