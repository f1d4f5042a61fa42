"""What institutions, the province and stations may enter."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import DateField, IntegerField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from listings.forms import YuanField
from marketplace.core import clock
from marketplace.core.formats import language
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice
from marketplace.orders.forms import WholeNumberField, check_phone
from marketplace.orders.institutions import credit_codes
from marketplace.orders.institutions.checking import Claim
from marketplace.orders.institutions.keeping import LARGEST_LIMIT, PAYER, PURCHASER
from marketplace.orders.remaining import LineLeft

YUAN: Final = 100
KINDS: Final[dict[str, LazyString]] = {
    "canteen": _l("Canteen"),
    "school": _l("School"),
    "hospital": _l("Hospital"),
    "company": _l("Company"),
}
ROLES: Final[dict[str, LazyString]] = {
    PURCHASER: _l("orders and checks"),
    PAYER: _l("orders, checks and pays"),
}
REASONS: Final[dict[str, LazyString]] = {
    "missing": _l("missing"),
    "damaged": _l("damaged"),
    "wrong": _l("not what was ordered"),
    "lighter": _l("too light"),
}


def offered(words: Mapping[str, LazyString]) -> list[SelectChoice]:
    return [SelectChoice(value, word) for value, word in words.items()]


class ApplicationForm(KeyedForm):
    name = StringField(_l("Name of the institution"), [Needed(_l("Enter its full name.")), Length(max=80)])
    credit_code = StringField(_l("Unified social credit code"), [Needed(_l("Enter its 18 characters.")), Length(max=40)])
    kind = RadioField(_l("Kind of institution"), choices=offered(KINDS), default="canteen")
    place = StringField(_l("County or city"), [Needed(_l("Enter where it is.")), Length(max=40)])
    contact = StringField(_l("Who answers for it"), [Needed(_l("Enter a name.")), Length(max=40)])
    phone = StringField(_l("Mobile number"), [Needed(_l("Enter a mobile number.")), check_phone])
    invoice_title = StringField(_l("Invoice title"), [Needed(_l("Enter the name for the invoice.")), Length(max=80)])

    def validate_credit_code(self, field: StringField) -> None:
        typed = "".join((field.data or "").split()).replace("-", "").upper()
        if len(typed) != 18:
            raise ValidationError(_("This has %(num)s characters; the code has 18.", num=len(typed)))
        if not credit_codes.is_valid(typed):
            raise ValidationError(_("There is a mistake in this code. Compare it with the business licence."))
        field.data = typed


class DecisionForm(Form):
    why = StringField(_l("Reason"), [Optional(), Length(max=200)])


class ReasonForm(Form):
    why = StringField(_l("Reason"), [Needed(_l("Write down why. The institution reads it.")), Length(max=200)])


class TermsForm(Form):
    limit_yuan = IntegerField(
        _l("May owe at most (yuan)"), [InputRequired(_l("Enter a sum.")), NumberRange(0, LARGEST_LIMIT // YUAN)]
    )
    statement_day = IntegerField(_l("Day of the statement"), [InputRequired(_l("Enter a day.")), NumberRange(1, 28)])
    days_to_pay = IntegerField(_l("Days to pay"), [InputRequired(_l("Enter a number of days.")), NumberRange(1, 90)])

    @property
    def terms(self) -> dict[str, int]:
        days = {"statement_day": int(self.statement_day.data or 0), "days_to_pay": int(self.days_to_pay.data or 0)}
        return {**days, "limit_fen": int(self.limit_yuan.data or 0) * YUAN}


class InvoiceForm(Form):
    number = StringField(_l("Invoice number"), [Needed(_l("Enter the number of the invoice.")), Length(max=40)])
    invoiced_on = DateField(_l("Date of the invoice"), [InputRequired(_l("Please write a day like this: 2026-10-09."))])


class SentForm(Form):
    """A line of the bank's own statement of account."""

    number = StringField(_l("Number of the bank"), [Needed(_l("Enter the bank's number of the transfer.")), Length(max=40)])
    on = DateField(_l("Day of the transfer"), [InputRequired(_l("Please write a day like this: 2026-10-09."))])

    def validate_on(self, field: DateField) -> None:
        if field.data is not None and field.data > clock.today():
            raise ValidationError(_("This day has not come yet."))

    @property
    def told(self) -> dict[str, Any]:
        return {"number": str(self.number.data).upper(), "on": self.on.data}


class TransferForm(SentForm):
    sum = YuanField(_l("Sum that came, yuan"), [Needed(_l("Enter the sum that came."))])


class MemberForm(Form):
    address = StringField(
        _l("Their phone number or e-mail"), [Needed(_l("Enter a phone number or an e-mail.")), Length(max=100)]
    )
    role = RadioField(_l("What they may do"), choices=offered(ROLES), default=PURCHASER)


class AppealForm(Form):
    words = TextAreaField(_l("What the province should know"), [Needed(_l("Write down what happened.")), Length(max=500)])


class JudgementForm(Form):
    """The province's answer."""

    why = TextAreaField(_l("Reason"), [Needed(_l("Write down why. The institution reads it.")), Length(max=300)])


class AnswerForm(Form):
    why = TextAreaField(_l("Answer"), [Optional(), Length(max=300)])


class CheckForm(KeyedForm):
    """What is not right with a parcel; `check_form` adds three fields for each line."""

    words = TextAreaField(_l("What is wrong"), [Optional(), Length(max=300)])
    lines: tuple[LineLeft, ...] = ()

    def fields_of(self, line: str) -> tuple[Any, Any, Any]:
        return self[f"rejected-{line}"], self[f"grams-{line}"], self[f"reason-{line}"]

    @property
    def claims(self) -> dict[str, Claim]:
        """By the lines' public ids; a line with which nothing is wrong has none."""
        found: dict[str, Claim] = {}
        for line in self.lines:
            rejected, grams, reason = self.fields_of(line.public_id)
            if rejected.data or grams.data is not None:
                found[line.public_id] = Claim(int(rejected.data or 0), grams.data, str(reason.data))
        return found


def check_form(lines: Sequence[LineLeft], sent: Any) -> CheckForm:
    """The form for these lines; `sent` is what came in."""
    fields: dict[str, Any] = {"lines": tuple(lines)}
    for line in lines:
        too_many = _l("Between 0 and %(number)s.", number=line.units)
        fields[f"rejected-{line.public_id}"] = WholeNumberField(
            _l("Packs you do not accept"), [Optional(), NumberRange(0, line.quantity, message=too_many)], default=0
        )
        fields[f"grams-{line.public_id}"] = WholeNumberField(
            _l("The others weigh together (grams)"), [Optional(), NumberRange(0, 100_000_000)]
        )
        fields[f"reason-{line.public_id}"] = RadioField(_l("Why"), choices=offered(REASONS), default="missing")
    form: CheckForm = type("CheckFormOfLines", (CheckForm,), fields)(sent)
    return form


def title_of(line: LineLeft) -> str:
    return line.title_en if language() == "en" and line.title_en else line.title_zh
