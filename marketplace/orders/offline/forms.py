"""What a person enters who decides about an act that does not fit."""

from typing import Any

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import RadioField, StringField, ValidationError
from wtforms.validators import Length

from marketplace.core.forms import Form, Needed
from marketplace.orders.offline.states import Decision, Problem
from marketplace.orders.offline.words import DECISION_WORDS

SERIOUS = frozenset({Problem.HANDED_OVER_TWICE, Problem.WRONG_CODE, Problem.DISPUTED})


class DecisionForm(Form):
    decision = RadioField(_l("What do you decide?"), [Needed(_l("Choose one of these."))], validate_choice=True)
    note = StringField(_l("What you found out"), [Length(max=200)])
    problem: Problem | None = None

    def validate_note(self, field: StringField) -> None:
        if self.problem in SERIOUS and not field.data:
            raise ValidationError(_("Goods may be gone: write down what you found out."))


def decision_form(problem: Problem, choices: tuple[Decision, ...], sent: Any = None) -> DecisionForm:
    """The form for what can be decided here. Between several nothing is chosen beforehand: what is set aside is gone."""
    form = DecisionForm(sent)
    form.problem = problem
    form.decision.choices = [(choice.value, str(DECISION_WORDS[choice])) for choice in choices]
    if not sent and len(choices) == 1:
        form.decision.data = choices[0].value
    return form
