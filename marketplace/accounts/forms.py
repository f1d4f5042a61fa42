"""What a person may enter about themselves."""

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from marketplace.accounts import passwords, people
from marketplace.core.forms import Form


def digits_only(text: str | None) -> str | None:
    """Codes are pasted with spaces and hyphens."""
    return "".join(text.split()).replace("-", "") if text else text


class AddressForm(Form):
    """A phone number or an e-mail, by which somebody comes in."""

    address = StringField(_l("Phone number or e-mail"), [InputRequired(), Length(max=254)])
    next = HiddenField()
    resume = HiddenField()

    def validate_address(self, field: StringField) -> None:
        typed = (field.data or "").replace(" ", "").replace("-", "") if "@" not in (field.data or "") else field.data
        if typed and typed.startswith("+86"):
            typed = typed[3:]
        if typed and typed.isdigit() and not people.is_phone(typed):
            if len(typed) != 11:
                raise ValidationError(_("This has %(num)s digits; a mobile number has 11.", num=len(typed)))
            raise ValidationError(_("This is no Chinese mobile number."))
        if not typed or not (people.is_phone(typed) or people.is_email(typed)):
            raise ValidationError(_("Enter a mobile number of 11 digits, or an e-mail address."))
        field.data = typed


class CodeForm(AddressForm):
    code = HiddenField()
    digits = StringField(_l("Code"), [InputRequired(), Length(max=20)], filters=[digits_only])


class PasswordForm(AddressForm):
    password = PasswordField(_l("Password"), [InputRequired(), Length(max=passwords.LONGEST)])


class SecondFactorForm(Form):
    digits = StringField(_l("Code of your authenticator"), [InputRequired(), Length(max=20)], filters=[digits_only])
    next = HiddenField()
    resume = HiddenField()


class EnrolmentForm(Form):
    digits = StringField(_l("Code of your authenticator"), [InputRequired(), Length(max=20)], filters=[digits_only])
    secret = HiddenField()


class NameForm(Form):
    name = StringField(_l("Name"), [InputRequired(), Length(max=40)])


class NewPasswordForm(Form):
    current = PasswordField(_l("Current password"), [Length(max=passwords.LONGEST)])
    password = PasswordField(_l("New password"), [InputRequired(), Length(max=passwords.LONGEST)])
