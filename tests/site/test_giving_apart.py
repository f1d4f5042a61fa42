"""Whoever follows links from the pages of giving, as far as they lead, never comes to a link into the shop."""

from collections import deque
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.telling import GIVING_LINKS
from marketplace.accounts.models import Person
from marketplace.core import sealing
from marketplace.core.db import in_transaction
from marketplace.demo import gifts
from marketplace.demo.load import load
from marketplace.demo.people import person_id
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import storage
from tests.factories import sign_in_as

SHOP = (
    *("/search", "/categories", "/listings", "/cart", "/checkout", "/orders", "/parcels", "/seller", "/sellers", "/station"),
    *("/stations", "/presales", "/help", "/prices"),
)
GIVING = ("/campaigns", "/ledger", "/pledges", "/receipts", "/evidence", "/account/gifts")
DESKS = ("/charity", "/bank", "/programme", "/children")
STARTS = (
    *(url for url, _words in GIVING_LINKS),
    "/receipts",
    "/pledges/finding",
    "/campaigns/none",
    "/pledges/NONE",
    "/ledger/none",
)
OF_THE_READER = ("lang", "elder")  # the same page in another coat


class Links(HTMLParser):
    """Where a page leads to: links and the addresses of its forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        name = {"a": "href", "area": "href", "form": "action", "button": "formaction"}.get(tag)
        self.found |= {value for key, value in attributes if key == name and value}


def inside(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith((f"{root}/", f"{root}.")) for root in roots)


def plain(base: str, link: str) -> str:
    """Path and question, without what only changes the reader's view."""
    parts = urlsplit(urljoin(base, link))
    asked = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] not in OF_THE_READER])
    return f"{parts.path}?{asked}" if asked else parts.path


def crawl(client: FlaskClient, starts: tuple[str, ...], roots: tuple[str, ...]) -> dict[str, set[str]]:
    """Every page of giving that can be come to, with what of the shop it leads to."""
    led: dict[str, set[str]] = {}
    ahead = deque(starts)
    while ahead:
        here = ahead.popleft()
        if here in led or not inside(urlsplit(here).path, roots):
            continue
        answer = client.get(here)
        if answer.is_json or not answer.content_type.startswith("text/html"):
            continue
        links = {plain(here, link) for link in Links(answer.text).found}
        led[here] = {link for link in links if inside(urlsplit(link).path, SHOP)}
        ahead.extend(sorted(links))
    return led


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_stranger_is_never_led_into_the_shop(demo_app: Flask, demonstration: Session, language: str) -> None:
    client = demo_app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language

    led = crawl(client, STARTS, GIVING)

    assert {page: links for page, links in led.items() if links} == {}
    kinds = {"/campaigns/C001", "/campaigns/C001/gifts/new", "/ledger/verify", "/pledges/vouchers/new"}
    kinds |= {"/pledges/fairness", "/pledges/finding", "/receipts"}
    assert kinds - {urlsplit(page).path for page in led} == set()
    assert len(led) > 40


@pytest.mark.full
def test_nor_by_what_was_given_and_paid_out(real_app: Flask) -> None:
    cashier: Any = gateways().get("sandbox")
    storage.prepare(cashier.storage)
    in_transaction(load)
    gifts.play()
    while in_transaction(sealing.seal, chain="public"):
        pass

    led = crawl(real_app.test_client(), STARTS, GIVING)

    assert {page: links for page, links in led.items() if links} == {}
    assert {"/ledger/C001", "/campaigns/C002"} <= led.keys()
    assert any("/disbursements/" in page for page in led) and any("before=" in page for page in led)
    cashier.storage.dispose()


@pytest.mark.parametrize(
    ("name", "desk"), [("charity", "/charity"), ("bank", "/bank"), ("programme", "/programme"), ("children", "/children")]
)
def test_nor_is_whoever_works_for_giving(demo_app: Flask, demonstration: Session, name: str, desk: str) -> None:
    client = demo_app.test_client()
    sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id(name))).one())

    led = crawl(client, (desk, "/account/gifts"), (*DESKS, "/account/gifts"))

    assert {page: links for page, links in led.items() if links} == {}
    assert desk in led and len(led) > 2
