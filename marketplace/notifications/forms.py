"""What a person may enter about what they, and their machines, are told."""

from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import SelectMultipleField, StringField, ValidationError
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice
from marketplace.notifications.endpoints import WORDS
from marketplace.notifications.preferences import CHOICES, WAYS
from marketplace.notifications.reaching import LONGEST, BadAddress, read_address


class EndpointForm(KeyedForm):
    address = StringField(
        _l("Address"), [Needed(_l("Write the address, such as https://example.org/events.")), Length(max=LONGEST)]
    )
    kinds = SelectMultipleField(
        _l("What it is told"),
        [Needed(_l("Choose what it is told."))],
        choices=[SelectChoice(kind.value, words) for kind, words in WORDS.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )

    def validate_address(self, field: StringField) -> None:
        try:
            read_address(str(field.data or ""))
        except BadAddress:
            raise ValidationError(
                _("It begins with https:// and leads to a machine on the open internet, without a name or password in it.")
            ) from None


class PreferencesForm(Form):
    """One box for each kind and way."""

    wanted = SelectMultipleField(
        choices=[SelectChoice(f"{choice.kind}:{way}", choice.words) for choice in CHOICES for way in WAYS],
    )

    @property
    def pairs(self) -> set[tuple[str, str]]:
        return {(kind, way) for kind, _colon, way in (each.partition(":") for each in self.wanted.data or ())}
