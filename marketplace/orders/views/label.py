"""Parcels' labels: 100 by 150 millimetres, black only, in Chinese. Their codes lead to the parcels' public pages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from marketplace.core.db import db
from marketplace.core.languages import DEFAULT, speaking
from marketplace.orders.models import Parcel
from marketplace.orders.papers import labels
from marketplace.orders.papers.labels import QUIET_ZONE, Label


@contextmanager
def in_chinese() -> Iterator[None]:
    """Whatever the reader has chosen: a label is for everybody who touches its parcel."""
    kept = g.pop("words", None)
    with speaking(DEFAULT):
        yield
    g.words = kept
    if kept is None:
        g.pop("words")


def label_page(parcel: Parcel) -> ResponseReturnValue:
    """Of one parcel, which was paid for."""
    found = labels.of(db.session(), [parcel.id])
    back = {"back": url_for("desk.show_parcel", parcel=parcel.public_id)}
    with in_chinese():
        title = _("Label %(number)s", number=f"{found[0].order.number}-{parcel.number}")
        return labels_page(found, title=title, back_words=_("Back to the parcel"), pdf="", **back)


def labels_page(found: Sequence[Label], **words: Any) -> ResponseReturnValue:
    """To be called `in_chinese`."""
    codes = [Markup(drawing(label, omitsize=True)) for label in found]
    body = render_template("papers/labels.html", labels=found, codes=codes, **words)
    return body, 200, {"Cache-Control": "no-store"}


def drawing(label: Label, **how: Any) -> str:
    """The label's code as SVG."""
    import segno  # for labels only; a web process does without

    return str(segno.make(label.address, error="m", micro=False).svg_inline(border=QUIET_ZONE, **how))
