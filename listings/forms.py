"""What sellers and stations may enter about goods."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import (
    BooleanField,
    FileField,
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
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice

LARGEST_FEN: Final = 10_000_000
HEAVIEST_GRAMS: Final = 100_000
YUAN: Final = re.compile(r"\d{1,8}(\.\d{1,2})?")


class YuanField(StringField):
    """A sum as people write it (39.80, ¥39.8, 1,200), as whole fen in `fen`; None until it is valid."""

    fen: int | None = None

    def pre_validate(self, form: Any) -> None:
        typed = (self.data or "").replace(",", "").removeprefix("¥").removesuffix("元").strip()
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


class DetailsForm(Form):
    title = StringField(_l("Product name"), [Needed(_l("Enter the product name.")), Length(min=2, max=40)])
    unit = StringField(_l("Packaging"), [Needed(_l("Enter how it is packed.")), Length(max=20)])
    price = YuanField(_l("Price per pack, yuan"), [Needed(_l("Enter what a pack costs."))])
    stock = IntegerField(_l("Packs in stock"), [Needed(_l("Enter how many packs there are.")), NumberRange(0, 1_000_000)])
    village = StringField(_l("Town and village"), [Needed(_l("Enter the town and village.")), Length(max=40)])
    story = TextAreaField(_l("Description"), [Needed(_l("Describe it.")), Length(min=10, max=500)])
    months = SelectMultipleField(
        _l("Harvest month"),
        coerce=int,
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        choices=[SelectChoice(str(month), str(month)) for month in range(1, 13)],
    )
    weight = IntegerField(_l("Net weight of a pack, grams"), [Optional(), NumberRange(1, 100_000)])
    tier_from = IntegerField(_l("Lower price from how many packs"), [Optional(), NumberRange(2, 10_000)])
    tier_price = YuanField(_l("Price per pack then, yuan"), [Optional()])
    shelf_life = IntegerField(_l("Shelf life in days"), [Optional(), NumberRange(1, 3650)])
    storage = StringField(_l("Storage advice"), [Optional(), Length(max=60)])

    def validate_unit(self, field: StringField) -> None:
        amount = measures.read(field.data or "").amount
        if amount is not None and not 1 <= amount <= HEAVIEST_GRAMS:
            raise ValidationError(_("Write it like 5斤箱, 500g×2袋, 30枚 or 礼盒."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field, then those that only make sense together."""
        is_valid = super().validate(extra_validators)
        if not self.errors.get("unit") and self.weight.data is None and not grams_of(self.unit.data or ""):
            self.weight.errors = [_("The pack does not say what it weighs. We need that for shipping.")]
            is_valid = False
        if not self.tier_price.errors and (wrong := self.wrong_tier()):
            self.tier_price.errors = [wrong]
            is_valid = False
        return is_valid

    def wrong_tier(self) -> str:
        if (self.tier_price.fen is None) != (self.tier_from.data is None):
            return str(_("Please enter both number and price."))
        if self.tier_price.fen and self.price.fen and self.tier_price.fen >= self.price.fen:
            return str(_("A larger quantity should cost less per pack, not more."))
        return ""


def grams_of(unit: str) -> int | None:
    """What a pack says it weighs; a millilitre counts as a gram, a piece says nothing."""
    measure = measures.read(unit)
    return measure.amount if measure.kind in {"weight", "volume"} else None


class PriceAndStockForm(Form):
    price = YuanField(_l("Price, yuan"), [Needed(_l("Enter what a pack costs."))])
    stock = IntegerField(_l("Packs"), [Needed(_l("Enter how many packs there are.")), NumberRange(0, 1_000_000)])
    seen_stock = IntegerField(validators=[Needed(_l("Open the page again, please.")), NumberRange(0)], widget=HiddenInput())


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
    origin_seen = BooleanField(_l("I know where it grows"))
    goods_seen = BooleanField(_l("I have checked the goods"))
    price_sane = BooleanField(_l("The price makes sense"))
    reason = StringField(_l("What needs changing"), [Optional(), Length(max=200)])


class ReasonForm(Form):
    reason = StringField(_l("Reason"), [Needed(_l("Write down why.")), Length(max=200)])
