"""Whoever follows links from the pages of giving, as far as they lead, never comes to a link into the shop.

On the way every page is read as a machine reads it: one h1, no heading's level skipped, no id twice, every picture told."""

import re
from collections import Counter, deque
from html.parser import HTMLParser
from itertools import pairwise
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
DOWNLOADS = (".csv", ".py")
OF_THE_READER = ("lang", "elder")  # the same page in another coat


class Reader(HTMLParser):
    """Where a page leads to, and what is wrong with its skeleton."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.headings: list[int] = []
        self.ids: Counter[str] = Counter()
        self.untold = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        leads = given.get({"a": "href", "area": "href", "form": "action", "button": "formaction"}.get(tag, ""))
        self.links |= {leads} if leads else set()
        self.headings += [int(tag[1])] if tag in {"h1", "h2", "h3", "h4"} else []
        self.ids.update([given["id"] or ""] if "id" in given else [])
        self.untold += tag == "img" and "alt" not in given

    @property
    def faults(self) -> list[str]:
        found = [f"#{name} twice" for name, times in self.ids.items() if times > 1]
        found += [] if self.headings.count(1) == 1 else [f"{self.headings.count(1)} h1"]
        levels = [1, *self.headings]
        found += [f"h{low} under h{high}" for high, low in pairwise(levels) if low > high + 1]
        return found + (["a picture without alt"] if self.untold else [])


def inside(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith((f"{root}/", f"{root}.")) for root in roots)


def plain(base: str, link: str) -> str:
    """Path and question, without what only changes the reader's view."""
    parts = urlsplit(urljoin(base, link))
    asked = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] not in OF_THE_READER])
    return f"{parts.path}?{asked}" if asked else parts.path


def crawl(client: FlaskClient, starts: tuple[str, ...], roots: tuple[str, ...]) -> dict[str, list[str]]:
    """Every page of giving that can be come to, with its faults and what of the shop it leads to."""
    led: dict[str, list[str]] = {}
    ahead = deque(starts)
    while ahead:
        here = ahead.popleft()
        path = urlsplit(here).path
        if here in led or not inside(path, roots) or path.endswith(DOWNLOADS):
            continue
        with client.get(here) as answer:
            if answer.content_type.partition(";")[0] != "text/html":
                continue
            page = answer.get_data(as_text=True)
        reader = Reader(page)
        links = {plain(here, link) for link in reader.links}
        led[here] = [*reader.faults, *(link for link in links if inside(urlsplit(link).path, SHOP))]
        ahead.extend(sorted(links))
    return led


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_stranger_is_never_led_into_the_shop(demo_app: Flask, demonstration: Session, language: str) -> None:
    client = demo_app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language

    led = crawl(client, STARTS, GIVING)

    assert {page: found for page, found in led.items() if found} == {}
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

    assert {page: found for page, found in led.items() if found} == {}
    assert {"/ledger/C001", "/campaigns/C002"} <= led.keys()
    assert any("/disbursements/" in page for page in led) and any("before=" in page for page in led)
    cashier.storage.dispose()


@pytest.mark.parametrize(
    ("name", "desk"),
    [
        ("charity", "/charity"),
        *(pytest.param(each, f"/{each}", marks=pytest.mark.full) for each in ("bank", "programme", "children")),
    ],
)
def test_nor_is_whoever_works_for_giving(demo_app: Flask, demonstration: Session, name: str, desk: str) -> None:
    client = demo_app.test_client()
    sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id(name))).one())

    led = crawl(client, (desk, "/account/gifts"), (*DESKS, "/account/gifts"))

    assert {page: found for page, found in led.items() if found} == {}
    assert desk in led and len(led) > 2


@pytest.mark.parametrize(
    ("path", "colour"), [("/campaigns/none", "give"), ("/pledges/NONE", "pledge"), ("/listings/none", "buy")]
)
def test_a_refusal_has_the_colour_of_its_section(client: FlaskClient, path: str, colour: str) -> None:
    page = client.get(path)
    assert page.status_code == 404
    assert set(re.findall(r"button--(give|pledge|buy)", page.text)) == {colour}
