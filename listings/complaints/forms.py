"""What is pointed out, and what is asked of the province."""

from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from listings.complaints import words
from listings.complaints.states import Fault
from marketplace.accounts.people import is_email, is_phone, normalised
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond

LONGEST: Final = 500


class ComplaintForm(KeyedForm):
    fault = RadioField(_l("What is wrong?"), [Needed(_l("Choose what is wrong."))])
    words = TextAreaField(_l("What have you seen?"), [Needed(_l("Write down what you have seen.")), Length(max=LONGEST)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fault.choices = [SelectChoice(fault.value, str(said)) for fault, said in words.FAULTS.items()]

    @property
    def chosen(self) -> Fault:
        return Fault(str(self.fault.data))


class GuestComplaintForm(ComplaintForm):
    """Of somebody without an account, who may leave where to tell them what was decided."""

    contact = StringField(_l("Mobile number or e-mail"), [Optional(), Length(max=100)])

    def validate_contact(self, field: StringField) -> None:
        text = normalised(field.data or "")
        if text and not (is_phone(text) or is_email(text)):
            raise ValidationError(_("This is neither a mobile number of 11 digits nor an e-mail address."))
        field.data = text


class StationComplaintForm(ComplaintForm):
    goods = StringField(_l("Number of the goods"), [Needed(_l("Enter the number of the goods.")), Length(max=30)])


class SecondLookForm(Form):
    words = TextAreaField(
        _l("What have you mended, or what was misunderstood?"),
        [Needed(_l("Write a sentence about it.")), Length(max=LONGEST)],
    )


class DecisionForm(Form):
    """`seen`: what the page showed of what it decides, so that nobody decides what they have not read."""

    seen = HiddenField(filters=[dropped_beyond(40)])
    reason = StringField(_l("Reason"), [Needed(_l("Write down why.")), Length(max=200)])
