"""What sellers, stations and the province's finance people may enter about payments."""

import re
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond
from marketplace.orders.batches import telling
from marketplace.payments.operator.forms import ANY, DayField, Filter

SHORTEST, LONGEST = 10, 30  # digits of an account number: cards have 16 to 19, accounts of small banks other lengths
APART: Final = re.compile(r"[\s-]+")


def check_number(_form: Any, field: StringField) -> None:
    """Digits alone remain; full-width ones, blanks and hyphens are how people write them down."""
    field.data = APART.sub("", field.data or "")
    if not (field.data.isascii() and field.data.isdigit()):
        raise ValidationError(_("An account number is made of digits only."))
    if not SHORTEST <= len(field.data) <= LONGEST:
        raise ValidationError(
            _(
                "This has %(num)s digits; an account number has %(least)s to %(most)s.",
                num=len(field.data),
                least=SHORTEST,
                most=LONGEST,
            )
        )


class PayoutAccountForm(Form):
    holder = StringField(_l("Account holder"), [Needed(_l("Enter the account holder's name.")), Length(max=60)])
    bank = StringField(_l("Bank and branch"), [Needed(_l("Enter the bank and branch.")), Length(max=60)])
    number = StringField(_l("Account number"), [Needed(_l("Enter the account number.")), check_number])


class VerificationForm(Form):
    number = StringField(
        _l("Account number, from the payee's paper"),
        [Needed(_l("Enter the number as it stands on the paper.")), check_number],
    )
    revision = HiddenField(filters=[dropped_beyond(9)])
    last4_there = HiddenField(filters=[dropped_beyond(9)])  # of the account at the gateway, as it was shown

    @property
    def seen_revision(self) -> int:
        """-1 for rubbish, which no account has."""
        text = str(self.revision.data or "")
        return int(text) if text.isascii() and text.isdigit() else -1


class FreezingForm(Form):
    reason = StringField(_l("Reason"), [Needed(_l("Write down why.")), Length(max=120)])


class BatchesForm(Filter):
    """Looks through batches."""

    text = StringField(
        _l("Words or number"),
        [Optional(), Length(max=100)],
        description=_l("Of the batch, its station, a payee, an end-to-end id, or what the bank said."),
        render_kw={"autocomplete": "off"},
    )
    state = SelectField(
        _l("State"),
        choices=[
            SelectChoice(*ANY),
            *(SelectChoice(str(state), words) for state, (words, _kind) in telling.BATCHES.items()),
        ],
        default="",
    )
    since = DayField(_l("First day"), [Optional()])
    until = DayField(_l("Last day"), [Optional()])


class DraftForm(KeyedForm):
    station = HiddenField(filters=[dropped_beyond(6)])


class DispatchForm(Form):
    way = RadioField(
        _l("How it is paid"),
        [Needed(_l("Choose how it is paid."))],
        choices=[SelectChoice("file", _l("Bank file")), SelectChoice("transfer", _l("Transfers"))],
    )


class ConfirmationForm(Form):
    reference = StringField(_l("Bank reference"), [Optional(), Length(max=60)])


class ReturnForm(Form):
    reason = StringField(
        _l("Reason given by the bank"), [Needed(_l("Write down why the bank returned it.")), Length(max=120)]
    )


class BounceForm(Form):
    reason = StringField(
        _l("Reason given by the bank"), [Needed(_l("Write down why the bank took it back.")), Length(max=120)]
    )


class AnswerForm(Form):
    """The bank's answer as it was shown, to be done now."""

    content = TextAreaField(validators=[Length(max=128 * 1024)])
