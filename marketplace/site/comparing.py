"""/compare: up to four packs side by side, above all by what the same measure of them costs. The address says which."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from listings import alike, finding
from listings.alike import Alike
from listings.following import goods
from marketplace.accounts.permissions import requires
from marketplace.core import page_cache
from marketplace.core.db import db
from marketplace.core.records import record
from marketplace.orders.estimates import destinations
from marketplace.orders.estimates.arriving import Estimate
from marketplace.site import product
from marketplace.site.product import Page

bp = Blueprint("comparing", __name__)
MOST: Final = 4
ITEMS: Final = "items"
Measured = tuple[str, str]  # measure, and the measure word of pieces: what has the same compares


@record
class Column:
    """One pack. `measure_fen`: per 500 g, litre or piece; None without a measure. `is_best`: none of its kind costs less."""

    page: Page
    measure_fen: int | None
    is_best: bool
    estimate: Estimate
    without: str  # the address of the same comparison without it

    @property
    def code(self) -> str:
        return self.page.pack.code


@record
class Comparison:
    columns: tuple[Column, ...]
    measures: int  # how many kinds of measure there are among them; what has none is a kind of its own
    missing: int  # packs of the address that are not for sale now
    is_too_much: bool
    others: tuple[tuple[Alike, str], ...]  # what could be added, and the address with it


@bp.get("/compare")
@requires("shop.browse")
def show() -> ResponseReturnValue:
    session = db.session()
    to = destinations.current(session)
    asked = codes(request.args.getlist(ITEMS))
    compared = compare(session, asked, to.code)
    tags = (f"listing:{column.page.product.code}" for column in compared.columns)
    page_cache.tags("goods", *tags)
    return destinations.remember(make_response(render_template("site/compare.html", compared=compared, to=to)), to)


def codes(values: Iterable[str]) -> tuple[str, ...]:
    """Of packs, each once, in their order: "A,B" and "items=A&items=B" are the same. What cannot be a code is left out."""
    return finding.codes(code for value in values for code in value.split(","))


def compare(session: Session, asked: Sequence[str], province: str) -> Comparison:
    wanted = asked[:MOST]
    found = goods.find(session, wanted)
    shown = [code for code in wanted if code in found and found[code].is_for_sale]
    pages = [product.read(session, found[code].listing, code) for code in shown]
    kinds = Counter(measured(page) for page in pages)
    best = cheapest(pages)
    columns = tuple(
        Column(
            page,
            measure_fen(page),
            kinds[measured(page)] > 1 and measure_fen(page) is not None and measure_fen(page) == best[measured(page)],
            product.estimate(session, page.product, page.pack, province),
            address(other for other in shown if other != page.pack.code),
        )
        for page in pages
    )
    others = suggested(session, pages, shown) if len(shown) < MOST else ()
    return Comparison(columns, len(kinds), len(wanted) - len(shown), len(asked) > MOST, others)


def measured(page: Page) -> Measured:
    return page.pack.measure, page.pack.piece


def measure_fen(page: Page) -> int | None:
    return alike.measure_fen(page.pack.price_fen, page.pack.measure, page.pack.measure_amount)


def cheapest(pages: Sequence[Page]) -> dict[Measured, int]:
    """The least that a measure of each kind costs among these."""
    least: dict[Measured, int] = {}
    for page in pages:
        fen = measure_fen(page)
        if fen is not None:
            least[measured(page)] = min(fen, least.get(measured(page), fen))
    return least


def suggested(session: Session, pages: Sequence[Page], shown: Sequence[str]) -> tuple[tuple[Alike, str], ...]:
    """The cheapest of the first one's category that are measured as it is."""
    if not pages:
        return ()
    first, listed = pages[0], {page.product.code for page in pages}
    found = alike.cheapest(session, first.product.category[0], *measured(first))
    return tuple((each, address([*shown, each.variant])) for each in found if each.listing not in listed)[:MOST]


def address(shown: Iterable[str]) -> str:
    listed = ",".join(shown)
    return f"/compare?{urlencode({ITEMS: listed}, safe=',')}" if listed else "/compare"
