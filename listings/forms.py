"""What sellers and stations may enter about goods."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from listings import measures
from listings.certificates import KINDS
from listings.consenting import WAYS
from listings.enrolling import KINDS as ENROLLED
from listings.packs import Pack
from marketplace.accounts.people import is_phone, normalised
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond
from marketplace.core.money import without_thousands

LARGEST_FEN: Final = 10_000_000
HEAVIEST_GRAMS: Final = 100_000
YUAN: Final = re.compile(r"\d{1,8}(\.\d{1,2})?")


def choices(words: Mapping[str, LazyString]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


class YuanField(StringField):
    """A sum as people write it (39.80, ¥39.8, 1,200), as whole fen in `fen`; None until it is valid."""

    fen: int | None = None

    def pre_validate(self, form: Any) -> None:
        typed = without_thousands(self.data or "").removeprefix("¥").removesuffix("元").strip()
        self.fen = None
        if not typed:
            return
        try:
            if not YUAN.fullmatch(typed):
                raise InvalidOperation
            self.fen = int(Decimal(typed) * 100)
        except InvalidOperation as error:
            raise ValidationError(_("Enter a sum in yuan, such as 39.80.")) from error
        if not 1 <= self.fen <= LARGEST_FEN:
            raise ValidationError(_("A price is between ¥0.01 and ¥100,000."))

    def show(self, fen: int | None) -> None:
        self.data = "" if fen is None else f"{fen // 100}.{fen % 100:02d}"


class BeginForm(KeyedForm):
    category = SelectField(_l("What is it?"), [Needed(_l("Choose a category."))])


class ContentForm(Form):
    """What it is."""

    title = StringField(_l("Product name"), [Needed(_l("Enter the product name.")), Length(min=2, max=40)])
    village = StringField(_l("Town and village"), [Needed(_l("Enter the town and village.")), Length(max=40)])
    story = TextAreaField(_l("Description"), [Needed(_l("Describe it.")), Length(min=10, max=500)])
    months = SelectMultipleField(
        _l("Harvest month"),
        coerce=int,
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        choices=[SelectChoice(str(month), str(month)) for month in range(1, 13)],
    )
    shelf_life = IntegerField(_l("Shelf life in days"), [Optional(), NumberRange(1, 3650)])
    storage = StringField(_l("Storage advice"), [Optional(), Length(max=60)])
    title_en = StringField(_l("Name in English"), [Optional(), Length(min=2, max=80)])
    story_en = TextAreaField(_l("Description in English"), [Optional(), Length(min=10, max=1000)])


class TermsForm(Form):
    """What a pack costs: from so many on less, up to three times."""

    price = YuanField(_l("Price per pack, yuan"), [Needed(_l("Enter what a pack costs."))])
    minimum = IntegerField(_l("At least how many packs"), [Optional(), NumberRange(1, 1_000)])
    tier_from = IntegerField(_l("Lower price from how many packs"), [Optional(), NumberRange(2, 10_000)])
    tier_price = YuanField(_l("Price per pack then, yuan"), [Optional()])
    tier2_from = IntegerField(_l("Second lower price from how many packs"), [Optional(), NumberRange(2, 10_000)])
    tier2_price = YuanField(_l("Price per pack then, yuan"), [Optional()])
    tier3_from = IntegerField(_l("Third lower price from how many packs"), [Optional(), NumberRange(2, 10_000)])
    tier3_price = YuanField(_l("Price per pack then, yuan"), [Optional()])

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field, then the levels: both number and price, each for more packs and cheaper than the one before."""
        is_valid = super().validate(extra_validators)
        least, price = max(self.minimum.data or 1, 1), self.price.fen
        for number, fen in self.levels():
            if number.errors or fen.errors:
                continue
            if (fen.fen is None) != (number.data is None):
                fen.errors = [_("Please enter both number and price.")]
            elif number.data is not None and number.data <= least:
                number.errors = [_("This has to be more packs than before.")]
            elif fen.fen and price and fen.fen >= price:
                fen.errors = [_("A larger quantity should cost less per pack, not more.")]
            elif number.data and fen.fen:
                least, price = number.data, fen.fen
            is_valid = is_valid and not (number.errors or fen.errors)
        return is_valid

    def levels(self) -> list[tuple[IntegerField, YuanField]]:
        pairs = ((self.tier_from, self.tier_price), (self.tier2_from, self.tier2_price), (self.tier3_from, self.tier3_price))
        return list(pairs)

    @property
    def tiers(self) -> tuple[tuple[int, int], ...]:
        """Once it is valid."""
        return tuple((number.data, price.fen) for number, price in self.levels() if number.data and price.fen)

    def show_terms(self, price_fen: int, minimum: int, tiers: Sequence[tuple[int, int]]) -> None:
        self.price.show(price_fen)
        self.minimum.data = minimum if minimum > 1 else None
        for (number, price), (least, fen) in zip(self.levels(), tiers, strict=False):
            number.data = least
            price.show(fen)


class PackForm(TermsForm):
    """How it is packed, what that weighs and costs, how many there are."""

    unit = StringField(_l("Packaging"), [Needed(_l("Enter how it is packed.")), Length(max=20)])
    stock = IntegerField(_l("Packs in stock"), [Needed(_l("Enter how many packs there are.")), NumberRange(0, 1_000_000)])
    weight = IntegerField(_l("Net weight of a pack, grams"), [Optional(), NumberRange(1, 100_000)])

    def validate_unit(self, field: StringField) -> None:
        amount = measures.read(field.data or "").amount
        if amount is not None and not 1 <= amount <= HEAVIEST_GRAMS:
            raise ValidationError(_("Write it like 5斤箱, 500g×2袋, 30枚 or 礼盒."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field, then whether it is known what a pack weighs."""
        is_valid = super().validate(extra_validators)
        if not self.errors.get("unit") and self.weight.data is None and not grams_of(self.unit.data or ""):
            self.weight.errors = [_("The pack does not say what it weighs. We need that for shipping.")]
            is_valid = False
        return is_valid

    @property
    def pack(self) -> Pack:
        """Once it is valid."""
        grams = self.weight.data or grams_of(str(self.unit.data)) or 0
        price, stock = self.price.fen or 0, int(self.stock.data or 0)
        return Pack(str(self.unit.data), grams, price, stock, self.minimum.data or 1, self.tiers)


class NewPackForm(KeyedForm, PackForm):
    """A further pack, made once however often it is sent."""


class DetailsForm(PackForm, ContentForm):
    """What it is, and its first pack: all that a draft needs."""


class DraftForm(DetailsForm):
    """The same on a page, where the category can still be another one; not sent, it stays as it is."""

    category = SelectField(_l("Category"), [Optional()])


class CertificateForm(KeyedForm):
    kind = SelectField(_l("Which paper?"), [Needed(_l("Choose which paper it is."))], choices=choices(KINDS))
    name = StringField(_l("What it says"), [Needed(_l("Enter what the paper says.")), Length(min=2, max=40)])
    number = StringField(_l("Its number"), [Needed(_l("Enter the number on the paper.")), Length(max=40)])


class ConsentForm(BeginForm):
    """A clerk begins for a farmer: what it is, and how the farmer agreed to it."""

    way = RadioField(_l("How did they agree?"), [Needed(_l("Choose how they agreed."))], choices=choices(WAYS))
    has_agreed = BooleanField(
        _l("I read these words to them, and they agreed"), [Needed(_l("Choose this once they have agreed."))]
    )

    def validate_has_agreed(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(_("Choose this once they have agreed."))


class EnrolmentForm(KeyedForm):
    """A station lets somebody sell."""

    person = StringField(_l("Their name"), [Needed(_l("Enter the name on their identity card.")), Length(max=40)])
    phone = StringField(_l("Mobile number"), [Needed(_l("Enter their mobile number."))])
    kind = RadioField(_l("Who sells?"), [Needed(_l("Choose who sells."))], choices=choices(ENROLLED))
    name = StringField(_l("Name of the shop"), [Needed(_l("Enter the name that buyers will read.")), Length(min=2, max=30)])
    village = StringField(_l("Town and village"), [Needed(_l("Enter the town and village.")), Length(max=40)])
    story = TextAreaField(_l("A few words about them"), [Optional(), Length(max=200)])
    has_seen = BooleanField(
        _l("I have seen their identity card, and know where they grow or make it"),
        [Needed(_l("See their card first, then choose this."))],
    )

    def validate_phone(self, field: StringField) -> None:
        field.data = normalised(field.data or "")
        if not is_phone(field.data):
            raise ValidationError(_("A mobile number has 11 digits, such as 13812345678."))


class ObjectionForm(Form):
    reason = StringField(_l("Why? (the station reads it)"), [Optional(), Length(max=200)])


def grams_of(unit: str) -> int | None:
    """What a pack says it weighs; a millilitre counts as a gram, a piece says nothing."""
    measure = measures.read(unit)
    return measure.amount if measure.kind in {"weight", "volume"} else None


class PriceAndStockForm(Form):
    price = YuanField(_l("Price, yuan"), [Needed(_l("Enter what a pack costs."))])
    stock = IntegerField(_l("Packs"), [Needed(_l("Enter how many packs there are.")), NumberRange(0, 1_000_000)])
    seen_stock = IntegerField(validators=[Needed(_l("Open the page again, please.")), NumberRange(0)], widget=HiddenInput())
    seen_price = IntegerField(validators=[Needed(_l("Open the page again, please.")), NumberRange(0)], widget=HiddenInput())


class OfferForm(Form):
    """Whether a listing is for sale, and whether the page showed it so."""

    is_offered = BooleanField(_l("For sale"))
    was_offered = HiddenField(filters=[dropped_beyond(8)])


class EditReviewForm(Form):
    version = IntegerField(
        validators=[Needed(_l("Open the page again, please.")), NumberRange(1, 1_000_000)], widget=HiddenInput()
    )
    reason = StringField(_l("What needs changing"), [Optional(), Length(max=200)])


class ImportForm(KeyedForm):
    """A sheet, the ZIP beside it, and what becomes of goods that are new. The files themselves are read by the view."""

    sheet = FileField(_l("Your sheet"))
    pictures = FileField(_l("ZIP with pictures"))
    then = RadioField(
        _l("What becomes of new goods?"),
        choices=[
            SelectChoice("draft", _l("Drafts, I look at each again")),
            SelectChoice("submit", _l("Straight to the station")),
        ],
        default="draft",
    )


class ReviewForm(Form):
    version = IntegerField(validators=[Optional(), NumberRange(1, 1_000_000)], widget=HiddenInput())
    origin_seen = BooleanField(_l("I know where it grows"))
    goods_seen = BooleanField(_l("I have checked the goods"))
    price_sane = BooleanField(_l("The price makes sense"))
    reason = StringField(_l("What needs changing"), [Optional(), Length(max=200)])


class ReasonForm(Form):
    reason = StringField(_l("Reason"), [Needed(_l("Write down why.")), Length(max=200)])


class FindGoodsForm(Form):
    """What the province looks for."""

    q = StringField(_l("Which goods?"), [Optional(), Length(max=100)])
