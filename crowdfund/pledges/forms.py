"""What savers, banks, schools and stations may enter."""

from datetime import date
from typing import Any, Final, TypeVar

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crowdfund.pledges import telling
from crowdfund.pledges.children import age_band
from crowdfund.pledges.numbers import born, ending, is_card, is_identity, normalise
from crowdfund.pledges.states import BANDS, CLOSINGS, DEVICE, METHODS, NEEDS, PURPOSES, RELATIONS, TIERS, DeviceState
from marketplace.accounts.people import PHONE
from marketplace.core import clock
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice

F = TypeVar("F", bound=Form)
GIVE_A_REASON: Final = _l("Write down why.")
FILL_IN: Final = _l("Please fill this in.")
SIX_DIGITS: Final = r"^[0-9]{6}$"


def without_gaps(text: Any) -> Any:
    """A code as it was read aloud: 200 798 is 200798."""
    return "".join(text.split()).replace("-", "") if isinstance(text, str) else text


def check_phone(_form: Any, field: StringField) -> None:
    """A mobile number of eleven digits."""
    digits = (field.data or "").replace(" ", "").replace("-", "").removeprefix("+86")
    if digits.isdigit() and len(digits) != 11:
        raise ValidationError(_("This has %(num)s digits; a mobile number has 11.", num=len(digits)))
    if not PHONE.fullmatch(digits):
        raise ValidationError(_("This is not a Chinese mobile number."))
    field.data = digits


def not_in_the_future(_form: Any, field: DateField) -> None:
    if field.data and field.data > clock.today():
        raise ValidationError(_("This day is still to come."))


def check_ending(_form: Any, field: StringField) -> None:
    """The last six places of an identity document; of one that is typed whole the rest goes at once."""
    last = ending(field.data or "")
    if not last:
        raise ValidationError(_("Six digits or letters: the last ones of the document."))
    field.data = last


class DayField(DateField):
    """A day, as browsers send it; rubbish is answered by an example."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Such as 2026-10-09.")) from None


class VoucherForm(Form):
    """Bank, number, day of issue. What is wrong is said of the shape only, never of the number."""

    bank = SelectField(_l("Bank"), [InputRequired(message=_l("Please choose the bank."))])
    number = StringField(_l("Voucher number"), [Needed(_l("Please type the number of the voucher.")), Length(max=60)])
    issued_on = DayField(_l("Day of issue"), [InputRequired(message=_l("Such as 2026-10-09.")), not_in_the_future])
    wish = SelectField(_l("Where"), default="")

    def validate_number(self, field: StringField) -> None:
        plain = normalise(field.data or "")
        if is_identity(plain):
            raise ValidationError(_("This is an identity number. Please type the number of the voucher only."))
        if is_card(plain):
            raise ValidationError(_("This is the number of a bank card. Please type the number of the voucher only."))
        if not plain:
            raise ValidationError(_("A voucher number has 6 to 32 letters and digits."))


class RefreshForm(Form):
    wish = SelectField(_l("Where"), default="", validate_choice=False)
    seen = HiddenField(validators=[Regexp(r"^[0-9]$")])


class HoldForm(KeyedForm):
    case = HiddenField(validators=[InputRequired(), Length(max=32)])


class DeclarationForm(Form):
    phone = StringField(_l("Your mobile number"), [Needed(_l("Please type your mobile number.")), check_phone])
    unrelated = BooleanField(_l("I am no relative of this child, and do not know the family."))

    def validate_unrelated(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(_("Please confirm this: a gift to one's own family is none."))


class FindForm(Form):
    code = StringField(_l("Tracking code"), [Needed(_l("Please type the tracking code.")), Length(max=40)])


class DepositForm(Form):
    issued_on = DayField(_l("Day of issue"), [InputRequired(message=_l("Such as 2026-10-09.")), not_in_the_future])
    branch = StringField(_l("Branch"), [Needed(_l("Please say which branch.")), Length(max=60)])
    saver_ending = StringField(_l("Last six places of the saver's identity document"), [Needed(FILL_IN), check_ending])
    band = SelectField(_l("Deposit"), [InputRequired()], choices=[SelectChoice(band, telling.BANDS[band]) for band in BANDS])


class ReasonForm(Form):
    reason = StringField(_l("Reason"), [Needed(GIVE_A_REASON), Length(max=120)])


class NominationForm(Form):
    """Who the child is goes into the vault with this form and is seen by nobody in passing."""

    name = StringField(_l("Name of the child"), [Needed(FILL_IN), Length(max=40)])
    identity_number = StringField(_l("Identity number of the child"), [Needed(FILL_IN)])
    birth_date = DayField(_l("Born on"), [InputRequired(message=_l("Such as 2026-10-09.")), not_in_the_future])
    school = StringField(_l("School"), [Needed(FILL_IN), Length(max=80)])
    guardian = StringField(_l("Name of the guardian"), [Needed(FILL_IN), Length(max=40)])
    guardian_phone = StringField(_l("Mobile number of the guardian"), [Needed(FILL_IN), check_phone])
    guardian_ending = StringField(_l("Last six places of the guardian's identity document"), [Needed(FILL_IN), check_ending])
    county = SelectField(_l("County"), [InputRequired()])
    tier = SelectField(
        _l("How urgent"), [InputRequired()], choices=[SelectChoice(str(tier), telling.TIERS[tier]) for tier in TIERS]
    )
    need = SelectField(
        _l("What for"), [InputRequired()], choices=[SelectChoice(need, telling.NEEDS[need]) for need in NEEDS]
    )
    waiting_since = DayField(_l("Waiting since"), [InputRequired(message=_l("Such as 2026-10-09.")), not_in_the_future])

    def validate_identity_number(self, field: StringField) -> None:
        field.data = (field.data or "").upper().replace(" ", "")
        if not is_identity(field.data):
            raise ValidationError(_("An identity number has 18 places, and the last one proves the rest."))

    def validate_birth_date(self, field: DateField) -> None:
        if not isinstance(field.data, date):
            return
        if age_band(field.data, clock.today()) is None:
            raise ValidationError(_("The programme is for children of 6 to 14 years."))
        number = self.identity_number.data or ""
        if is_identity(number) and born(number) != f"{field.data:%Y%m%d}":
            raise ValidationError(_("The identity number tells another day of birth."))

    def validate_waiting_since(self, field: DateField) -> None:
        birth = self.birth_date.data
        if isinstance(field.data, date) and isinstance(birth, date) and field.data < birth:
            raise ValidationError(_("Nobody waits before they are born."))


class ConsentForm(Form):
    purposes = SelectMultipleField(
        _l("The guardian allows"),
        [InputRequired(message=_l("Please tick what the guardian allows."))],
        choices=[SelectChoice(purpose, telling.PURPOSES[purpose]) for purpose in PURPOSES],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    guardian = SelectField(
        _l("Who signs"), [InputRequired()], choices=[SelectChoice(who, telling.RELATIONS[who]) for who in RELATIONS]
    )
    method = RadioField(_l("How"), choices=[SelectChoice(how, telling.METHODS[how]) for how in METHODS], default="paper")


class ReadingForm(Form):
    why = StringField(_l("What you need it for"), [Needed(GIVE_A_REASON), Length(max=120)])


class HandoverForm(Form):
    code = StringField(
        _l("The guardian's code"),
        [InputRequired(), Regexp(SIX_DIGITS, message=_l("The guardian's code has six digits."))],
        filters=[without_gaps],
    )
    recipient = SelectField(
        _l("Given to"), [InputRequired()], choices=[SelectChoice(who, telling.RELATIONS[who]) for who in RELATIONS]
    )
    witness = SelectField(
        _l("Witness"), [InputRequired(message=_l("Please choose who stands beside you."))], validate_choice=False
    )
    witness_digits = StringField(
        _l("The witness's authenticator"),
        [InputRequired(), Regexp(SIX_DIGITS, message=_l("An authenticator shows six digits."))],
        filters=[without_gaps],
    )


def apart(form: F, word: str) -> F:
    """One of several forms of a page: its fields get ids of their own, so that each label finds its field."""
    for field in form:
        field.id = f"{word}-{field.short_name}"
    return form


class ReportForm(ReasonForm):
    """What is wrong with a device."""

    there = SelectField(
        _l("What happened"),
        [InputRequired()],
        choices=[SelectChoice(state, telling.MISHAPS[state]) for state in telling.MISHAPS],
    )

    def offer_for(self, device: DeviceState) -> None:
        """What can happen to a device in this state only: one that was handed over cannot be lost by us."""
        possible = [state for state in telling.MISHAPS if state in DEVICE[device]]
        self.there.choices = [SelectChoice(state, telling.MISHAPS[state]) for state in possible]


class ProofForm(Form):
    proof = StringField(
        _l("Proof of wiping"), [Needed(_l("Please give the number of the paper that says it is empty.")), Length(max=120)]
    )


class ClosingForm(ReasonForm):
    there = SelectField(
        _l("Why it ends"), [InputRequired()], choices=[SelectChoice(state, telling.CASE_STATES[state]) for state in CLOSINGS]
    )


class NothingForm(Form):
    """A step that needs nothing but the press of its button."""
