"""What an officer writes down of a sponsor's promise, and the reasons that are kept."""

import unicodedata

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import IntegerField, StringField, ValidationError
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from crowdfund.campaigns.fields import IN_NAMES, GoalField, check_contact
from crowdfund.campaigns.matching.funds import Terms
from marketplace.core.formats import yuan
from marketplace.core.forms import Form, KeyedForm, Needed
from marketplace.core.money import Money

MOST_PERCENT = 1000
FILL_IN = _l("Please fill this in.")


def check_sponsor(_form: Form, field: StringField) -> None:
    """It stands in the public ledger for ever: letters, and digits too, since firms have them."""
    wrong = [sign for sign in field.data or "" if not (unicodedata.category(sign)[0] in "LMN" or sign in IN_NAMES)]
    if wrong:
        raise ValidationError(_("“%(sign)s” cannot appear in the ledger.", sign=wrong[0]))


class CapField(GoalField):
    """A bound in yuan; empty where the fund itself is the only one."""

    least = 1


class FundForm(KeyedForm):
    """A sponsor's promise for one campaign."""

    sponsor = StringField(_l("Sponsor's public name"), [Needed(FILL_IN), Length(max=40), check_sponsor])
    contact = StringField(_l("Sponsor's phone or e-mail"), [DataRequired(), Length(max=100), check_contact])
    total = GoalField(_l("In all, yuan"), [DataRequired()])
    rate_percent = IntegerField(_l("Per cent of each gift"), [Needed(FILL_IN), NumberRange(1, MOST_PERCENT)], default=100)
    gift_cap = CapField(_l("Most for one gift, yuan"), [Optional()])
    giver_cap = CapField(_l("Most for one giver, yuan"), [Optional()])

    def validate_gift_cap(self, field: CapField) -> None:
        self.refuse_above_total(field)

    def validate_giver_cap(self, field: CapField) -> None:
        self.refuse_above_total(field)

    def refuse_above_total(self, field: CapField) -> None:
        if field.fen and self.total.fen and field.fen > self.total.fen:
            raise ValidationError(_("That is more than the whole fund, %(sum)s.", sum=yuan(self.total.fen)))

    @property
    def terms(self) -> Terms:
        """Of a valid form."""
        if self.total.fen is None or self.rate_percent.data is None:
            raise ValueError("not validated")
        gift_cap, giver_cap = (Money(field.fen or self.total.fen) for field in (self.gift_cap, self.giver_cap))
        return Terms(self.rate_percent.data, gift_cap, giver_cap, Money(self.total.fen))


class TopUpForm(KeyedForm):
    """How much more the same sponsor promises."""

    more = GoalField(_l("How much more, yuan"), [DataRequired()])

    @property
    def money(self) -> Money:
        """Of a valid form."""
        if self.more.fen is None:
            raise ValueError("not validated")
        return Money(self.more.fen)


class WhyForm(Form):
    """Why it is opened or closed; closing needs a reason."""

    why = StringField(_l("Why"), [Optional(), Length(max=200)])
