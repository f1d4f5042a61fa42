"""What a person may enter about themselves."""

from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from marketplace.accounts import passwords, people
from marketplace.core.forms import Form

LONGEST_CARRIED: Final = 40_000  # a form that waits for its sender to sign in


def digits_only(text: str | None) -> str | None:
    """Codes are pasted with spaces and hyphens."""
    return "".join(text.split()).replace("-", "") if text else text


def carried() -> Any:
    return HiddenField(validators=[Length(max=LONGEST_CARRIED)])


class AddressForm(Form):
    """A phone number or an e-mail, by which somebody comes in."""

    address = StringField(_l("Phone number or e-mail"), [InputRequired(), Length(max=people.LONGEST_EMAIL)])
    next = carried()
    resume = carried()

    def validate_address(self, field: StringField) -> None:
        typed = str(field.data or "")
        if "@" not in typed:
            typed = typed.replace(" ", "").replace("-", "").removeprefix("+86")
        if typed.isdigit() and not people.is_phone(typed):
            if len(typed) != 11:
                raise ValidationError(_("This has %(num)s digits; a mobile number has 11.", num=len(typed)))
            raise ValidationError(_("This is no Chinese mobile number."))
        if not (people.is_phone(typed) or people.is_email(typed)):
            raise ValidationError(_("Enter a mobile number of 11 digits, or an e-mail address."))
        field.data = typed


class CodeForm(AddressForm):
    code = HiddenField()
    digits = StringField(_l("Code"), [InputRequired(), Length(max=20)], filters=[digits_only])


class PasswordForm(AddressForm):
    password = PasswordField(_l("Password"), [InputRequired(), Length(max=passwords.LONGEST)])


class SecondFactorForm(Form):
    digits = StringField(_l("Code of your authenticator"), [InputRequired(), Length(max=20)], filters=[digits_only])
    next = carried()
    resume = carried()


class EnrolmentForm(Form):
    digits = StringField(_l("Code of your authenticator"), [InputRequired(), Length(max=20)], filters=[digits_only])
    secret = HiddenField()
    next = carried()


class NameForm(Form):
    name = StringField(_l("Name"), [InputRequired(), Length(max=40)])


class NewPasswordForm(Form):
    current_password = PasswordField(_l("Current password"), [Length(max=passwords.LONGEST)])
    password = PasswordField(_l("New password"), [InputRequired(), Length(max=passwords.LONGEST)])
