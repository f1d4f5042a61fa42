"""/station/sheets, /station/labels: what a station prints before it packs, and what it sticks on parcels."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request, stream_template, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.formats import kilograms, language, local_datetime, mask_phone, short_date
from marketplace.orders.batches import typesetting
from marketplace.orders.papers import labels, packing
from marketplace.orders.papers.labels import Label
from marketplace.orders.papers.packing import By
from marketplace.orders.places import within
from marketplace.orders.views.label import drawing, in_chinese, labels_page
from marketplace.stations.models import Station

bp = Blueprint("papers", __name__, url_prefix="/station")
SHEET: Final = Path(__file__).with_name("labels.typ")
SVG: Final = "http://www.w3.org/2000/svg"
PIECES: Final = 2000
NO_STORE: Final = {"Cache-Control": "no-store"}
WORDS: Final[dict[By, LazyString]] = {
    By.SELLER: _l("By grower"),
    By.STATION: _l("By shelf"),
    By.BUYER: _l("By buyer"),
}


@bp.get("/sheets")
@requires("parcel.handle")
def list_sheets() -> ResponseReturnValue:
    """Everything that is printed, in one place."""
    parts = labels.parts(db.session(), g.station)
    return render_template("papers/index.html", kinds=WORDS, parts=parts, **frame()), 200, NO_STORE


def frame() -> dict[str, Any]:
    station = db.session.get_one(Station, g.station)
    return {"station": station, "desk_current": "sheets", "waiting": 0, "today": clock.today()}


@bp.get("/sheets/<kind>")
@requires("parcel.handle")
def show_sheet(kind: str) -> ResponseReturnValue:
    by = kind_of(kind)
    found = packing.groups(db.session(), g.station, by)
    days = {row.leave_by for group in found for row in group.rows}
    shown: dict[str, Any] = {"groups": found, "days": {day: short_date(day, language()) for day in days}}
    page = stream_template("papers/sheet.html", kind=by, words=WORDS[by], **shown, **frame())
    return Response(in_larger_pieces(page), content_type="text/html; charset=utf-8", headers=NO_STORE)


def in_larger_pieces(page: Iterator[str]) -> Iterator[str]:
    """A template speaks in words; each piece costs the server a write."""
    while pieces := list(islice(page, PIECES)):
        yield "".join(pieces)


@bp.get("/sheets/<kind>.csv")
@requires("parcel.handle")
def show_csv(kind: str) -> ResponseReturnValue:
    by = kind_of(kind)
    lines = packing.as_csv(packing.groups(db.session(), g.station, by))
    name = f"attachment; filename=packing-{by}-{clock.today():%Y%m%d}.csv"
    headers = {**NO_STORE, "Content-Disposition": name}
    return Response(stream_with_context(lines), content_type="text/csv; charset=utf-8", headers=headers)


def kind_of(text: str) -> By:
    """Raises NotFound."""
    try:
        return By(text)
    except ValueError:
        raise NotFound(text) from None


@bp.get("/labels")
@requires("parcel.handle")
def show_labels() -> ResponseReturnValue:
    """Of all parcels that are being packed or are packed, a hundred at a time."""
    first, title = print_asked_for()
    found = labels.to_print(db.session(), g.station, first=first)
    with in_chinese():
        words = {"title": title, "back": url_for(".list_sheets"), "back_words": _("Back")}
        return labels_page(found, pdf=url_for(".show_labels_pdf", first=first) if found else "", **words)


def print_asked_for() -> tuple[int, str]:
    """Its first label, and its Chinese title. Raises NotFound where no print begins there."""
    parts, asked = labels.parts(db.session(), g.station), request.args.get("first", "1")
    lasts = {str(first): (first, last) for first, last in parts or [(1, 0)]}
    if asked not in lasts:
        raise NotFound(asked)
    first, last = lasts[asked]
    with in_chinese():
        many = _("Labels %(first)s to %(last)s of %(number)s", first=first, last=last, number=parts[-1][1] if parts else 0)
        return first, many if len(parts) > 1 else _("Labels")


@bp.get("/gift-cards")
@requires("parcel.handle")
def show_cards() -> ResponseReturnValue:
    """Of the presents that are being packed: the buyer's words, and nothing of what was paid."""
    return render_template("papers/cards.html", cards=labels.cards(db.session(), g.station), **frame()), 200, NO_STORE


@bp.get("/labels.pdf")
@requires("parcel.handle")
def show_labels_pdf() -> ResponseReturnValue:
    """Raises NotFound where there is nothing to print."""
    first, title = print_asked_for()
    found = labels.to_print(db.session(), g.station, first=first)
    if not found:
        raise NotFound("labels")
    with in_chinese():
        paper = {"title": title, "labels": [on_paper(label) for label in found]}
    db.session.rollback()  # nobody's place in the pool is kept while the pages are set
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="labels-{clock.today():%Y%m%d}-{first}.pdf"'}
    return Response(typesetting.make(paper, SHEET), headers=headers, mimetype="application/pdf")


def on_paper(label: Label) -> dict[str, Any]:
    """What labels.typ shows: the words of papers/slip.html."""
    parcel, order, station = label.parcel, label.order, label.parcel.station
    place = within(order.city, label.province.name_zh)
    packed = f"{local_datetime(label.packing.at, 'zh')} {label.packing.by}" if label.packing else "________"
    foot = _("Something bad? Take a photo within 48 hours and call %(phone)s for a refund.", phone=station.phone)
    return {
        "station": station.name_zh,
        "number": f"{order.number}-{parcel.row.number}",
        "to": f"{order.recipient}　{mask_phone(order.phone)}",
        "address": _("collected at the station") if parcel.is_pickup else f"{label.province.name_zh} {place} {order.street}",
        "code": drawing(label).replace("<svg ", f'<svg xmlns="{SVG}" ', 1),
        "facts": [
            *contents(label),
            f"{_('Batch')} {label.batch or '________'}",
            f"{_('Packed at, by')} {packed}",
            *([_("a present: no prices")] if label.order.is_gift else []),
            *shelf(label),
            _("Scan it and see where this comes from"),
        ],
        "foot": [foot, *([_("Test money: you are not really charged")] if order.book == "test" else [])],
    }


def contents(label: Label) -> Sequence[str]:
    goods = [f"{line.title_zh} {line.unit_zh} × {line.left}" for line in label.parcel.lines if line.left]
    return [*goods, f"{_('Net weight')} {kilograms(label.parcel.net_weight_grams)}"]


def shelf(label: Label) -> Sequence[str]:
    return [f"{_('Shelf')} {label.parcel.row.shelf}"] if label.parcel.row.shelf else []
