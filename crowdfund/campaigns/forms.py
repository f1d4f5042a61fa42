"""What givers and officers may enter."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.giving import LARGEST_FEN, SMALLEST_FEN, Giver, smallest_fen
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.mirrors.platforms import LONGEST_URL, PLATFORMS, is_address_of
from crowdfund.campaigns.telling import ANONYMITY, CHANNELS
from marketplace.accounts.people import is_email, is_phone
from marketplace.core.formats import yuan
from marketplace.core.forms import Form, KeyedForm, SelectChoice, dropped_beyond
from marketplace.core.money import Money, without_thousands

YUAN: Final = re.compile(r"\d{1,12}(\.\d{1,2})?")
NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?")
BUDGET_LINE: Final = re.compile(r"(?P<name>.*?\S)[\s:：,，]+(?<!\d[,，])(?P<sum>\d+(,\d{3})*(\.\d{1,2})?)\s*元?")
IN_NAMES: Final = frozenset(" ·.'-()（）&")
OWN: Final = "own"
UNUSUAL_FEN: Final = 200_000  # a month's wage in the counties: nobody gives that by a slip of the finger unasked
UNUSUAL_MONTHLY_FEN: Final = 50_000
GOAL_LARGEST: Final = 10_000_000_00


class AmountField(StringField):
    """A sum as people write it (10, 22.5, ¥6.60, 1,200 元), as whole fen in `fen`; None until it is valid."""

    fen: int | None = None
    least, most = SMALLEST_FEN, LARGEST_FEN

    def pre_validate(self, form: Any) -> None:
        self.fen = None
        typed = without_thousands(self.data or "").removeprefix("¥").removesuffix("元").strip()
        if not typed and not self.data:
            return
        if not YUAN.fullmatch(typed):
            raise ValidationError(self.why_not(typed))
        fen = int(Decimal(typed) * 100)
        if fen < self.least:
            raise ValidationError(self.too_little())
        if fen > self.most:
            raise ValidationError(self.too_much())
        self.fen = fen

    def why_not(self, typed: str) -> str:
        if NUMBER.fullmatch(typed) and Decimal(typed) <= 0:
            return self.too_little()
        if NUMBER.fullmatch(typed) and Decimal(typed) * 100 > self.most:
            return self.too_much()
        if NUMBER.fullmatch(typed) and not YUAN.fullmatch(typed.removeprefix("+")):
            return str(_("An amount has at most two decimals: the smallest coin is one fen, 0.01."))
        return str(_("Please write the amount in digits, such as 10 or 22.50."))

    def too_little(self) -> str:
        return str(_("The smallest amount is %(sum)s.", sum=yuan(self.least)))

    def too_much(self) -> str:
        return str(
            _("One online gift can be at most %(sum)s. For more, please contact the organisation.", sum=yuan(self.most))
        )


def is_fen(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


class GoalField(AmountField):
    least, most = 100, GOAL_LARGEST

    def too_much(self) -> str:
        return str(_("The maximum is %(sum)s.", sum=yuan(self.most)))


class GiftAmountField(AmountField):
    """A sum that the payment provider takes too."""

    def pre_validate(self, form: Any) -> None:
        self.least = smallest_fen()
        super().pre_validate(form)

    def too_little(self) -> str:
        if self.least <= SMALLEST_FEN:
            return super().too_little()
        return str(_("The payment provider takes no less than %(sum)s at a time.", sum=yuan(self.least)))


class AmountForm(Form):
    """The sum: one of those proposed, or one's own."""

    choice = HiddenField()
    amount = GiftAmountField(_l("Your amount, yuan"), [DataRequired(_l("How much would you like to give?"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(self.choice.data or OWN)
        if chosen != OWN:
            self.amount.data = f"{Decimal(int(chosen)) / 100:.2f}" if is_fen(chosen) else chosen[:20]


def check_name(_form: Any, field: StringField) -> None:
    """It may stand in the public ledger for ever: letters only."""
    wrong = [sign for sign in field.data or "" if not (unicodedata.category(sign)[0] in "LM" or sign in IN_NAMES)]
    if wrong:
        raise ValidationError(_("A name is made of letters; “%(sign)s” cannot appear in the ledger.", sign=wrong[0]))


def check_year(_form: Any, field: DateField) -> None:
    """Far from both ends of the calendar, so that every day has one before and after it."""
    if field.data and not 2000 <= field.data.year < 3000:
        raise ValidationError(_("Please write a day like this: 2026-10-09."))


def check_contact(_form: Any, field: StringField) -> None:
    text = (field.data or "").replace(" ", "")
    if not (is_phone(text) or is_email(text)):
        raise ValidationError(_("This is neither a mobile number of 11 digits nor an e-mail address."))
    field.data = text


def check_email(_form: Any, field: StringField) -> None:
    if not is_email(field.data or ""):
        raise ValidationError(_("This is not an e-mail address."))


class GiftForm(KeyedForm):
    """Who gives, as far as they want to say it."""

    amount = GiftAmountField(_l("Gift in yuan"), [DataRequired(_l("How much would you like to give?"))])
    how_often = RadioField(
        _l("How often"),
        choices=[SelectChoice("once", _l("once")), SelectChoice("monthly", _l("every month"))],
        default="once",
    )
    name = StringField(_l("Your name"), [Optional(), Length(max=20), check_name])
    anonymity = RadioField(
        _l("In the public ledger"),
        choices=[SelectChoice(value, words) for value, words in ANONYMITY.items()],
        default="masked",
    )
    message = TextAreaField(_l("A few words"), [Optional(), Length(max=100)])
    contact = StringField(_l("Phone or e-mail"), [Optional(), Length(max=100), check_contact])
    honoured = StringField(_l("In honour of"), [Optional(), Length(max=20), check_name])
    card_words = TextAreaField(_l("Words on the card"), [Optional(), Length(max=200)])
    card_contact = StringField(_l("Their e-mail"), [Optional(), Length(max=100), check_email])
    team = HiddenField(filters=[dropped_beyond(64)])
    sure_of = HiddenField(filters=[dropped_beyond(20)])  # the fen of the unusually large gift that was asked about

    def validate_card_words(self, _field: StringField) -> None:
        if not self.honoured.data and not self.card_contact.data:  # the address asks by itself
            raise ValidationError(_("Whom does the card honour? Write their name above."))

    def validate_card_contact(self, _field: StringField) -> None:
        if not self.honoured.data:
            raise ValidationError(_("Whom does the card honour? Write their name above."))

    @property
    def is_unusual(self) -> bool:
        """So large that a plain question comes first, unless it was answered for exactly this sum."""
        fen = self.amount.fen or 0
        least = UNUSUAL_MONTHLY_FEN if self.is_monthly else UNUSUAL_FEN
        return fen >= least and self.sure_of.data != f"{self.how_often.data}:{fen}"

    @property
    def honour(self) -> Honour | None:
        name, words = str(self.honoured.data or ""), str(self.card_words.data or "")
        return Honour(name, words, str(self.card_contact.data or "")) if name else None

    def idempotency(self, scope: str) -> tuple[str, str, Mapping[str, Any]]:
        """The answer to our question is no part of what is given."""
        scope, key, body = super().idempotency(scope)
        return scope, key, {name: value for name, value in body.items() if name != "sure_of"}

    def giver(self, person_id: int | None, language: str) -> Giver:
        return Giver(
            name=str(self.name.data or ""),
            anonymity=str(self.anonymity.data),
            message=str(self.message.data or ""),
            contact=str(self.contact.data or ""),
            person_id=person_id,
            language=language,
            honour=self.honour,
            team=str(self.team.data or ""),
        )

    @property
    def is_monthly(self) -> bool:
        return bool(self.how_often.data == "monthly")

    @property
    def money(self) -> Money:
        if self.amount.fen is None:
            raise ValueError("not validated")
        return Money(self.amount.fen)


class PlanAmountForm(Form):
    amount = GiftAmountField(_l("Each month, yuan"), [DataRequired(_l("How much would you like to give?"))])
    sure_of = HiddenField(filters=[dropped_beyond(20)])  # the fen that were asked about

    def is_unusual(self, before_fen: int) -> bool:
        """More than so far, and so much that a plain question comes first, unless it was answered for exactly this sum."""
        fen = self.amount.fen or 0
        return fen > before_fen and fen >= UNUSUAL_MONTHLY_FEN and self.sure_of.data != str(fen)


class CampaignForm(KeyedForm):
    """A draft: only what the database needs is required; what a reviewer needs is asked for when it is handed in."""

    kind = SelectField(
        _l("Kind"),
        [InputRequired()],
        choices=[SelectChoice("donation", _l("Small gifts")), SelectChoice("student_aid", _l("Student aid"))],
    )
    channel = SelectField(
        _l("Where it raises money"),
        [DataRequired()],
        choices=[SelectChoice(value, words) for value, words in CHANNELS.items()],
        default="own_site",
    )
    platform = SelectField(
        _l("Platform"),
        [Optional()],
        choices=[SelectChoice("", _l("none")), *(SelectChoice(each.code, each.name_zh) for each in PLATFORMS)],
        default="",
    )
    platform_url = StringField(_l("Its page on the platform"), [Optional(), Length(max=LONGEST_URL)])
    title_zh = StringField(_l("Title"), [InputRequired(), Length(max=60)])
    title_en = StringField(_l("Title in English"), [Optional(), Length(max=120)])
    station_code = SelectField(_l("Station in charge"), [InputRequired()])
    story_zh = TextAreaField(_l("Story"), [Optional(), Length(max=4000)])
    purpose_zh = StringField(_l("Purpose, in one sentence"), [Optional(), Length(max=200)])
    beneficiaries_zh = StringField(_l("Who benefits"), [Optional(), Length(max=200)])
    criteria_zh = StringField(_l("How beneficiaries are chosen"), [Optional(), Length(max=200)])
    region_zh = StringField(_l("Region"), [Optional(), Length(max=60)])
    leader_zh = StringField(_l("Person responsible"), [Optional(), Length(max=40)])
    bank_account_zh = StringField(_l("Account, as it is published"), [Optional(), Length(max=100)])
    goal = GoalField(_l("Goal, yuan"), [InputRequired()])
    budget = TextAreaField(_l("Budget"), [Optional(), Length(max=2000)])
    starts_on = DateField(_l("First day"), [InputRequired(), check_year])
    ends_on = DateField(_l("Last day"), [InputRequired(), check_year])
    past_goal = SelectField(
        _l("When the goal is reached"),
        [InputRequired()],
        choices=[
            SelectChoice("stop", _l("take no more gifts")),
            SelectChoice("stretch", _l("continue for the same purpose")),
            SelectChoice("next_project", _l("continue for the next project")),
        ],
    )
    next_project_zh = StringField(_l("The next project"), [Optional(), Length(max=100)])
    residue_zh = StringField(_l("What happens to leftover money"), [Optional(), Length(max=200)])
    unit = AmountField(_l("Price of one piece, yuan"), [Optional()])
    unit_zh = StringField(_l("What one piece is called"), [Optional(), Length(max=20)])
    milestones = TextAreaField(_l("Promised steps, one per line"), [Optional(), Length(max=1000)])

    def with_stations(self, stations: list[tuple[str, str]]) -> "CampaignForm":
        self.station_code.choices = [SelectChoice(code, name) for code, name in stations]
        return self

    def validate_ends_on(self, field: DateField) -> None:
        if self.starts_on.data and field.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day is before the first."))

    def validate_budget(self, field: TextAreaField) -> None:
        for line in lines_of(field.data):
            if BUDGET_LINE.fullmatch(line) is None:
                raise ValidationError(
                    _("“%(line)s” is not a budget line. Write a name and an amount in yuan.", line=line[:40])
                )

    def validate_unit_zh(self, field: StringField) -> None:
        if self.unit.fen and not field.data:
            raise ValidationError(_("Name the piece."))

    def validate_platform_url(self, field: StringField) -> None:
        if field.data and not is_address_of(str(self.platform.data), field.data):
            raise ValidationError(_("This is no page of the chosen platform. Its address begins with https://."))

    @property
    def facts(self) -> dict[str, Any]:
        """The columns of a campaign."""
        plain = (
            *("kind", "title_zh", "title_en", "station_code", "story_zh", "purpose_zh", "beneficiaries_zh", "criteria_zh"),
            *("region_zh", "leader_zh", "bank_account_zh", "starts_on", "ends_on", "past_goal", "next_project_zh"),
            *("residue_zh", "unit_zh", "channel", "platform", "platform_url"),
        )
        columns = {name: self[name].data if self[name].data is not None else "" for name in plain}
        steps = lines_of(self.milestones.data)
        return columns | {"goal_fen": self.goal.fen, "unit_fen": self.unit.fen, "milestones_zh": steps}

    @property
    def budget_lines(self) -> list[Line]:
        found = [BUDGET_LINE.fullmatch(line) for line in lines_of(self.budget.data)]
        return [Line(each["name"].strip(), sum_of(each["sum"])) for each in found if each]


def lines_of(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def sum_of(text: str) -> int:
    return int(Decimal(text.replace(",", "")) * 100)


class FilingForm(Form):
    number = StringField(_l("Filing number"), [InputRequired(), Length(max=40)])
    filed_on = DateField(_l("Filed on"), [InputRequired(), check_year])


class ReasonForm(Form):
    why = StringField(_l("Why"), [Optional(), Length(max=200)])
