"""What may be asked."""

from typing import Final

from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Length

from marketplace.core.forms import KeyedForm, Needed

LONGEST: Final = 300


class QuestionForm(KeyedForm):
    words = TextAreaField(_l("Your question"), [Needed(_l("Write your question.")), Length(max=LONGEST)])
