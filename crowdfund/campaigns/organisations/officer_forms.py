"""Whom the province names as an organisation's officer."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from marketplace.accounts import people
from marketplace.core.forms import Form, KeyedForm, SelectChoice

ROLES: Final[dict[str, LazyString]] = {
    "charity_officer": _l("Officer: makes campaigns, asks for payments"),
    "charity_approver": _l("Approver: reviews campaigns, approves payments"),
}


class OfficerForm(KeyedForm):
    address = StringField(_l("Phone number or e-mail of their account"), [InputRequired(), Length(max=254)])
    role = RadioField(_l("Role"), [InputRequired()], choices=[SelectChoice(*role) for role in ROLES.items()])

    def validate_address(self, field: StringField) -> None:
        typed = people.normalised(field.data or "")
        if not (people.is_phone(typed) or people.is_email(typed)):
            raise ValidationError(_("That is neither a mobile number nor an e-mail address."))


class RemovalForm(Form):
    why = StringField(_l("Why"), [Length(max=200)])
