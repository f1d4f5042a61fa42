import pytest
from flask import Flask, get_template_attribute
from wtforms import Form, SelectField, StringField
from wtforms.validators import InputRequired


class Asked(Form):
    name = StringField("Name", [InputRequired()])
    note = StringField("Note")
    place = SelectField("Place", [InputRequired()])


@pytest.mark.parametrize(("name", "is_required"), [("name", True), ("note", False), ("place", False)])
def test_only_what_must_be_typed_is_called_required(app: Flask, name: str, is_required: bool) -> None:
    with app.test_request_context():
        written = str(get_template_attribute("ui/forms.html", "field")(Asked()[name]))

    assert (" required" in written) is is_required
