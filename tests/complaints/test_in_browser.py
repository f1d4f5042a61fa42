"""Goods are pointed out by a passer-by and by a station, go off sale, are mended and come back: on a phone and a desk, with
a script and without."""

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser import Way, is_at_ease, serving
from tests.customer_reviews.test_in_browser import client_of, press
from tests.listings.selling import build

pytestmark = pytest.mark.full


def test_a_passer_by_a_station_the_province_and_the_seller(real_app: Flask, way: Way) -> None:
    house = build(real_app)
    goods = f"/listings/{house.millet}"
    operator = client_of(real_app, None, "operator")
    with serving(real_app) as home:
        stranger, desk = way.open(home, None), way.open(home, house.colleague)
        office, seller = way.open(home, operator), way.open(home, house.seller)

        stranger.goto(goods)
        press(stranger, "link", "向省里举报")
        is_at_ease(stranger)
        stranger.get_by_label("你看到了什么").fill("包装上写的是去年的米")
        press(stranger, "button", "交给省里")
        expect(stranger.get_by_role("alert")).to_contain_text("请选一项哪里不对")
        expect(stranger.get_by_label("你看到了什么")).to_have_value("包装上写的是去年的米")
        is_at_ease(stranger)
        stranger.get_by_text("跟页面说的不一样").click()
        press(stranger, "button", "交给省里")
        expect(stranger.get_by_text("你已经反映了这件货")).to_be_visible()
        is_at_ease(stranger)

        desk.goto("/station/complaints")
        desk.get_by_label("商品编号").fill(house.millet)
        desk.get_by_text("不安全或变质").click()
        desk.get_by_label("你看到了什么").fill("送来的有霉味")
        press(desk, "button", "交给省里")
        expect(desk.get_by_text("省里在看")).to_be_visible()
        is_at_ease(desk)

        office.goto("/operator/complaints")
        expect(office.get_by_text("2 人反映")).to_be_visible()
        is_at_ease(office)
        press(office, "link", "沁州黄小米")
        is_at_ease(office)
        office.get_by_label("原因").last.fill("陈米当新米卖")
        press(office, "button", "下架检查")
        is_at_ease(office)

        seller.goto(f"/seller/listings/{house.millet}/suspension")
        expect(seller.get_by_text("陈米当新米卖")).to_be_visible()
        press(seller, "button", "请省里再看一次")
        expect(seller.get_by_role("alert")).to_be_visible()
        seller.get_by_label("你改了什么").fill("旧包装换掉了")
        press(seller, "button", "请省里再看一次")
        expect(seller.get_by_text("已申请复看")).to_be_visible()
        is_at_ease(seller)

        office.reload()
        expect(office.get_by_text("旧包装换掉了")).to_be_visible()
        is_at_ease(office)
        office.get_by_label("原因").last.fill("新包装看过")
        press(office, "button", "恢复上架")
        stranger.goto(goods)
        expect(stranger.get_by_role("heading", name="沁州黄小米")).to_be_visible()
        desk.reload()
        expect(desk.get_by_text("陈米当新米卖")).to_be_visible()
