"""Keys and addresses for programs, and what people are told, in all four ways: nothing is too wide, nothing bars the way."""

from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from marketplace.core.db import db
from marketplace.notifications.models import Delivery, Endpoint, Silence
from marketplace.notifications.reaching import Answer
from marketplace.notifications.states import DeliveryState as D, EndpointState as E
from tests.browser import Way, is_at_ease, serving
from tests.factories import make_person, make_token, sign_in_as
from tests.notifications.partners import enter, tell, work

pytestmark = pytest.mark.full
LONG = "https://events.example.org/" + "a-very-long-path/" * 12


class Rude:
    """A machine that takes nothing, with a long answer, until it is spoken to."""

    def __init__(self) -> None:
        self.is_polite = False
        self.taken: list[str] = []

    def post(self, _address: str, _body: bytes, headers: dict[str, str]) -> Answer:
        self.taken.append(headers["webhook-id"])
        return Answer(204, "", "", 12) if self.is_polite else Answer(500, "<html>" + "x" * 1000, "", 230)


@pytest.fixture
def rude(real_app: Flask) -> Iterator[Rude]:
    before = real_app.extensions["courier"]
    real_app.extensions["courier"] = machine = Rude()
    yield machine
    real_app.extensions["courier"] = before


@pytest.fixture
def page(real_app: Flask, way: Way, rude: Rude) -> Iterator[Page]:
    """A clerk's browser; one key, one address, one event that was not taken."""
    client, person = real_app.test_client(), make_person("station_clerk", name="郝建军")
    sign_in_as(client, person)
    make_token(person)
    enter(person, LONG)
    tell(person)
    work()
    db.session.remove()
    with serving(real_app) as address:
        yield way.open(address, client)


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def test_a_key_and_an_address_are_made_where_nothing_bars_the_way(page: Page) -> None:
    for path in ("/account", "/account/tokens", "/account/webhooks"):
        page.goto(path)
        is_at_ease(page)

    page.goto("/account/tokens/new")
    is_at_ease(page)
    page.get_by_label("给哪个程序用").fill("站里的进销存")
    page.get_by_label("接单、打包").check()
    press(page, "button", "建密钥")
    expect(page.get_by_text("pav_").first).to_be_visible()
    is_at_ease(page)

    page.goto("/account/webhooks/new")
    page.get_by_label("地址").fill("http://127.0.0.1/")
    press(page, "button", "保存")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("地址").input_value() == "http://127.0.0.1/"
    is_at_ease(page)
    page.get_by_label("地址").fill("https://example.org/events")
    press(page, "button", "保存")
    expect(page.get_by_text("whsec_").first).to_be_visible()
    is_at_ease(page)


def test_what_was_not_taken_is_seen_and_sent_once_more(page: Page, rude: Rude) -> None:
    page.goto("/account/webhooks")
    press(page, "link", "a-very-long-path")
    is_at_ease(page)
    press(page, "link", "订单已付款")
    expect(page.get_by_text("500").first).to_be_visible()
    is_at_ease(page)
    db.session.rollback()
    (row,) = db.session.scalars(select(Delivery))
    row.state = D.GIVEN_UP
    db.session.execute(update(Endpoint).values(rests_until=row.since))
    db.session.commit()
    rude.is_polite = True

    page.reload()
    press(page, "button", "再发一次")
    work()
    page.reload()
    expect(page.get_by_text("204").first).to_be_visible()
    is_at_ease(page)
    db.session.rollback()
    assert db.session.scalars(select(Delivery.state)).one() is D.DELIVERED
    assert len(rude.taken) == 2 and len(set(rude.taken)) == 1


def test_an_address_is_tried_out_paused_and_ended(page: Page, rude: Rude) -> None:
    rude.is_polite = True
    page.goto("/account/webhooks")
    press(page, "link", "a-very-long-path")
    press(page, "button", "发个测试")
    press(page, "button", "关闭")
    is_at_ease(page)
    press(page, "button", "打开")
    page.get_by_text("换密码，或停用").click()
    press(page, "button", "换一个新密码")
    expect(page.get_by_text("whsec_").first).to_be_visible()
    is_at_ease(page)
    page.goto("/account/webhooks")
    press(page, "link", "a-very-long-path")
    page.get_by_text("换密码，或停用").click()
    press(page, "button", "永久停用")
    is_at_ease(page)
    db.session.rollback()
    assert db.session.scalars(select(Endpoint.state)).one() is E.ENDED


def test_what_somebody_wants_to_be_told_is_theirs_to_say(page: Page) -> None:
    page.goto("/account/messages")
    is_at_ease(page)
    boxes = page.get_by_role("checkbox")
    for number in range(boxes.count()):
        boxes.nth(number).uncheck()
    press(page, "button", "保存")
    expect(page.get_by_text("存好了").first).to_be_visible()
    is_at_ease(page)
    db.session.rollback()
    assert db.session.query(Silence).count() == boxes.count() > 0
