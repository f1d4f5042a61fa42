"""What a clerk enters of a gift in cash."""

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.fields import AmountField, check_contact, check_name
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.telling import ANONYMITY
from marketplace.core.forms import Form, KeyedForm, SelectChoice
from marketplace.core.money import Money


class CashForm(KeyedForm):
    campaign = SelectField(_l("Campaign"), [InputRequired(_l("Which campaign is it for?"))])
    amount = AmountField(_l("Cash, yuan"), [InputRequired(_l("How much was handed over?"))])
    again = AmountField(_l("Counted once more, yuan"), [InputRequired(_l("Count it once more and write it here."))])
    name = StringField(_l("Giver's name"), [Optional(), Length(max=20), check_name])
    anonymity = RadioField(
        _l("In the public ledger"),
        choices=[SelectChoice(value, words) for value, words in ANONYMITY.items()],
        default="masked",
    )
    contact = StringField(_l("Phone or e-mail"), [Optional(), Length(max=100), check_contact])

    def with_campaigns(self, campaigns: list[tuple[str, str]]) -> "CashForm":
        self.campaign.choices = [SelectChoice(code, title) for code, title in campaigns]
        return self

    def validate_again(self, field: AmountField) -> None:
        if self.amount.fen and field.fen and self.amount.fen != field.fen:
            raise ValidationError(_("The two counts differ. Count the money again, together with the giver."))

    @property
    def money(self) -> Money:
        if self.amount.fen is None:
            raise ValueError("not validated")
        return Money(self.amount.fen)

    def giver(self, language: str) -> Giver:
        name, anonymity = str(self.name.data or ""), str(self.anonymity.data)
        return Giver(name, anonymity, contact=str(self.contact.data or ""), language=language)


class ReturnForm(Form):
    why = StringField(_l("Why it goes back"), [Optional(), Length(max=200)])
