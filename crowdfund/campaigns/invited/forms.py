"""What officers write on a list, and the code that its people enter."""

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import StringField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from crowdfund.campaigns.fields import check_contact
from marketplace.core.forms import Form, KeyedForm


class InvitationForm(KeyedForm):
    """Empty, the address makes a code."""

    address = StringField(_l("Phone or e-mail of their account"), [Optional(), Length(max=100), check_contact])
    note = StringField(_l("Whom it is for"), [Length(max=60)])

    def validate_note(self, field: StringField) -> None:
        if not field.data and not self.address.data:
            raise ValidationError(_("Say for whom the code is, so that you know it later."))


class CodeForm(Form):
    code = StringField(_l("Invitation code"), [InputRequired(_l("Enter the code that you were given.")), Length(max=40)])
