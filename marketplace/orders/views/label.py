"""A parcel's label: 100 by 150 millimetres, black only, in Chinese. Its code leads to the parcel's public page."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from markupsafe import Markup

from marketplace.core.db import db
from marketplace.core.languages import DEFAULT
from marketplace.core.settings import settings
from marketplace.orders import origins, queries

QUIET_ZONE = 4  # modules


@contextmanager
def in_chinese() -> Iterator[None]:
    """Whatever the reader has chosen: the label is for everybody who touches the parcel."""
    kept = g.pop("words", None)
    with force_locale(DEFAULT):
        yield
    g.words = kept
    if kept is None:
        g.pop("words")


def label_page(parcel: str) -> ResponseReturnValue:
    """Raises NotFound."""
    session = db.session()
    order, shown = origins.shown(session, parcel)
    address = f"{settings().base_url.rstrip('/')}{url_for('parcels.show_parcel', parcel=parcel)}"
    import segno  # for labels only; a web process does without

    drawn = segno.make(address, error="m", micro=False).svg_inline(omitsize=True, border=QUIET_ZONE)
    with in_chinese():
        body = render_template(
            "station/label.html",
            parcel=shown,
            order=order,
            province=queries.province_of(session, order.province_code),
            packing=origins.packing(session, parcel),
            batch=origins.batch(shown),
            code=Markup(drawn),
        )
    return body, 200, {"Cache-Control": "no-store"}
