"""What buyers of a group enter, and who offers something to groups."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, ValidationError
from wtforms.validators import NumberRange

from listings.forms import YuanField
from marketplace.core.forms import KeyedForm, Needed, dropped_beyond
from marketplace.orders.forms import ShippingForm, WholeNumberField
from marketplace.orders.groups.offering import LONGEST_DAYS, MOST_PACKS, Terms

NUMBERS: Final = ("threshold_packs", "most_packs", "most_per_member", "days", "tolerance_percent", "prolong_days")


class PlaceForm(KeyedForm, ShippingForm):
    """A place in a group: how many packs, and to whom."""

    packs = WholeNumberField(_l("Quantity"), [Needed(_l("Enter how many packs.")), NumberRange(1, MOST_PACKS)])
    is_pickup = BooleanField(_l("I will pick it up at this station"))
    is_adult = BooleanField(_l("I am 18 or older"))
    shown_total = HiddenField(filters=[dropped_beyond(14)])
    needs_adult: bool = False

    def validate_is_adult(self, field: BooleanField) -> None:
        if self.needs_adult and not field.data:
            raise ValidationError(_("There is alcohol in this order. Please confirm that you are 18 or older."))

    @property
    def shown_total_fen(self) -> int:
        """What the page said it would cost; -1 for rubbish, which is never what it costs."""
        text = str(self.shown_total.data or "")
        return int(text) if text.isascii() and text.isdigit() else -1


def number(label: LazyString, least: int, most: int, *, default: int) -> WholeNumberField:
    """A field for a whole number, which has to be there."""
    return WholeNumberField(
        label, [Needed(_l("Enter a whole number, such as 2.")), NumberRange(least, most)], default=default
    )


class OfferForm(KeyedForm):
    """What is offered to groups."""

    variant = SelectField(_l("Which pack"), [Needed(_l("Choose a pack."))])
    price = YuanField(_l("Group price, yuan a pack"), [Needed(_l("Enter the group price."))])
    threshold_packs = number(_l("Packs that make the group complete"), 2, MOST_PACKS, default=3)
    most_packs = number(_l("At most in one group"), 2, MOST_PACKS, default=20)
    most_per_member = number(_l("At most for one person"), 1, MOST_PACKS, default=5)
    days = number(_l("Days until a group must be complete"), 1, LONGEST_DAYS, default=3)
    tolerance_percent = number(_l("What may be missing at the end, percent"), 0, 50, default=0)
    prolong_days = number(_l("Days it may go on when it is nearly complete"), 0, 7, default=0)

    @property
    def terms(self) -> Terms:
        numbers = {name: int(self[name].data or 0) for name in NUMBERS}
        return Terms(price_fen=self.price.fen or 0, **numbers)
