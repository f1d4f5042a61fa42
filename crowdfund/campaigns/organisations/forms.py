"""What is copied from the register of the civil affairs authority."""

import re
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.disbursement_forms import check_credit_code
from crowdfund.campaigns.fields import check_name, check_year
from crowdfund.campaigns.organisations.models import FACTS
from marketplace.core.forms import Form, KeyedForm

CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DAY: Final = _l("Please write a day like this: 2026-10-09.")


class OrganisationForm(KeyedForm):
    code = StringField(_l("Short name for addresses and roles"), [InputRequired(), Length(max=40)])
    name_zh = StringField(_l("Name of the organisation"), [InputRequired(), Length(max=60), check_name])
    name_en = StringField(_l("Name in English"), [Optional(), Length(max=120)])
    credit_code = StringField(_l("Unified social credit code"), [InputRequired(), Length(max=30)])
    certificate_number = StringField(_l("Certificate for public fundraising"), [InputRequired(), Length(max=60)])
    certificate_from = DateField(_l("Valid from"), [InputRequired(DAY), check_year])
    certificate_until = DateField(_l("Valid until"), [InputRequired(DAY), check_year])
    address_zh = StringField(_l("Address"), [Optional(), Length(max=100)])
    phone = StringField(_l("Its telephone"), [Optional(), Length(max=30)])

    known = ""  # the credit code that the house has for it already

    def validate_credit_code(self, field: StringField) -> None:
        if not self.known or field.data != self.known:
            check_credit_code(self, field)

    def validate_code(self, field: StringField) -> None:
        field.data = (field.data or "").lower()
        if not CODE.fullmatch(field.data):
            raise ValidationError(_("Small letters, digits and hyphens, such as jinyang-youth."))

    def validate_certificate_until(self, field: DateField) -> None:
        if self.certificate_from.data and field.data and field.data <= self.certificate_from.data:
            raise ValidationError(_("The last day is before the first."))

    @property
    def facts(self) -> dict[str, Any]:
        return {name: self[name].data or "" for name in FACTS}


class RefusedForm(Form):
    why = StringField(_l("Why"), [Optional(), Length(max=200)])
