"""What may be entered about a review, and about a question."""

from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import Length

from listings.customer_reviews import words
from listings.customer_reviews.states import Reason
from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice

LONGEST: Final = 1000
LONGEST_ANSWER: Final = 500


def reasons() -> list[Any]:
    return [SelectChoice(reason.value, str(said)) for reason, said in words.REASONS.items()]


class ReviewForm(KeyedForm):
    stars = RadioField(_l("How is it?"), [Needed(_l("Choose how many stars."))])
    words = TextAreaField(_l("In your words"), [Needed(_l("Write a sentence about it.")), Length(max=LONGEST)])
    without = SelectMultipleField(_l("Take these pictures away"), validate_choice=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stars.choices = [SelectChoice(str(number), words.short_stars(number)) for number in words.STARS]


class ReasonForm(Form):
    """Why something is hidden, or reported: one of a closed list."""

    reason = RadioField(_l("Why"), [Needed(_l("Choose the reason. That somebody is not content is none."))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason.choices = reasons()

    @property
    def chosen(self) -> Reason:
        return Reason(str(self.reason.data))


class AnswerForm(Form):
    words = TextAreaField(_l("Your answer"), [Needed(_l("Write your answer.")), Length(max=LONGEST_ANSWER)])


class AppealForm(Form):
    words = TextAreaField(
        _l("Why it should be shown"), [Needed(_l("Write a sentence about it.")), Length(max=LONGEST_ANSWER)]
    )


class JudgementForm(Form):
    decision = RadioField(_l("Decision"), [Needed(_l("Choose what you decide."))])
    why = TextAreaField(_l("Why"), [Needed(_l("Write why.")), Length(max=LONGEST_ANSWER)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decision.choices = [
            SelectChoice("restore", str(_l("Show it again"))),
            SelectChoice("uphold", str(_l("It stays hidden"))),
        ]
