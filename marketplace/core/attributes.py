"""Attributes of form fields, joined as plain text: WTForms formats each into markup that is then escaped piece by piece,
four times as slowly, and a page of a form has a hundred of them."""

from typing import Any

from markupsafe import Markup, escape
from wtforms import widgets
from wtforms.widgets import core
from wtforms.widgets.core import clean_key  # type: ignore[attr-defined]  # the stubs do not know it


def install() -> None:
    """For every field of every form."""
    widgets.html_params = core.html_params = html_params
    core.Input.html_params = staticmethod(html_params)  # type: ignore[method-assign]


def html_params(**attributes: Any) -> Markup:
    """To the letter what WTForms' function of this name answers."""
    drawn = []
    for key, value in sorted(attributes.items()):
        name = clean_key(key)
        if value is True:
            drawn.append(str(escape(name)))
        elif value is not False:
            said = str(escape(value)).replace('"', "&quot;")  # markup is not escaped, and may have quotes
            drawn.append(f'{escape(name)}="{said}"')
    return Markup(" ".join(drawn))
