"""What operators may ask for and do on the pages of payments."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import DateField, FileField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from marketplace.core.forms import Form, KeyedForm, Needed
from marketplace.core.money import without_thousands
from marketplace.payments.operator.words import BOOKS, PARKED, PURPOSES, Words

YUAN: Final = re.compile(r"\d{1,10}(\.\d{1,2})?")
FIRST_YEAR, LAST_YEAR = 2000, 2100
ANY: Final = ("", _l("any"))


class DayField(DateField):
    """A day, as browsers send it; rubbish is answered by an example."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist if any(valuelist) else [])
        except ValueError:
            raise ValueError(_("Such as 2026-10-09.")) from None
        if self.data and not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            raise ValueError(_("Such as 2026-10-09."))


NUMBERS: Final = _l("Of the order, gift, payment or refund, ours or the provider's.")


class Filter(Form):
    """By GET: everything may be left out."""

    @property
    def typed(self) -> dict[str, str]:
        """What was asked for, as it stands in an address."""
        return {name: str(value) for name, value in self.data.items() if value}


class FilterForm(Filter):
    number = StringField(_l("Number"), [Optional(), Length(max=100)], description=NUMBERS, render_kw={"autocomplete": "off"})
    state = SelectField(_l("State"))
    purpose = SelectField(_l("What for"))
    since = DayField(_l("First day"), [Optional()])
    until = DayField(_l("Last day"), [Optional()])
    least = StringField(_l("At least, yuan"), [Optional(), Length(max=20)], render_kw={"inputmode": "decimal"})
    most = StringField(_l("At most, yuan"), [Optional(), Length(max=20)], render_kw={"inputmode": "decimal"})

    def __init__(self, *args: Any, states: Mapping[str, Words], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.choices = [ANY, *((str(state), words) for state, (words, _kind) in states.items())]
        self.purpose.choices = [ANY, *PURPOSES.items()]
        for field in (self.state, self.purpose):
            field.data = field.data or ""

    def validate_least(self, field: StringField) -> None:
        yuan(field)

    def validate_most(self, field: StringField) -> None:
        yuan(field)

    @property
    def least_fen(self) -> int | None:
        return fen_of(self.least)

    @property
    def most_fen(self) -> int | None:
        return fen_of(self.most)


class ParkedForm(Filter):
    """Looks through what is in suspense."""

    text = StringField(
        _l("Words or number"),
        [Optional(), Length(max=100)],
        description=_l("Of the payment, the order or gift, the refund, or its reason."),
        render_kw={"autocomplete": "off"},
    )
    kind = SelectField(_l("Kind"), default="")
    book = SelectField(_l("Book"), default="")
    since = DayField(_l("First day"), [Optional()])
    until = DayField(_l("Last day"), [Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [ANY, *PARKED.items()]
        self.book.choices = [ANY, *BOOKS.items()]
        for field in (self.kind, self.book):
            field.data = field.data or ""


def yuan(field: StringField) -> None:
    if not YUAN.fullmatch(plain(field)):
        raise ValidationError(_("Write the sum in digits with at most two decimals, such as 4815.00."))


def plain(field: StringField) -> str:
    return without_thousands(field.data or "").removeprefix("¥").removesuffix("元").strip()


def fen_of(field: StringField) -> int | None:
    return int(Decimal(plain(field)) * 100) if plain(field) else None


class AnswerForm(Form):
    """What we hold against a dispute."""

    words = TextAreaField(_l("What happened"), [Needed(_l("Please say what happened.")), Length(max=5000)])
    paper = FileField(_l("A paper that proves it"))


class WhyForm(KeyedForm):
    """Whoever intervenes says why; it is kept."""

    why = StringField(_l("Why"), [Needed(_l("Please say why. It is kept.")), Length(max=300)])

    def __init__(self, *args: Any, label: LazyString | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label is not None:
            self.why.label.text = str(label)
