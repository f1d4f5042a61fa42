"""What a person may enter about a favourite."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField
from wtforms.validators import Length, Optional

from listings.forms import YuanField
from marketplace.core.forms import Form, Needed


class FavouriteForm(Form):
    """Which pack to keep in mind: sent twice, it is kept once."""

    variant = HiddenField(_l("Pack size"), [Needed(_l("Choose a pack.")), Length(max=64)])
    here = HiddenField("", [Length(max=2000)])
    """The list whose heart was pressed, to come back to."""


class AlertsForm(Form):
    tells_price = BooleanField(_l("Tell me when it is cheaper"))
    wish = YuanField(_l("At or below this price"), [Optional(), Length(max=20)])
    tells_return = BooleanField(_l("Tell me when it is back: in stock, for sale again, in season"))
