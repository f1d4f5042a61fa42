"""Weights as people type them: in jin, on English pages in kilograms."""

import re
from decimal import Decimal
from typing import Any, Final

from flask_babel import LazyString, gettext as _
from wtforms import StringField, ValidationError

from marketplace.core.formats import language

JIN, KILOGRAM = "jin", "kg"
GRAMS_IN: Final = {JIN: 500, KILOGRAM: 1000}
WEIGHT: Final = re.compile(r"\d{1,6}(\.\d{1,3})?")


def unit() -> str:
    return KILOGRAM if language() == "en" else JIN


def in_unit(grams: int | None) -> str:
    """Grams as the page's unit has them: 49.5."""
    return f"{Decimal(grams) / GRAMS_IN[unit()]:f}" if grams else ""


def worded(*, jin: LazyString, kilograms: LazyString) -> LazyString:
    """A field's label, by the unit that its page has."""
    return kilograms if unit() == KILOGRAM else jin


def to_grams(text: str, unit: Any) -> int | None:
    """What was typed on a page in that unit; None for nothing. Call it with what `check_weight` has let through."""
    return int(Decimal(text) * GRAMS_IN.get(str(unit), GRAMS_IN[JIN])) if text else None


def check_weight(_form: Any, field: StringField) -> None:
    if field.data and (not WEIGHT.fullmatch(field.data) or not Decimal(field.data)):
        raise ValidationError(_("Enter a weight in digits, such as 49.5."))
