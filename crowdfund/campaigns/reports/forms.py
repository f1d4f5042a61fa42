"""What officers write in a report, and what a second person says to it."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from marketplace.core.forms import Form, KeyedForm

LONGEST = 6000


class ReportForm(KeyedForm):
    words = TextAreaField(_l("What was done in these days, and for whom"), [DataRequired(), Length(max=LONGEST)])


class PublicationForm(Form):
    """`seen` is the hash of what stood on the page."""

    seen = HiddenField()


class ReturnForm(Form):
    reason = StringField(_l("Why it goes back"), [DataRequired(), Length(max=300)])
