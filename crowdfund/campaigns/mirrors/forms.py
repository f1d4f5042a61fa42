"""What officers send of a platform."""

from flask_babel import lazy_gettext as _l
from wtforms import FileField

from marketplace.core.forms import KeyedForm


class FileForm(KeyedForm):
    """The file itself is read by the view."""

    file = FileField(_l("The platform's export, as CSV"))
