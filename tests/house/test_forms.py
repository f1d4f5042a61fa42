"""Every form of the house: what has to be entered is asked for in words of its own, and blanks are nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, PasswordField, SelectField
from wtforms.validators import DataRequired, InputRequired

from listings import forms as listings_forms
from marketplace.accounts import forms as accounts_forms
from marketplace.core.forms import Form, KeyedForm, Needed
from marketplace.orders import forms as orders_forms
from marketplace.orders.batches import forms as batches_forms

ROOMS = (accounts_forms, batches_forms, listings_forms, orders_forms)
NOTHING = ["", "   ", "\u3000\u3000", "\u0000", " \u0000\u3000\t\n", "\u00a0\u2003", "\u200b\ufeff\u202e", "\u3164 \u2800"]


def kinds(kind: type[Form] = Form) -> Iterator[type[Form]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds(below)


HOUSE = sorted(
    {kind for kind in kinds() if kind.__module__ in {room.__name__ for room in ROOMS}}, key=lambda kind: kind.__name__
)


def opened(kind: type[Form], typed: dict[str, str] | None = None) -> Form:
    form = kind(None if typed is None else MultiDict(typed))
    for field in form:
        if isinstance(field, SelectField) and field.choices is None:
            field.choices = []
    return form


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "9" * 5000])
def test_no_number_is_too_large_to_be_refused(asked: None, number: str) -> None:
    seen = 0
    for kind in HOUSE:
        for name in [field.name for field in opened(kind) if isinstance(field, IntegerField) and field.label.text]:
            form = opened(kind, {name: number})
            assert not form.validate()
            if not name.startswith("seen_"):  # which nobody types
                assert form[name].errors and number in str(form[name]()), (kind, name)
                seen += 1
    assert seen > 5


def test_what_would_be_right_is_said_in_plain_words(asked: None) -> None:
    form = opened(listings_forms.DetailsForm, {"title": "米", "stock": "很多", "weight": "0", "tier_from": "99999"})
    assert not form.validate()
    assert form["title"].errors == ["要 2 到 40 个字，现在是 1 个。"]
    assert form["stock"].errors[0] == "请填整数，比如 2。"
    assert form["weight"].errors == ["填 1 到 100000 之间的数。"]
    assert form["tier_from"].errors == ["填 2 到 10000 之间的数。"]


def rules(field: Any) -> list[Any]:
    return [rule for rule in field.validators if isinstance(rule, Needed)]


@pytest.fixture
def asked(app: Flask) -> Iterator[None]:
    with app.test_request_context(), force_locale("zh_CN"):
        yield


@pytest.mark.parametrize("nothing", NOTHING)
def test_blanks_are_nothing_in_every_field_that_is_needed(asked: None, nothing: str) -> None:
    seen = 0
    for kind in HOUSE:
        for name in [field.name for field in opened(kind) if rules(field)]:
            form = opened(kind, {name: nothing})
            assert not form.validate()
            assert form[name].errors == [str(rules(form[name])[0].said)], (kind, name)
            seen += 1
    assert seen >= 30


def test_each_says_what_to_enter_in_its_own_words(asked: None) -> None:
    needed = [field for kind in HOUSE for field in opened(kind) if field.flags.required]
    said = {str(rules(field)[0].said) for field in needed}

    assert {sentence[0] for sentence in said} <= set("写填选")
    assert not [sentence for sentence in said if not sentence.endswith("。") or "必填" in sentence or "该" in sentence]
    assert len(said) >= 20
    for field in needed:
        assert not [rule for rule in field.validators if isinstance(rule, InputRequired | DataRequired)], field


def test_an_order_needs_somebody_somewhere(asked: None) -> None:
    form = opened(orders_forms.RecipientForm, {"recipient": " ", "city": "\u3000", "street": "\u0000"})
    form.validate()
    assert form.errors == {
        "recipient": ["写上收货人姓名。"],
        "phone": ["写上收货人手机号。"],
        "province": ["选一个省份。"],
        "city": ["写上城市和区县。"],
        "street": ["写上街道和门牌号。"],
    }


def test_what_is_entered_is_enough(asked: None) -> None:
    form = opened(accounts_forms.NameForm, {"name": "\u3000郭 "})
    assert form.validate() and form.data == {"name": "郭"}
    assert opened(
        listings_forms.PriceAndStockForm, {"price": "1", "stock": "0", "seen_stock": "0", "seen_price": "1"}
    ).validate()


def test_a_password_of_blanks_is_none_and_others_keep_theirs(asked: None) -> None:
    form = opened(accounts_forms.NewPasswordForm, {"password": "  two words  "})
    assert isinstance(form["password"], PasswordField)
    assert form.validate() and form["password"].data == "  two words  "


@pytest.mark.parametrize("name", ["next", "resume", "code"])
def test_what_nobody_typed_is_dropped_where_it_is_too_long(asked: None, name: str) -> None:
    form = opened(accounts_forms.CodeForm, {"address": "13800002045", "digits": "123456", name: "/" * 50_000})
    assert form.validate(), form.errors
    assert form[name].data == ""


def test_a_key_that_is_too_long_is_no_key(asked: None) -> None:
    first, second = (opened(KeyedForm, {"idempotency_key": "k" * 65})["idempotency_key"].data for _time in range(2))
    assert len(str(first)) == len(str(second)) == 16 and first != second
