"""What givers may enter."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from crowdfund.campaigns.fields import GiftAmountField, check_contact, check_email, check_name
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.telling import ANONYMITY
from marketplace.core.forms import Form, KeyedForm, SelectChoice, dropped_beyond
from marketplace.core.money import Money

OWN: Final = "own"
UNUSUAL_FEN: Final = 200_000  # a month's wage in the counties: nobody gives that by a slip of the finger unasked
UNUSUAL_MONTHLY_FEN: Final = 50_000


def is_fen(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


class AmountForm(Form):
    """The sum: one of those proposed, or one's own."""

    choice = HiddenField()
    amount = GiftAmountField(_l("Your amount, yuan"), [DataRequired(_l("How much would you like to give?"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(self.choice.data or OWN)
        if chosen != OWN:
            self.amount.data = f"{Decimal(int(chosen)) / 100:.2f}" if is_fen(chosen) else chosen[:20]


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
