"""What officers enter to have a provider paid."""

import re
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from crowdfund.campaigns.budgets import BudgetChoice
from crowdfund.campaigns.campaign_forms import BUDGET_LINE, lines_of, sum_of
from crowdfund.campaigns.evidence import KINDS
from marketplace.core.formats import yuan
from marketplace.core.forms import Form, KeyedForm
from marketplace.core.money import Money, without_thousands

YUAN: Final = re.compile(r"\d{1,10}(\.\d{1,2})?")
NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?")
MOST_LINES: Final = 40
CREDIT_CODE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")  # GB 32100: no I, O, S, V, Z
EVIDENCE_WORDS = {"invoice": _l("Invoice"), "photo": _l("Photo"), "list": _l("Signed list")}


def check_credit_code(_form: Any, field: StringField) -> None:
    field.data = (field.data or "").upper().replace(" ", "")
    if len(field.data) != 18:
        raise ValidationError(_("This has %(num)s characters; a credit code has 18.", num=len(field.data)))
    if not CREDIT_CODE.fullmatch(field.data):
        raise ValidationError(_("A credit code has digits and capital letters, without I, O, S, V and Z."))


class InvoiceForm(KeyedForm):
    """Whose invoice is paid, and what part of the budget pays it."""

    budget_line = RadioField(_l("Budget item to charge"), [InputRequired()])
    provider = StringField(_l("Provider"), [DataRequired(), Length(max=60)])
    provider_credit_code = StringField(_l("Its unified social credit code"), [DataRequired(), Length(max=30)])
    invoice_number = StringField(_l("Invoice number"), [DataRequired(), Length(max=40)])

    def __init__(self, *args: Any, budget: list[BudgetChoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = _("%(name)s: %(taken)s of %(planned)s")
        self.budget_line.choices = [
            (
                str(line.position),
                said % {"name": line.name, "taken": yuan(line.taken_fen), "planned": yuan(line.planned_fen)},
            )
            for line in budget
        ]

    def validate_provider_credit_code(self, field: StringField) -> None:
        check_credit_code(self, field)

    def validate_invoice_number(self, field: StringField) -> None:
        field.data = (field.data or "").upper().replace(" ", "")


class BillForm(InvoiceForm):
    """A provider's bill that a campaign is to pay."""

    amount = StringField(_l("Amount, yuan"), [DataRequired(), Length(max=20)])
    lines = TextAreaField(_l("Lines of the invoice"), [Optional(), Length(max=2000)])
    purpose = StringField(_l("What it pays for"), [DataRequired(), Length(max=60)])

    def validate_amount(self, field: StringField) -> None:
        typed = without_thousands(field.data or "").removeprefix("¥").removesuffix("元").strip()
        if NUMBER.fullmatch(typed) and Decimal(typed) <= 0:
            raise ValidationError(_("The smallest amount is %(sum)s.", sum=yuan(1)))
        if not YUAN.fullmatch(typed):
            raise ValidationError(_("Write the sum in digits with at most two decimals, such as 4815.00."))

    def validate_lines(self, field: TextAreaField) -> None:
        if len(lines_of(field.data)) > MOST_LINES:
            raise ValidationError(_("At most %(num)s lines, please.", num=MOST_LINES))
        for line in lines_of(field.data):
            found = BUDGET_LINE.fullmatch(line)
            if found is None or not sum_of(found["sum"]):
                raise ValidationError(_("“%(line)s” is not a line. Write what it is and its sum in yuan.", line=line[:40]))
        together = sum(fen for _what, fen in self.bill_lines)
        if self.bill_lines and not self.amount.errors and together != self.money.fen:
            raise ValidationError(_("The lines add up to %(sum)s, not to the amount.", sum=yuan(together)))

    @property
    def bill_lines(self) -> tuple[tuple[str, int], ...]:
        found = [BUDGET_LINE.fullmatch(line) for line in lines_of(self.lines.data)]
        return tuple((each["name"].strip(), sum_of(each["sum"])) for each in found if each)

    @property
    def money(self) -> Money:
        """Of a valid form."""
        typed = without_thousands(self.amount.data or "").removeprefix("¥").removesuffix("元").strip()
        return Money(int(Decimal(typed) * 100))


class ReasonForm(Form):
    reason = TextAreaField(_l("Why"), [DataRequired(), Length(max=300)])


class ApprovalForm(Form):
    """`is_beyond`: it would take more than the budget has for its item."""

    why_beyond = TextAreaField(_l("Why it may cost more than planned"), [Length(max=300)])

    def __init__(self, *args: Any, is_beyond: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_beyond = is_beyond
        self.why_beyond.flags.required = is_beyond

    def validate_why_beyond(self, field: TextAreaField) -> None:
        if self.is_beyond and not (field.data or "").strip():
            raise ValidationError(_("Everybody reads why. Please say it."))


class BankForm(Form):
    bank_reference = StringField(_l("The bank's reference"), [DataRequired(), Length(max=60)])


class EvidenceForm(Form):
    """A file comes with it, which the view takes from the request."""

    kind = RadioField(_l("What it is"), [InputRequired()], default="invoice")
    words = StringField(_l("A few words"), [Optional(), Length(max=120)])
    is_public = BooleanField(_l("Anyone may open it: it shows no face and no child's name"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [(kind, EVIDENCE_WORDS[kind]) for kind in KINDS]
