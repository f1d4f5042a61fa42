"""What readers of the ledger and of receipts may ask for."""

import re
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, HiddenField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from crowdfund.campaigns.fields import check_year
from crowdfund.campaigns.ledger_rows import KINDS, LONGEST_NUMBER, OVERDUE, Asked
from crowdfund.campaigns.receipts import NUMBER
from marketplace.core.forms import Form

KIND_WORDS = {
    "gift": _l("Gift"),
    "match": _l("Matching gift"),
    "unmatch": _l("Match taken back"),
    "refund": _l("Refund"),
    "return": _l("Refund returned"),
    "disbursement": _l("Payment out"),
    "repayment": _l("Paid back by a provider"),
    "correction": _l("Not paid back after all"),
}


class RowsForm(Form):
    """Which rows of the ledger; everything may stay empty."""

    campaign = SelectField(_l("Campaign"), [Optional()])
    kind = SelectField(_l("Kind"), [Optional()])
    since = DateField(_l("Since"), [Optional(), check_year])
    until = DateField(_l("Until"), [Optional(), check_year])
    q = StringField(_l("Search"), [Optional(), Length(max=80)])
    before = HiddenField()

    def __init__(self, *args: Any, campaigns: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign.choices = [("", _("All campaigns")), *campaigns]
        kinds = [(kind, KIND_WORDS[kind]) for kind in KINDS]
        self.kind.choices = [("", _("In and out")), *kinds, (OVERDUE, _("Payments with overdue evidence"))]
        self.campaign.data, self.kind.data = self.campaign.data or "", self.kind.data or ""

    def validate_until(self, field: DateField) -> None:
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_("This is before the first day."))

    def asked(self) -> Asked:
        number = str(self.before.data or "")
        before = int(number) if number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER else 0
        words = {"kind": self.kind.data or "", "q": self.q.data or ""}
        return Asked(**words, since=self.since.data, until=self.until.data, before=before)


BARE: Final = re.compile(r"^(T?[0-9]{4})([0-9]{7,})$")  # as people read it aloud: without its stroke


class ReceiptForm(Form):
    """The number that is printed on a receipt."""

    number = StringField(_l("Receipt number"), [DataRequired(), Length(max=40)])

    def validate_number(self, field: StringField) -> None:
        digits = (field.data or "").upper().replace(" ", "")
        field.data = BARE.sub(r"\1-\2", digits)
        if not NUMBER.fullmatch(field.data):
            raise ValidationError(_("A receipt number looks like 2026-0000123, with a T in front for test money."))


class CodeForm(Form):
    """The code that is printed beside it."""

    code = StringField(_l("Check code"), [DataRequired(), Length(max=20)])
