import pytest
from flask import Flask
from flask_babel import force_locale, lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import DateField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.core.forms import Form, KeyedForm, Needed, SelectChoice


class Sample(Form):
    phone = StringField(validators=[Needed(_l("Enter your name."))])
    story = TextAreaField()
    password = PasswordField()


def fill(**typed: str) -> Sample:
    return Sample(MultiDict(typed))


def test_text_is_tidied_before_any_rule_looks(app: Flask) -> None:
    with app.test_request_context():
        form = fill(phone="\u3000１３８００００２０４５\u0000 ", story="一，\n二！\u202e", password=" ＡＢ ")

        assert form.validate()

    assert (form.phone.data, form.story.data, form.password.data) == ("13800002045", "一，\n二！", " ＡＢ ")


def test_text_is_bounded_and_kept(app: Flask) -> None:
    with app.test_request_context():
        form = fill(phone="1" * 201, story="字" * 4001)

        assert not form.validate()

    assert set(form.errors) == {"phone", "story"}
    assert form.phone.data == "1" * 201


def test_messages_speak_the_visitors_language(app: Flask) -> None:
    with app.test_request_context(), force_locale("zh_CN"):
        chinese = fill()
        chinese.validate()
        said = chinese.phone.errors[0]
    with app.test_request_context(), force_locale("en"):
        english = fill()
        english.validate()

    assert english.phone.errors == ["Enter your name."]
    assert said == "写上名字。"


def test_a_keyed_form_keeps_its_key(app: Flask) -> None:
    with app.test_request_context():
        new, again = KeyedForm(), KeyedForm(MultiDict({"idempotency_key": "k1"}))

    assert len(str(new.idempotency_key.data)) == 16
    assert again.idempotency("person:1") == ("person:1", "k1", {})


class Choices(Form):
    county = SelectField(choices=[SelectChoice("141028", "吉县")])
    day = DateField()
    why = StringField(validators=[InputRequired(), Length(max=3)])


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("zh_CN", ["请在这几个里选一个。", "日子这样写：2026-10-09。", "这里最多 3 个字，现在是 4 个。", "这一格还没填。"]),
        (
            "en",
            [
                "Please choose one of these.",
                "Please write a day like this: 2026-10-09.",
                "At most 3 characters fit in here; now there are 4.",
                "Please fill this in.",
            ],
        ),
    ],
)
def test_what_wtforms_says_by_itself_is_said_as_the_house_says_it(app: Flask, locale: str, told: list[str]) -> None:
    with app.test_request_context(), force_locale(locale):
        form = Choices(MultiDict({"county": "999999", "day": "yesterday", "why": "一二三四"}))
        empty = Choices(MultiDict({"county": "141028", "day": "2026-10-09", "why": ""}))
        assert not form.validate() and not empty.validate()
        said = [form.county.errors[-1], form.day.errors[-1], form.why.errors[-1], empty.why.errors[-1]]

    assert said == told
