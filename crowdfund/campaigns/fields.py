"""Fields and checks that forms of giving have in common: sums, names, days, addresses."""

import re
import unicodedata
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _
from wtforms import DateField, StringField, ValidationError

from crowdfund.campaigns.giving import LARGEST_FEN, SMALLEST_FEN, smallest_fen
from listings.screening import holds_contact
from marketplace.accounts.people import is_email, is_phone
from marketplace.core.formats import yuan
from marketplace.core.money import without_thousands

YUAN: Final = re.compile(r"\d{1,12}(\.\d{1,2})?")
NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?")
IN_NAMES: Final = frozenset(" ·.'-()（）&")
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
        return str(_("One gift can be at most %(sum)s. For more, please contact the organisation.", sum=yuan(self.most)))


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


def check_name(_form: Any, field: StringField) -> None:
    """It may stand in the public ledger for ever, beside no advert and nobody's address: letters only, and no way to reach
    somebody, as letters can spell it as well."""
    wrong = [sign for sign in field.data or "" if not (unicodedata.category(sign)[0] in "LM" or sign in IN_NAMES)]
    if wrong:
        raise ValidationError(_("A name is made of letters; “%(sign)s” cannot appear in the ledger.", sign=wrong[0]))
    if holds_contact(field.data or ""):
        raise ValidationError(_("Everybody reads a name for ever: no number, web address or messenger account, please."))


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
