"""What the leader of a team enters."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.fields import check_name
from crowdfund.campaigns.telling import ANONYMITY
from marketplace.core.forms import KeyedForm, SelectChoice


class TeamForm(KeyedForm):
    name = StringField(_l("What is the team called?"), [InputRequired(), Length(max=20), check_name])
    words = TextAreaField(_l("Why you raise together"), [Optional(), Length(max=200)])
    anonymity = RadioField(
        _l("How you are called on its page"),
        choices=[SelectChoice(value, words) for value, words in ANONYMITY.items()],
        default="masked",
    )
