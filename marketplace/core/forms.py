"""What every form does to what people type, before any rule looks at it."""

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Final

from flask_babel import LazyString, get_locale, lazy_gettext as _l
from wtforms import (  # type: ignore[attr-defined]  # the stubs do not know SelectChoice yet
    Form as PlainForm,
    HiddenField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.i18n import get_translations
from wtforms.validators import Length, StopValidation

from marketplace.core import ids

__all__ = ["Form", "KeyedForm", "Needed", "SelectChoice", "dropped_beyond", "tidy"]

LONGEST_LINE: Final = 200
LONGEST_TEXT: Final = 4000
LARGEST_NUMBER: Final = 10**15  # more than anything we count, and still a float: NumberRange asks whether it is one
UNSEEN: Final = "\u115f\u1160\u2800\u3164\uffa0"  # letters by their category, but nothing is to be seen of them

FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
PLAIN: Final = str.maketrans("\u3000．－＋＠＿￥", " .-+@_¥") | FULL_WIDTH


def tidy(text: Any) -> Any:
    """Full-width letters and digits become plain; spaces at the ends and control characters go.

    Chinese punctuation stays: a story has its own commas."""
    if not isinstance(text, str):
        return text
    plain = unicodedata.normalize("NFC", text).translate(PLAIN)
    return "".join(letter for letter in plain if letter in "\n\t" or unicodedata.category(letter)[0] != "C").strip()


def dropped_beyond(longest: int) -> Callable[[Any], Any]:
    """A filter for what a page carries on by itself: too long, it is not ours, and nobody could mend it by hand."""
    return lambda text: "" if isinstance(text, str) and len(text) > longest else text


def bounded(number: Any) -> Any:
    """What is larger than anything we count is as large as that: each field's own range says what would be right."""
    return max(-LARGEST_NUMBER, min(number, LARGEST_NUMBER)) if isinstance(number, int) else number


def is_something(entry: Any) -> bool:
    return bool("".join(tidy(entry).split()).strip(UNSEEN) if isinstance(entry, str) else entry)


class Needed:
    """Something has to be entered: blanks and signs that nobody sees are nothing. `said` tells what to enter."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __init__(self, said: LazyString) -> None:
        self.said = said

    def __call__(self, form: PlainForm, field: Any) -> None:
        sent = field.raw_data or ()
        if sent and isinstance(field, StringField):
            sent = (field.data,)  # what the field's own filters left of it
        if not any(is_something(entry) for entry in sent):
            field.errors = []  # "not a number" says less than what is missing
            raise StopValidation(str(self.said))


@cache
def messages_of_wtforms(language: str) -> Any:
    return get_translations((language,))


class Messages:
    """What WTForms says by itself, in the house's voice where it has words of its own for it."""

    OWN: ClassVar[dict[str, LazyString]] = {
        "This field is required.": _l("Please fill this in."),
        "Not a valid choice.": _l("Please choose one of these."),
        "Not a valid choice": _l("Please choose one of these."),
        "Invalid Choice: could not coerce.": _l("Please choose one of these."),
        "'%(value)s' is not a valid choice for this field.": _l("Please choose one of these."),
        "Field cannot be longer than %(max)d character.": _l(
            "At most %(max)d characters fit in here; now there are %(length)d."
        ),
        "Field must be at least %(min)d character long.": _l(
            "At least %(min)d characters are needed; now there are %(length)d."
        ),
        "Field must be between %(min)d and %(max)d characters long.": _l(
            "It has %(min)d to %(max)d characters; now there are %(length)d."
        ),
        "Not a valid integer value.": _l("Enter a whole number, such as 2."),
        "Number must be between %(min)s and %(max)s.": _l("Enter a number from %(min)s to %(max)s."),
        "Number must be at least %(min)s.": _l("Enter a number from %(min)s on."),
        "Not a valid date value.": _l("Please write a day like this: 2026-10-09."),
    }

    def __init__(self, language: str) -> None:
        self.theirs = messages_of_wtforms(language)

    def gettext(self, text: str) -> str:
        return str(self.OWN[text]) if text in self.OWN else str(self.theirs.gettext(text))

    def ngettext(self, one: str, many: str, number: int) -> str:
        return str(self.OWN[one]) if one in self.OWN else str(self.theirs.ngettext(one, many, number))


class Form(PlainForm):
    """A WTForms form whose text is tidied and bounded, and whose messages speak the visitor's language."""

    class Meta:
        def get_translations(self, form: PlainForm) -> Any:
            return Messages("zh" if str(get_locale()).startswith("zh") else "en")

        def bind_field(self, form: PlainForm, unbound_field: Any, options: dict[str, Any]) -> Any:
            kind = unbound_field.field_class
            if issubclass(kind, (StringField, SelectField)) and not issubclass(kind, PasswordField):
                options = {**options, "filters": (tidy, *unbound_field.kwargs.get("filters", ()))}
            if issubclass(kind, IntegerField):
                options = {**options, "filters": (bounded, *unbound_field.kwargs.get("filters", ()))}
            return unbound_field.bind(form=form, **options)

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """As WTForms does it; text without a Length of its own has the house's."""
        bounds: dict[str, list[Any]] = {name: list(more) for name, more in (extra_validators or {}).items()}
        for name, field in self._fields.items():
            if isinstance(field, StringField) and not any(isinstance(rule, Length) for rule in field.validators):
                longest = LONGEST_TEXT if isinstance(field, TextAreaField) else LONGEST_LINE
                bounds.setdefault(name, []).append(Length(max=longest))
        return bool(super().validate(bounds))


class KeyedForm(Form):
    """A form that creates something: its key makes a repeated submit harmless."""

    idempotency_key = HiddenField(filters=[dropped_beyond(64)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.idempotency_key.data:
            self.idempotency_key.data = ids.public_id()

    def idempotency(self, scope: str) -> tuple[str, str, Mapping[str, Any]]:
        """(scope, key, body) for `idempotency.once`; the body is what the person entered."""
        body = {name: value for name, value in self.data.items() if name != "idempotency_key"}
        return scope, str(self.idempotency_key.data), body


def says_yes_and_why_not(form: Any) -> bool:
    """Whoever wrote why not and pressed yes has slipped: nothing is decided. (Enter in a field decides nothing at all:
    `forms.undecided()` in the template.)"""
    if form.reason.data:
        form.reason.errors = [_l("You wrote a reason against it: press the button below it, or empty this field.")]
    return bool(form.reason.data)
