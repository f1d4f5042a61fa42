"""What a clerk copies from the bank's slip, and finance from the bank's statement of account."""

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.fields import AmountField, check_year
from marketplace.core import clock
from marketplace.core.forms import Form, KeyedForm

MOST_FEN = 100_000_000


class SumField(AmountField):
    most = MOST_FEN


class DepositForm(KeyedForm):
    amount = SumField(_l("Paid in, yuan"), [InputRequired(_l("How much does the slip say?"))])
    slip_number = StringField(_l("Number of the slip"), [InputRequired(_l("Enter the number of the slip.")), Length(max=40)])
    paid_on = DateField(_l("Day on the slip"), [InputRequired(_l("Please write a day like this: 2026-10-09.")), check_year])

    def validate_paid_on(self, field: DateField) -> None:
        if field.data is not None and field.data > clock.today():
            raise ValidationError(_("This day has not come yet."))


class FoundForm(Form):
    found = SumField(_l("On the bank's statement, yuan"), [InputRequired(_l("Enter the sum that came."))])
    why = StringField(_l("Where the sums differ: why"), [Optional(), Length(max=200)])


class DrawnForm(Form):
    number = StringField(
        _l("Number of the bank"), [InputRequired(_l("Enter the bank's number of the transfer.")), Length(max=40)]
    )
