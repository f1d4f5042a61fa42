"""Somebody chooses goods: the shelf and its filters, a product, where it would be sent, and packs side by side."""

from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests.browser import Way, is_at_ease, serving

pytestmark = pytest.mark.full


@pytest.fixture
def address(demo_app: Flask, demonstration: Session) -> Iterator[str]:
    with serving(demo_app) as address:
        yield address


def test_from_the_shelf_to_the_cheapest(address: str, way: Way) -> None:
    page = way.open(address)
    page.goto("/categories/grains")
    narrowed(page, way)
    page.get_by_role("link", name="每斤便宜").click()
    expect(page.locator(".rows > li")).not_to_have_count(0)

    page.goto("/listings/P0271")
    is_at_ease(page)
    page.locator("#to").select_option("110000")
    press(page, "button", "看哪天到")
    expect(page.locator("#delivery")).to_contain_text("北京")
    press(page, "link", "放在一起比一比")
    expect(page.locator(".compare__best")).not_to_have_count(0)
    is_at_ease(page)
    columns = page.locator(".compare thead th").count()
    press(page, "link", "不比这样")
    expect(page.locator(".compare thead th")).to_have_count(columns - 1)
    press(page, "link", "也比比它")
    expect(page.locator(".compare thead th")).to_have_count(columns)


def narrowed(page: Page, way: Way) -> None:
    """By a mark and a price; both can be taken away again."""
    if way.width < 900:
        page.get_by_role("link", name="筛选").click()
    is_at_ease(page)
    page.get_by_label("地理标志").check()
    page.get_by_label("最低，元").fill("2")
    page.get_by_label("最高，元").fill("30")
    with page.expect_navigation():
        page.locator(".facets__foot button").click()
    assert "gi=1" in page.url and "min=2&max=30" in page.url
    chips = page.locator(".chip--on")
    expect(chips).to_have_count(2)
    with page.expect_navigation():
        chips.last.click()
    expect(chips).to_have_count(1)
    expect(page.get_by_label("地理标志")).to_be_checked()


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """What leads to another page."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()
