"""The shelves as pages: /search and /categories/<code>."""

import re
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from listings import facets, finding, found, shelves
from listings.finding import SORTS, Question
from listings.following import hearts
from listings.found import Found
from listings.index import index
from listings.models import Category
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.formats import language
from marketplace.core.memory import remembered
from search_index import IndexUnavailable, ReadAs, Reading, Sort

bp = Blueprint("browse", __name__)
HAN: Final = re.compile("[\u4e00-\u9fff]")
BETWEEN_HAN: Final = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
LATIN: Final = re.compile("[a-z]", re.IGNORECASE)


@bp.get("/search")
@requires("shop.browse")
def search() -> ResponseReturnValue:
    return page(finding.read(request.args))


@bp.get("/categories/<code>")
@requires("shop.browse")
def category(code: str) -> ResponseReturnValue:
    return page(finding.read(request.args, place=code))


def page(question: Question) -> ResponseReturnValue:
    page_cache.tags("goods")
    shown = show(db.session(), question)
    hearts_on = hearts.on(db.session(), g.person, (*shown.found.exact, *shown.found.similar))
    here = request.full_path.rstrip("?") if hearts_on else ""
    told = {"page": shown, "question": question, "shelf": shelf_code(question.place)}
    return render_template("listings/browse.html", **told, hearts=hearts_on, here=here)


@dataclass(frozen=True, eq=False)  # the same only as itself: what was rendered of it is kept by it
class Shown:
    """One page of goods with its words and the filters beside it."""

    name: str
    trail: list[tuple[str, str]]
    found: Found
    panel: facets.Panel
    readings: list[str]
    ways_out: list[tuple[str, str, int]]
    sorts: list[tuple[str, str, bool]]


def show(session: Session, question: Question) -> Shown:
    """Raises NotFound for a place that is neither shelf nor category."""
    try:
        return looked_up(session, question)
    except IndexUnavailable:
        return shown(session, question, found.without_index(session, question, clock.today()))


@remembered("goods", kilobytes=110)
def looked_up(session: Session, question: Question) -> Shown:
    """Raises IndexUnavailable."""
    return shown(session, question, found.find(session, index(), question, clock.today()))


def shown(session: Session, question: Question, result: Found) -> Shown:
    trail = trail_of(session, question.place)
    understood = result.answer.understood
    return Shown(
        name=trail[-1][1] if question.place else heading(question, understood),
        trail=trail,
        found=result,
        panel=facets.panel(session, question, result.facets),
        readings=[words for reading in understood if (words := explained(reading))],
        ways_out=facets.ways_out(question, result.alternatives),
        sorts=[(sort_words(sort), question.url(sort=sort), sort == question.sort) for sort in SORTS],
    )


def trail_of(session: Session, place: str) -> list[tuple[str, str]]:
    """The way to a page of goods; the last has no address. Raises NotFound."""
    home = ("/", str(_("Home")))
    if not place:
        return [home, ("", str(_("Search")))]
    if shelf := shelves.find_shelf(place):
        return [home, ("", str(shelf.name))]
    row = session.get(Category, place)
    if row is None:
        raise NotFound(place)
    above = shelves.shelf_of(place)
    name = row.name_en if language() == "en" else row.name_zh
    return [home, (f"/categories/{above.code}", str(above.name)), ("", name)]


def heading(question: Question, understood: tuple[Reading, ...]) -> str:
    """What the page is about: the words that were searched for in the end, or all of them as typed, never half and half."""
    text = question.text
    for reading in understood:
        if reading.words:
            letters = r"\s*".join(re.escape(letter) for letter in reading.typed if not letter.isspace())
            text = re.sub(rf"(?<![a-z]){letters}(?![a-z])", reading.words[0], text, flags=re.IGNORECASE)
    if text == question.text:
        return text or str(_("All products"))
    return question.text if HAN.search(text) and LATIN.search(text) else BETWEEN_HAN.sub("", text)


def explained(reading: Reading) -> str:
    words = _(", ").join(reading.words[:3])
    sentences = {
        ReadAs.WITHOUT: _("Without: %(words)s", words=words),
        ReadAs.PINYIN: _("Matched the pinyin %(typed)s: %(words)s", typed=reading.typed, words=words),
        ReadAs.INITIALS: _("Matched the initials %(typed)s: %(words)s", typed=reading.typed, words=words),
        ReadAs.CORRECTION: _("Read %(typed)s as %(words)s", typed=reading.typed, words=words),
    }
    return str(sentences[reading.kind])


def sort_words(sort: Sort) -> str:
    return {
        Sort.RELEVANCE: str(_("Best match")),
        Sort.UNIT_PRICE: str(_("Cheapest per 500 g")),
        Sort.SALES: str(_("Best selling")),
        Sort.NEWEST: str(_("Newest")),
    }[sort]


def shelf_code(place: str) -> str:
    """The shelf that the bar marks."""
    if not place or shelves.find_shelf(place):
        return place
    return shelves.shelf_of(place).code
