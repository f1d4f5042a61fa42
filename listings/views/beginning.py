"""The category: what both doors of listing ask first, and what a draft can still change."""

from collections.abc import Sequence
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import select

from listings.forms import BeginForm, DraftForm
from listings.models import Category
from marketplace.core.db import db
from marketplace.core.formats import language
from marketplace.core.forms import SelectChoice

F = TypeVar("F", bound=BeginForm | DraftForm)


def with_categories(form: F) -> F:
    """Second-level categories under the name of their parent."""
    names = (Category.name_zh, Category.name_en, Category.position)
    rows = db.session.execute(select(Category.code, Category.parent_code, *names).order_by(Category.position)).all()
    words = {row.code: row.name_en if language() == "en" else row.name_zh for row in rows}
    below = sorted((row for row in rows if row.parent_code), key=lambda row: place_of(rows, row.parent_code))
    named = [SelectChoice(row.code, words[row.code], optgroup=words[row.parent_code]) for row in below]
    nothing_yet = [] if isinstance(form, DraftForm) else [SelectChoice("", _("Choose"))]  # none is theirs before they looked
    form.category.choices = [*nothing_yet, *named]
    return form


def place_of(rows: Sequence[Any], code: str) -> int:
    return next(place for place, row in enumerate(rows) if row.code == code)
