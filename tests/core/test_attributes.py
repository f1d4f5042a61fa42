"""Attributes of form fields are, to the letter, what WTForms would have drawn."""

from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from flask import Flask
from hypothesis import example, given, strategies as st
from markupsafe import Markup
from wtforms import (  # type: ignore[attr-defined]  # the stubs do not know SelectChoice yet
    Form,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import core

from marketplace.core import attributes

ANYTHING = st.one_of(st.text(), st.text().map(Markup), st.booleans(), st.none(), st.integers())
NAMES = st.one_of(st.sampled_from(["class_", "for_", "data_seen_by", "aria_describedby", "value", "id"]), st.text())


class Door(Form):
    town = SelectField(
        choices=[SelectChoice("1", "太原 <北>"), SelectChoice("2", '"quoted"')], render_kw={"data_old": 'x"y'}
    )
    street = StringField("Street & <number>", render_kw={"required": True, "readonly": False})
    note = TextAreaField()


def as_it_comes() -> Any:
    """The module of WTForms, read once more, with nothing put in its place."""
    spec = spec_from_file_location("widgets_as_they_come", core.__file__)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


THEIRS = as_it_comes().html_params


@given(given=st.dictionaries(NAMES, ANYTHING, max_size=5))
@example(given={"value": Markup('<b class="x">'), 'a"<b': True, "class_": "x", "hidden": False, "data_a_b": 'y"'})
def test_each_attribute_is_drawn_as_theirs(given: dict[str, Any]) -> None:
    drawn = attributes.html_params(**given)
    assert isinstance(drawn, Markup) and str(drawn) == str(THEIRS(**given))


def test_every_field_is_drawn_by_it(app: Flask) -> None:
    assert core.Input.html_params is attributes.html_params and core.html_params is attributes.html_params
    form = Door(data={"town": "2", "street": '<"&>', "note": "</textarea>"})
    assert str(form.town()) == (
        '<select data-old="x&#34;y" id="town" name="town"><option value="1">太原 &lt;北&gt;</option>'
        '<option selected value="2">&#34;quoted&#34;</option></select>'
    )
    assert str(form.street()) == '<input id="street" name="street" required type="text" value="&lt;&#34;&amp;&gt;">'
    assert str(form.street.label()) == '<label for="street">Street &amp; &lt;number&gt;</label>'
    assert str(form.note()) == '<textarea id="note" name="note">\r\n&lt;/textarea&gt;</textarea>'
