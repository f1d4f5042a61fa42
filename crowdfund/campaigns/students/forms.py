"""What sponsors and officers enter about places of students."""

from datetime import date
from typing import Any

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from crowdfund.campaigns.disbursement_forms import InvoiceForm
from crowdfund.campaigns.fields import AmountField, check_contact, check_name
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.students import calendar, words
from crowdfund.campaigns.students.desk import Waiting
from crowdfund.campaigns.students.publishing import NUMBER, plain_number
from crowdfund.campaigns.students.queries import Place
from crowdfund.campaigns.telling import ANONYMITY
from marketplace.core import clock
from marketplace.core.formats import yuan
from marketplace.core.forms import Form, KeyedForm, SelectChoice
from marketplace.core.money import Money


class SponsorForm(KeyedForm):
    """Who sponsors, as far as they want to say it; nothing of it ever reaches the student."""

    name = StringField(_l("Your name"), [Optional(), Length(max=20), check_name])
    anonymity = RadioField(
        _l("In the public ledger"),
        choices=[SelectChoice(value, said) for value, said in ANONYMITY.items()],
        default="masked",
    )
    contact = StringField(_l("Phone or e-mail"), [Optional(), Length(max=100), check_contact])

    def giver(self, person_id: int | None, language: str) -> Giver:
        return Giver(
            name=str(self.name.data or ""),
            anonymity=str(self.anonymity.data),
            contact=str(self.contact.data or ""),
            person_id=person_id,
            language=language,
        )


class OtherPlaceForm(Form):
    place = RadioField(_l("Another student"), [InputRequired(_l("Choose one of the places."))])

    def __init__(self, *args: Any, places: tuple[Place, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = _("%(alias)s, %(stage)s, %(sum)s a month")
        self.place.choices = [
            (each.id, said % {"alias": each.alias, "stage": words.STAGES[each.stage], "sum": yuan(each.month_fen)})
            for each in places
        ]


def check_number(_form: Any, field: StringField) -> None:
    if not NUMBER.fullmatch(plain_number(field.data or "")):
        raise ValidationError(_("A student number has 6 to 24 letters and digits."))


class PlaceForm(KeyedForm):
    """A student's place; of the number only a keyed hash is kept."""

    stage = RadioField(
        _l("School"), [InputRequired()], choices=[SelectChoice(name, said) for name, said in words.STAGES.items()]
    )
    student_number = StringField(_l("Student number at the school"), [DataRequired(), Length(max=40), check_number])
    month = AmountField(_l("Each month, yuan"), [DataRequired()])

    @property
    def money(self) -> Money:
        """Of a valid form."""
        if self.month.fen is None:
            raise ValueError("not validated")
        return Money(self.month.fen)


class TermForm(Form):
    term = RadioField(_l("Which term"), [InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        both = calendar.to_open(clock.today())
        self.term.choices = [(each.starts_on.isoformat(), words.term(each.starts_on)) for each in both]

    @property
    def chosen(self) -> calendar.Term:
        """Of a valid form."""
        return calendar.Term(date.fromisoformat(str(self.term.data)))


class ProofForm(Form):
    """The paper comes with it, which the view takes from the request."""

    student_number = StringField(_l("Student number on the paper"), [DataRequired(), Length(max=40), check_number])


class TermReportForm(Form):
    words = TextAreaField(_l("What the sponsor reads of this term"), [DataRequired(), Length(max=500)])


class ReleaseForm(InvoiceForm):
    """Terms that are paid to one school on one invoice."""

    terms = SelectMultipleField(
        _l("Terms to pay"),
        [DataRequired(_l("Choose at least one term."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def __init__(self, *args: Any, waiting: list[Waiting], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.terms.choices = [
            (each.id, f"{each.alias} · {words.STAGES[each.stage]} · {words.term(each.starts_on)} · {yuan(each.fen)}")
            for each in waiting
        ]
