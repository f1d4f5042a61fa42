"""A phone that runs no scripts keeps nothing: it says so, and leads to the desk, which does the work with a network."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from marketplace.orders.states import ParcelState as S
from tests.browser import Way, is_at_ease, serving
from tests.factories import signed_in
from tests.offline.browsing import WIDTHS
from tests.offline.conftest import make_parcel, make_places, state_of

pytestmark = pytest.mark.full


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_says_that_it_needs_one_and_the_desk_does_not(real_app: Flask, browser: Browser, width: int) -> None:
    make_places()
    parcel = make_parcel()
    clerk = real_app.test_client()
    signed_in(clerk, "station_clerk")
    with serving(real_app) as home:
        page = Way(browser, width, script=False).open(home, clerk)
        page.goto("/station/offline")
        note = page.locator("noscript .flash")
        expect(note).to_contain_text("要开脚本才能用")
        expect(page.locator("[data-strip]")).not_to_be_visible()
        expect(page.locator("[data-work]")).not_to_be_visible()
        is_at_ease(page, WIDTHS)

        note.get_by_role("link").click()
        page.goto(f"/station/parcels/{parcel.public_id}")
        is_at_ease(page, WIDTHS)
        page.locator("main form[action$=acceptance] button").first.click()
        page.wait_for_load_state()
        assert state_of(parcel) is S.ACCEPTED
