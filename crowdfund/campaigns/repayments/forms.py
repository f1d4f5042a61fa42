"""What an officer copies from the bank's statement when a provider has paid back; the bank's paper comes with it."""

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, FileField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.fields import AmountField, check_year
from marketplace.core import clock
from marketplace.core.formats import yuan
from marketplace.core.forms import KeyedForm, Needed

LINE: Final = "line-"


class BackField(AmountField):
    """Of one line of the invoice; `most` is all of it. How much is left says the command: a form sent twice is the same."""

    def __init__(self, *args: Any, most: int, left: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most, self.left = most, left

    def too_much(self) -> str:
        return str(_("At most %(sum)s of this line can come back.", sum=yuan(self.most)))


class RepaymentForm(KeyedForm):
    bank_reference = StringField(_l("The bank's reference"), [Needed(_l("Enter the bank's reference.")), Length(max=60)])
    received_on = DateField(
        _l("Day it arrived"), [InputRequired(_l("Please write a day like this: 2026-10-09.")), check_year]
    )
    why = TextAreaField(_l("Why it came back; everybody reads it"), [Needed(_l("Say why it came back.")), Length(max=200)])
    file = FileField(_l("The bank's paper"))  # the view takes it from the request

    def validate_bank_reference(self, field: StringField) -> None:
        field.data = "".join((field.data or "").upper().split())

    def validate_received_on(self, field: DateField) -> None:
        if field.data is not None and field.data > clock.today():
            raise ValidationError(_("This day has not come yet."))

    @property
    def line_fields(self) -> dict[int, BackField]:
        """By position on the invoice."""
        return {int(name.removeprefix(LINE)): field for name, field in self._fields.items() if isinstance(field, BackField)}

    @property
    def shown_lines(self) -> list[BackField]:
        """Those of which something can still come back, or in which something was typed."""
        return [field for field in self.line_fields.values() if field.left or field.data]

    @property
    def lines(self) -> dict[int, int]:
        """Of a valid form: fen by position on the invoice."""
        return {position: field.fen for position, field in self.line_fields.items() if field.fen}


class CorrectionForm(KeyedForm):
    why = TextAreaField(
        _l("Why it is not there; everybody reads it"), [Needed(_l("Say why it is not there.")), Length(max=200)]
    )


def of_invoice(lines: Sequence[Any], sent: Any = None) -> RepaymentForm:
    """A field for each line (position, what_zh, fen, back)."""
    fields: dict[str, Any] = {}
    for line in lines:
        left = int(line.fen - line.back)
        said = _l("Back of “%(what)s” (at most %(sum)s), yuan", what=line.what_zh, sum=yuan(left))
        fields[f"{LINE}{line.position}"] = BackField(said, [Optional(), Length(max=20)], most=int(line.fen), left=left)
    form: RepaymentForm = type("RepaymentFormOfInvoice", (RepaymentForm,), fields)(sent)
    return form
