"""The shelves as pages: /search and /categories/<code>."""

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import facets, finding, found, shelves
from listings.finding import SORTS, Question
from listings.index import index
from listings.models import Category
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.formats import language
from search_index import ReadAs, Reading, Sort

bp = Blueprint("browse", __name__)


@bp.get("/search")
@requires("shop.browse")
def search() -> ResponseReturnValue:
    question = finding.read(request.args)
    return page(question, name="", trail=[("/", _("Home")), ("", _("Search"))])


@bp.get("/categories/<code>")
@requires("shop.browse")
def category(code: str) -> ResponseReturnValue:
    if shelf := shelves.find_shelf(code):
        name, above = str(shelf.name), []
    else:
        row = db.session.get(Category, code)
        if row is None:
            raise NotFound(code)
        name, parent = row.name_en if language() == "en" else row.name_zh, shelves.shelf_of(code)
        above = [(f"/categories/{parent.code}", str(parent.name))]
    return page(finding.read(request.args, place=code), name=name, trail=[("/", _("Home")), *above, ("", name)])


def page(question: Question, *, name: str, trail: list[tuple[str, str]]) -> ResponseReturnValue:
    today: date = clock.today()
    page_cache.tags("goods")
    result = found.find(db.session(), index(), question, today)
    return render_template(
        "listings/browse.html",
        question=question,
        found=result,
        panel=facets.panel(db.session(), question, result),
        name=name or heading(question, result.answer.understood),
        readings=[words for reading in result.answer.understood if (words := explained(reading))],
        ways_out=facets.ways_out(question, result.alternatives),
        sorts=[(sort_words(sort), question.url(sort=sort), sort == question.sort) for sort in SORTS],
        trail=trail,
        shelf=shelf_code(question.place),
    )


def heading(question: Question, understood: tuple[Reading, ...]) -> str:
    """What the page is about, in the words that were searched for in the end."""
    text = question.text
    for reading in understood:
        if reading.kind in (ReadAs.PINYIN, ReadAs.INITIALS, ReadAs.CORRECTION) and reading.words:
            text = text.replace(reading.typed, reading.words[0])
    return text or str(_("All goods"))


def explained(reading: Reading) -> str:
    words = _(", ").join(reading.words[:3])
    sentences = {
        ReadAs.PINYIN: _("Found by the pinyin %(typed)s: %(words)s", typed=reading.typed, words=words),
        ReadAs.INITIALS: _("Found by the initials %(typed)s: %(words)s", typed=reading.typed, words=words),
        ReadAs.CORRECTION: _("Read %(typed)s as %(words)s", typed=reading.typed, words=words),
    }
    return str(sentences[reading.kind])


def sort_words(sort: Sort) -> str:
    return {
        Sort.RELEVANCE: str(_("Best first")),
        Sort.UNIT_PRICE: str(_("Cheapest per 500 g")),
        Sort.SALES: str(_("Most sold")),
        Sort.NEWEST: str(_("Newest")),
    }[sort]


def shelf_code(place: str) -> str:
    """The shelf that the bar marks."""
    if not place or shelves.find_shelf(place):
        return place
    return shelves.shelf_of(place).code
