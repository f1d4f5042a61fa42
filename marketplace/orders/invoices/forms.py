"""What a buyer wants on an invoice, and what its issuer answers."""

from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import RadioField, StringField, ValidationError
from wtforms.validators import Length, Optional, Regexp

from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice
from marketplace.orders.invoices.requesting import Wanted
from marketplace.orders.invoices.states import InvoiceKind
from marketplace.orders.invoices.tax_numbers import UNIFIED, is_possible

KINDS: Final = [
    SelectChoice(InvoiceKind.PERSONAL.value, _l("For a person")),
    SelectChoice(InvoiceKind.COMPANY.value, _l("For a company")),
]
EMAIL: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


class InvoiceFields(Form):
    """For forms that ask for an invoice beside other things: nothing is wanted until a title is typed."""

    invoice_kind = RadioField(_l("Invoice"), choices=KINDS, default=InvoiceKind.PERSONAL.value, validate_choice=True)
    invoice_title = StringField(_l("Invoice title"), [Length(max=80)])
    tax_number = StringField(_l("Tax number"), [Optional(), Length(max=24)])
    invoice_email = StringField(
        _l("E-mail for the invoice"),
        [Optional(), Length(max=120), Regexp(EMAIL, message=_l("An e-mail address looks like name@example.com."))],
    )

    @property
    def wants_invoice(self) -> bool:
        typed = (self.invoice_title.data, self.tax_number.data, self.invoice_email.data)
        return any(typed) or self.invoice_kind.data == InvoiceKind.COMPANY

    def validate_invoice_title(self, field: StringField) -> None:
        if self.wants_invoice and not field.data:
            raise ValidationError(_("Enter the name that the invoice is for."))

    def validate(self, extra_validators: Any = None) -> bool:
        """What an invoice needs, once one is wanted."""
        is_valid = super().validate(extra_validators)
        if self.wants_invoice and not self.invoice_email.data:
            self.invoice_email.errors = [_("Enter the e-mail address that the invoice is sent to.")]
            is_valid = False
        if self.invoice_kind.data == InvoiceKind.COMPANY:
            is_valid = self.check_tax_number() and is_valid
        return is_valid

    def check_tax_number(self) -> bool:
        number = "".join((self.tax_number.data or "").upper().split())
        if is_possible(number):
            self.tax_number.data = number
            return True
        if not number:
            said = _("Enter the company's tax number.")
        elif len(number) == UNIFIED:
            said = _("This tax number cannot be right. Please compare it with the business licence.")
        else:
            said = _("A tax number has 15 to 20 letters and digits; this has %(num)s.", num=len(number))
        self.tax_number.errors = [said]
        return False

    @property
    def wanted(self) -> Wanted | None:
        """None where no invoice is wanted."""
        if not self.wants_invoice:
            return None
        kind = InvoiceKind(self.invoice_kind.data)
        number = str(self.tax_number.data or "") if kind is InvoiceKind.COMPANY else ""
        return Wanted(kind, str(self.invoice_title.data), str(self.invoice_email.data), number)


class InvoiceForm(KeyedForm, InvoiceFields):
    """On the order's page: whoever sends it wants one."""

    wants_invoice = True


class IssueForm(Form):
    number = StringField(
        _l("Invoice number"),
        [
            Needed(_l("Enter the number of the invoice.")),
            Length(min=8, max=30),
            Regexp(r"^[A-Za-z0-9-]+$", message=_l("It is made of letters, digits and hyphens only.")),
        ],
    )


class ReasonForm(Form):
    reason = StringField(_l("Reason"), [Needed(_l("Write down why. The buyer reads it.")), Length(max=120)])
