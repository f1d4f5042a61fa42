"""What buyers, stations and the province may enter about a case."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import HiddenField, IntegerField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, NumberRange, Optional
from wtforms.widgets import TextInput

from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice, dropped_beyond
from marketplace.orders import weights
from marketplace.orders.cases import spoiling, telling
from marketplace.orders.cases.queries import Askable
from marketplace.orders.cases.rules import EXCHANGED, Bearer, Kind, Wish
from marketplace.orders.forms import WholeNumberField

LONGEST: Final = 300


class RequestForm(KeyedForm):
    """What happened to one line; `request_form` says what may be chosen."""

    quantity = WholeNumberField(_l("How many"), [Needed(_l("Enter how many.")), NumberRange(1)], default=1)
    unit = HiddenField(filters=[dropped_beyond(4)])
    spoiled = StringField(validators=[Optional(), Length(max=10), weights.check_weight])
    spoiled_pieces = WholeNumberField(_l("How many are bad"), [Optional(), NumberRange(1)], widget=TextInput())
    kind = RadioField(_l("What happened"), [Needed(_l("Choose what happened."))])
    wish = RadioField(_l("What would help you"), [Needed(_l("Choose what would help you."))], default=Wish.REFUND.value)
    words = TextAreaField(_l("In your words"), [Needed(_l("Write a sentence about it.")), Length(max=1000)])

    @property
    def in_part(self) -> dict[str, int | None]:
        """How much of the packs is bad, if not all, in the names of `opening.open_case`. Call it once the form is valid."""
        grams = weights.to_grams(str(self.spoiled.data or ""), self.unit.data) if self.spoiled else None
        return {"spoiled_grams": grams, "spoiled_pieces": self.spoiled_pieces.data if self.spoiled_pieces else None}

    def idempotency(self, scope: str) -> tuple[str, str, Mapping[str, Any]]:
        """Without what was left empty: sent again, a line of which nothing is left has fields that it had not before."""
        whose, key, body = super().idempotency(scope)
        return whose, key, {name: value for name, value in body.items() if value not in (None, "")}

    def validate_wish(self, field: RadioField) -> None:
        kind = self.kind.data
        if field.data == Wish.EXCHANGE and kind in set(Kind) and Kind(kind) not in EXCHANGED:
            raise ValidationError(_("Only goods that are damaged or wrong can be exchanged."))


def request_form(line: Askable | None, sent: Any) -> RequestForm:
    """The form for a line; for one about which nothing can be asked any more it takes whatever could have been."""
    form = RequestForm(sent)
    kinds = line.kinds if line else tuple(Kind)
    form.kind.choices = [SelectChoice(kind.value, str(telling.KINDS[kind])) for kind in kinds]
    wishes = Wish if EXCHANGED & set(kinds) else (Wish.REFUND,)
    form.wish.choices = [SelectChoice(wish.value, str(telling.WISHES[wish])) for wish in wishes]
    form.spoiled.label.text = weights.worded(jin=_l("Bad, in jin"), kilograms=_l("Bad, in kg"))
    if sent is None:
        form.unit.data = weights.unit()
    if line and line.measure != spoiling.WEIGHT:
        del form.spoiled, form.unit
    if line and line.measure != spoiling.PIECE:
        del form.spoiled_pieces
    if sent is None:
        form.kind.data = kinds[0].value
    return form


class AnswerForm(Form):
    """Words that all parties read; needed where something is refused."""

    why = StringField(_l("In a sentence"), [Optional(), Length(max=LONGEST)])


class ReasonForm(Form):
    why = StringField(_l("Reason"), [Needed(_l("Write down why. The buyer reads it.")), Length(max=LONGEST)])


class WitnessForm(Form):
    """What the station sees of goods that were brought back."""

    quantity = IntegerField(_l("How many came back"), [Needed(_l("Enter how many came back.")), NumberRange(1)])
    condition = RadioField(
        _l("In what condition"),
        [Needed(_l("Choose how they came back."))],
        choices=[SelectChoice(condition.value, words) for condition, words in telling.CONDITIONS.items()],
    )
    why = StringField(_l("What you saw"), [Optional(), Length(max=LONGEST)])


class AppealForm(KeyedForm):
    words = TextAreaField(_l("What the province should know"), [Needed(_l("Write a sentence about it.")), Length(max=1000)])


LEAVE: Final = "leave"


class JudgementForm(Form):
    """Who bears the refund, or that it stays as it is; and why, which all parties read."""

    decision = RadioField(
        _l("Decision"),
        [Needed(_l("Choose a decision."))],
        choices=[
            *(SelectChoice(bearer.value, words) for bearer, words in telling.BEARERS.items()),
            SelectChoice(LEAVE, _l("It stays as it is")),
        ],
    )
    why = StringField(_l("Reason"), [Needed(_l("Write down why. All sides read it.")), Length(max=LONGEST)])

    @property
    def bearer(self) -> Bearer | None:
        """None: it stays as it is."""
        return None if self.decision.data == LEAVE else Bearer(str(self.decision.data))
