"""What an operator may type on the console."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length

from marketplace.core.forms import Form, Needed


class FindForm(Form):
    """By GET."""

    q = StringField(
        _l("Order number, end of a phone number, station, payment, receipt or tracking number"),
        [Needed(_l("Type a number or the name of a station.")), Length(max=100)],
        render_kw={"autocomplete": "off"},
    )
