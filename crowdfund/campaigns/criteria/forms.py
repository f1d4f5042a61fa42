"""What officers enter: the limits of a campaign, and lists of whom a payment reached."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length

from crowdfund.campaigns.campaign_forms import lines_of, sum_of
from crowdfund.campaigns.criteria.reaching import Reached
from crowdfund.campaigns.fields import AmountField
from marketplace.core.forms import Form

MOST_LINES: Final = 400
MOST_BENEFICIARIES: Final = 100_000
BETWEEN: Final = re.compile(r"[\s、,，;；]+")
SUM: Final = r"¥?(?P<sum>\d+(,\d{3})*(\.\d{1,2})?)\s*元?"
LINE: Final = re.compile(rf"(?P<name>\S.{{0,58}}?\S?)[\s,，]+(?P<county>[^\s,，]+)[\s,，]+{SUM}")


class CriteriaForm(Form):
    """Counties by their Chinese names."""

    counties = TextAreaField(_l("Counties in which the beneficiaries are"), [DataRequired(), Length(max=600)])
    most = StringField(_l("How many beneficiaries at most"), [DataRequired(), Length(max=8)])
    each = AmountField(_l("How much for each at most, yuan"), [DataRequired(), Length(max=20)])

    def __init__(self, *args: Any, known: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def validate_counties(self, field: TextAreaField) -> None:
        for name in self.names:
            if name not in self.known:
                raise ValidationError(_("“%(name)s” is none of our counties.", name=name[:20]))

    def validate_most(self, field: StringField) -> None:
        typed = (field.data or "").strip()
        if not (typed.isascii() and typed.isdigit() and 0 < int(typed) <= MOST_BENEFICIARIES):
            raise ValidationError(_("Please write a whole number from 1 to %(most)s.", most=MOST_BENEFICIARIES))

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(filter(None, BETWEEN.split(self.counties.data or ""))))

    @property
    def limits(self) -> dict[str, Any]:
        """Of a valid form."""
        codes = [self.known[name] for name in self.names]
        return {"counties": codes, "most": int(str(self.most.data).strip()), "each_fen": self.each.fen}


class ReachedForm(Form):
    """One a line: what the organisation's list calls them, the county, the sum."""

    reached = TextAreaField(_l("One a line: as your list says, county, yuan"), [DataRequired(), Length(max=30_000)])

    def __init__(self, *args: Any, known: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def validate_reached(self, field: TextAreaField) -> None:
        if len(lines_of(field.data)) > MOST_LINES:
            raise ValidationError(_("At most %(num)s lines, please.", num=MOST_LINES))
        for line in lines_of(field.data):
            found = LINE.fullmatch(line)
            if found is None or not sum_of(found["sum"]):
                raise ValidationError(_("“%(line)s” is not a line. Write a name, a county and a sum.", line=line[:40]))
            if found["county"] not in self.known:
                raise ValidationError(_("“%(name)s” is none of our counties.", name=found["county"][:20]))

    @property
    def list(self) -> list[Reached]:
        """Of a valid form."""
        found = [LINE.fullmatch(line) for line in lines_of(self.reached.data)]
        return [Reached(each["name"], self.known[each["county"]], sum_of(each["sum"])) for each in found if each]
