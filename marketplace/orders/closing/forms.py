"""What a manager counts when the day is closed."""

import re
from decimal import Decimal
from typing import Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import StringField, ValidationError
from wtforms.validators import Length, Optional

from marketplace.core.forms import Form

YUAN: Final = re.compile(r"\d{1,9}(\.\d{1,2})?")


class CountForm(Form):
    counted = StringField(_l("Counted in the drawer, yuan"), [Optional(), Length(max=20)])
    why = StringField(_l("Why it differs from the ledger"), [Optional(), Length(max=200)])

    def validate_counted(self, field: StringField) -> None:
        if not YUAN.fullmatch(plain(field.data)):
            raise ValidationError(_("Please write the amount in digits, such as 10 or 22.50."))

    @property
    def counted_fen(self) -> int | None:
        return int(Decimal(plain(self.counted.data)) * 100) if self.counted.data else None


def plain(typed: str | None) -> str:
    return (typed or "").replace(",", "").removeprefix("¥").removesuffix("元").strip()
