"""What a person may enter about themselves."""

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace.accounts import passwords, people
from marketplace.accounts.tokens import DAYS, KINDS, TokenScope
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond

LONGEST_PATH: Final = 2_000
LONGEST_CARRIED: Final = 40_000  # a form that waits for its sender to sign in


def digits_only(text: str | None) -> str | None:
    """Codes are pasted with spaces and hyphens."""
    return "".join(text.split()).replace("-", "") if text else text


def carried(longest: int) -> Any:
    """Goes along unseen; too long, it stays behind without a word, since nobody typed it."""
    return HiddenField(validators=[Length(max=longest)], filters=[dropped_beyond(longest)])


class AddressForm(Form):
    """A phone number or an e-mail, by which somebody comes in."""

    address = StringField(
        _l("Phone number or e-mail"),
        [Needed(_l("Enter your mobile number or e-mail.")), Length(max=people.LONGEST_EMAIL)],
    )
    next = carried(LONGEST_PATH)
    resume = carried(LONGEST_CARRIED)

    def validate_address(self, field: StringField) -> None:
        typed = people.normalised(str(field.data or ""))
        if typed.isdigit() and not people.is_phone(typed):
            if len(typed) != 11:
                raise ValidationError(_("This has %(num)s digits; a mobile number has 11.", num=len(typed)))
            raise ValidationError(_("This is not a Chinese mobile number."))
        if not (people.is_phone(typed) or people.is_email(typed)):
            raise ValidationError(_("Enter a mobile number of 11 digits, or an e-mail address."))
        field.data = typed


class CodeForm(AddressForm):
    code = carried(64)
    digits = StringField(_l("Code"), [Needed(_l("Enter the six digits we sent.")), Length(max=20)], filters=[digits_only])


class PasswordForm(AddressForm):
    password = PasswordField(_l("Password"), [Needed(_l("Enter your password.")), Length(max=passwords.LONGEST)])


def authenticator_code() -> Any:
    rules = [Needed(_l("Enter the six digits your authenticator shows.")), Length(max=20)]
    return StringField(_l("Code of your authenticator"), rules, filters=[digits_only])


class SecondFactorForm(Form):
    digits = authenticator_code()
    next = carried(LONGEST_PATH)
    resume = carried(LONGEST_CARRIED)


class EnrolmentForm(Form):
    digits = authenticator_code()
    secret = carried(64)
    next = carried(LONGEST_PATH)


class NameForm(Form):
    name = StringField(_l("Name"), [Needed(_l("Enter your name.")), Length(max=40)])


class NewPasswordForm(Form):
    current_password = PasswordField(_l("Current password"), [Length(max=passwords.LONGEST)])
    password = PasswordField(_l("New password"), [Needed(_l("Enter a new password.")), Length(max=passwords.LONGEST)])


def days_choice(days: int) -> SelectChoice:
    return SelectChoice(str(days), _l("%(number)s days", number=days))


class TokenForm(KeyedForm):
    name = StringField(_l("Which program is it for?"), [Needed(_l("Write which program it is for.")), Length(max=40)])
    scopes = SelectMultipleField(
        _l("What it may do"),
        [Needed(_l("Choose what it may do."))],
        choices=[SelectChoice(scope.value, kind.words) for scope, kind in KINDS.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    days = SelectField(
        _l("Good for how long"),
        [Needed(_l("Choose how long it is good."))],
        choices=[days_choice(days) for days in DAYS],
    )

    def offer(self, scopes: Sequence[TokenScope], most_days: int) -> None:
        """Only what this person can give away."""
        self.scopes.choices = [SelectChoice(scope.value, KINDS[scope].words) for scope in scopes]
        self.days.choices = [days_choice(days) for days in DAYS if days <= most_days]
