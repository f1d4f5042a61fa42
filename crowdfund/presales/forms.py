"""What sellers, stations and buyers of presales enter."""

from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional, ValidationError

from crowdfund.presales.backing import Backer
from crowdfund.presales.drafting import Terms, Tier
from listings.forms import YuanField
from marketplace.accounts.people import is_email, is_phone
from marketplace.core.forms import Form, KeyedForm, Needed, dropped_beyond
from marketplace.orders.forms import RecipientForm, WholeNumberField
from marketplace.orders.placing import Recipient

LARGEST_GOAL_FEN: Final = 100_000_000
MOST_PLACES: Final = 10_000
MOST_PACKS: Final = 50
MOST_KG: Final = 2_000_000  # PostgreSQL multiplies area and yield as whole numbers of four bytes
TENTHS: Final = frozenset({"", *"0123456789"})
NUMBER_NEEDED: Final = _l("Enter a whole number, such as 2.")
DAY_NEEDED: Final = _l("Please write a day like this: 2026-10-09.")


def number(label: LazyString, least: int, most: int, **given: Any) -> WholeNumberField:
    """A field for a whole number, which has to be there."""
    return WholeNumberField(label, [Needed(NUMBER_NEEDED), NumberRange(least, most)], **given)


class GoalField(YuanField):
    """A goal may be larger than any price."""

    def pre_validate(self, form: Any) -> None:
        typed = (self.data or "").replace(",", "").removeprefix("¥").removesuffix("元").strip()
        if typed.isascii() and typed.isdigit() and len(typed) < 9:
            self.fen = int(typed) * 100
            if not 100 <= self.fen <= LARGEST_GOAL_FEN:
                raise ValidationError(_("A goal is between ¥1 and ¥1,000,000."))
        elif typed:
            raise ValidationError(_("Enter whole yuan, such as 50000."))


def check_year(_form: Any, field: DateField) -> None:
    if field.data and not 2000 <= field.data.year < 3000:
        raise ValidationError(str(DAY_NEEDED))


class PresaleForm(KeyedForm):
    """What is sold ahead, by when, and what the field bears."""

    listing = SelectField(_l("Which goods"), [Needed(_l("Choose one of your goods."))])
    title_zh = StringField(_l("Title"), [Needed(_l("Enter a title.")), Length(max=60)])
    title_en = StringField(_l("Title in English"), [Optional(), Length(max=100)])
    story_zh = TextAreaField(_l("What it is and who grows it"), [Needed(_l("Tell buyers what it is.")), Length(max=2000)])
    plan_zh = TextAreaField(_l("What happens when"), [Needed(_l("Say what happens until it is sent.")), Length(max=1000)])
    goal = GoalField(_l("Goal, yuan"), [Needed(_l("Enter the goal."))])
    area = StringField(_l("Area, mu"), [Needed(_l("Enter how many mu.")), Length(max=10)])
    yield_kg = number(_l("Yield, kg from one mu"), 1, 20_000)
    closes_on = DateField(_l("Last day"), [Needed(DAY_NEEDED), check_year])
    harvest_on = DateField(_l("First day of sending"), [Needed(DAY_NEEDED), check_year])
    grace_days = number(_l("Days of grace after that"), 7, 60, default=30)
    start_percent = number(_l("Released when it succeeds, percent"), 0, 30, default=0)
    area_tenths = 0

    def validate_area(self, field: StringField) -> None:
        whole, _point, tenth = (field.data or "").partition(".")
        is_number = whole.isascii() and whole.isdigit() and len(whole) < 6 and tenth in TENTHS
        self.area_tenths = int(whole) * 10 + int(tenth or 0) if is_number else 0
        if not 0 < self.area_tenths <= 100_000:
            raise ValidationError(_("Enter mu with at most one decimal, such as 12.5; at most 10,000."))

    def validate_yield_kg(self, field: WholeNumberField) -> None:
        if self.area_tenths * int(field.data or 0) > MOST_KG * 10:
            raise ValidationError(_("At most 2,000 tonnes are sold ahead at once. Enter only that part of the field."))

    @property
    def terms(self) -> Terms:
        """Of a form that is valid."""
        assert self.closes_on.data and self.harvest_on.data
        return Terms(
            title_zh=str(self.title_zh.data),
            title_en=str(self.title_en.data or ""),
            story_zh=str(self.story_zh.data),
            plan_zh=str(self.plan_zh.data),
            goal_fen=self.goal.fen or 0,
            area_tenths=self.area_tenths,
            yield_kg=int(self.yield_kg.data or 0),
            start_percent=int(self.start_percent.data or 0),
            closes_on=self.closes_on.data,
            harvest_on=self.harvest_on.data,
            grace_days=int(self.grace_days.data or 0),
        )


class TierForm(KeyedForm):
    """One tier: what a place in it is, and how many there are."""

    title_zh = StringField(_l("Name of the tier"), [Needed(_l("Enter a name.")), Length(max=40)])
    variant = SelectField(_l("Which pack"), [Needed(_l("Choose a pack."))])
    packs = number(_l("Packs in one place"), 1, MOST_PACKS, default=1)
    price = YuanField(_l("Price of a pack, yuan"), [Needed(_l("Enter the price."))])
    shipping = YuanField(_l("Shipping of a place, yuan"), [Optional()])
    most = number(_l("Places"), 1, MOST_PLACES)

    @property
    def tier(self) -> Tier:
        return Tier(
            title_zh=str(self.title_zh.data),
            variant=str(self.variant.data),
            packs=int(self.packs.data or 1),
            unit_price_fen=self.price.fen or 0,
            shipping_fen=self.shipping.fen or 0,
            most=int(self.most.data or 0),
        )


class ReviewForm(Form):
    field_seen = BooleanField(_l("I have seen the field, and it bears that much"))
    figures_sane = BooleanField(_l("Prices, places and days make sense"))
    reason = StringField(_l("Reason"), [Optional(), Length(max=200)])


class UpdateForm(KeyedForm):
    text = TextAreaField(_l("News for everybody"), [Needed(_l("Write what is new.")), Length(max=500)])


class BackingForm(KeyedForm):
    """A place in a tier, and who is told how it goes on."""

    tier = RadioField(_l("Tier"), [Needed(_l("Choose a tier."))], validate_choice=False)
    contact = StringField(
        _l("Mobile number or e-mail"), [Needed(_l("Enter a mobile number or an e-mail address.")), Length(max=100)]
    )
    shown_fen = HiddenField(filters=[dropped_beyond(14)])
    shown_tier = HiddenField(filters=[dropped_beyond(40)])  # whose sum that was

    def validate_contact(self, field: StringField) -> None:
        text = (field.data or "").replace(" ", "")
        if not (is_phone(text) or is_email(text)):
            raise ValidationError(_("This is neither a mobile number of 11 digits nor an e-mail address."))
        field.data = text

    @property
    def shown(self) -> int:
        """What the page said it would cost; -1 for rubbish, which is never what it costs."""
        text = str(self.shown_fen.data or "")
        return int(text) if text.isascii() and text.isdigit() else -1

    @property
    def has_seen_sum(self) -> bool:
        """The sum of this very tier stood on the page."""
        return bool(self.shown_fen.data) and self.shown_tier.data in (None, "", self.tier.data)

    def backer(self, person_id: int | None, language: str) -> Backer:
        return Backer(str(self.contact.data), person_id, language)


class SurveyForm(RecipientForm):
    """Where to, and which of the packs."""

    note = StringField(_l("Note for the station"), [Optional(), Length(max=200)])
    variant = RadioField(_l("Which pack"), [Needed(_l("Choose a pack."))])

    @property
    def whom(self) -> Recipient:
        return Recipient(
            name=str(self.recipient.data),
            phone=str(self.phone.data),
            province=str(self.province.data),
            city=str(self.city.data),
            street=str(self.street.data),
            note=str(self.note.data or ""),
        )
