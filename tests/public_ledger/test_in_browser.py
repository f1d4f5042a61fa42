"""In Chromium, on phones and desks: axe finds nothing, nothing is wider than the screen, filters work without script."""

from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Browser, expect

from crowdfund.campaigns import spending
from marketplace.core.db import db, in_transaction
from tests.browser import barriers, overflows, serving
from tests.public_ledger.conftest import Giving
from tests.public_ledger.test_disbursing import lay
from tests.public_ledger.test_receipts import code_of, give, of

pytestmark = pytest.mark.full
SIZES = ((390, 780), (1280, 720), (320, 640))


@pytest.fixture
def place(real_app: Flask, real_giving: Giving) -> Iterator[tuple[str, dict[str, str]]]:
    """The address, and the pages by what they show."""
    campaign = real_giving.campaign()
    gift = in_transaction(give, campaign.public_id, fen=12760, giver="石榴花")
    made = real_giving.pay_out(campaign, 4815)
    lay(made, real_giving)
    real_giving.gift(real_giving.campaign(), 5000, who="小杏子")
    real_giving.seal()
    real_giving.gift(campaign, 1)
    number = of(gift)[0][0]
    pages = {
        "ledger": "/ledger",
        "campaign": f"/ledger/{campaign.public_id}",
        "payment": f"/ledger/{campaign.public_id}/disbursements/{made}",
        "verify": "/ledger/verify",
        "find": "/receipts?number=7",
        "receipt": f"/receipts/{number}?code=wrong",
        "paper": f"/receipts/{number}?code={code_of(number)}",
        "wrong": "/ledger?since=yesterday",
    }
    db.session.remove()
    with serving(real_app) as address:
        yield address, pages


def test_nothing_is_in_the_way(browser: Browser, place: tuple[str, dict[str, str]]) -> None:
    address, pages = place
    for width, height in SIZES:
        page = browser.new_page(viewport={"width": width, "height": height})
        for name, path in pages.items():
            page.goto(address + path)
            assert barriers(page) == [], (name, width)
            assert not overflows(page), (name, width)
        page.close()


def test_filtering_without_script(browser: Browser, place: tuple[str, dict[str, str]]) -> None:
    address, _pages = place
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 780})
    page = context.new_page()
    page.goto(f"{address}/ledger")
    figures = page.locator(".entries__fen")
    expect(figures).to_have_text(["+0.01", "+50.00", "−48.15", "+127.60"])
    page.get_by_label("类别").select_option("disbursement")
    page.get_by_role("button", name="看", exact=True).click()
    expect(figures).to_have_text(["−48.15"])
    page.get_by_role("link", name="玉坪乡图书 214 册").first.click()
    expect(page.locator("h1")).to_have_text("玉坪乡图书 214 册")
    context.close()


def test_the_strata_of_what_was_spent(app: Flask, giving: Giving) -> None:
    campaign = giving.campaign()
    giving.gift(campaign, 10_000)
    giving.pay_out(campaign, 4815)
    shown = spending.of(db.session(), campaign.public_id, book="test", left_words="还在账上", left_fen=5185)
    with app.test_request_context():
        page = render_template_string(
            '{% from "campaigns/spending.html" import spending with context %}{{ spending(shown) }}', shown=shown
        )
    assert "已经花了 ¥48.15" in page and "¥51.85" in page and "¥33,600.00" in page
