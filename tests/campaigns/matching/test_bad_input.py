"""What an officer may type of a sponsor's promise: each mistake is named by its field, and nothing typed is lost."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns.matching.models import MatchingFund
from marketplace.core.db import db
from tests.campaigns.conftest import Fund, hidden, post
from tests.campaigns.matching.test_pages import DESK, typed
from tests.factories import sign_in_as

EMPTY = ("这一格还没填。", "Please fill this in.")
WHOLE = ("请填整数，比如 2。", "Enter a whole number, such as 2.")
RANGE = ("填 1 到 1000 之间的数。", "Enter a number from 1 to 1000.")
TOO_MUCH = ("最多 ¥10,000,000.00。", "The maximum is ¥10,000,000.00.")
WRONG = {
    ("rate_percent", "0"): RANGE,
    ("rate_percent", "-1"): RANGE,
    ("rate_percent", "9" * 400): RANGE,
    ("rate_percent", "ten"): WHOLE,
    ("rate_percent", "0.001"): WHOLE,
    ("rate_percent", "1e9"): WHOLE,
    ("rate_percent", "😀"): WHOLE,
    ("rate_percent", ""): EMPTY,
    ("rate_percent", " "): EMPTY,
    ("sponsor", "\u3164\u3164"): EMPTY,  # a letter that nobody sees
    ("total", "99999999999999"): TOO_MUCH,
    ("giver_cap", "9" * 150): TOO_MUCH,
}


@pytest.fixture
def officer(fund: Fund) -> FlaskClient:
    client = fund.browser()
    sign_in_as(client, fund.officer)
    return client


def drafted() -> list[int]:
    db.session.rollback()
    return list(db.session.scalars(select(MatchingFund.total_fen).order_by(MatchingFund.id)))


@pytest.mark.parametrize(("field", "wrong"), WRONG)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_wrong_is_said_as_it_is(fund: Fund, officer: FlaskClient, field: str, wrong: str, language: str) -> None:
    officer.set_cookie("lang", language)
    answer = post(officer, f"{DESK}/new?campaign={fund.open()}", typed(**{field: wrong}))

    assert answer.status_code == 422
    note = re.sub(r"<[^>]+>", "", answer.text.split(f'id="{field}-note"')[1].split("</p>")[0]).partition(">")[2]
    assert note == WRONG[field, wrong][language == "en"]
    assert f'id="{field}"' in answer.text and f'value="{wrong}"' in answer.text
    assert drafted() == []


def test_a_form_that_went_back_and_was_changed_is_kept_and_may_be_sent_again(fund: Fund, officer: FlaskClient) -> None:
    form = f"{DESK}/new?campaign={fund.open()}"
    key = hidden(officer.get(form), "idempotency_key")
    assert post(officer, form, typed(idempotency_key=key)).status_code == 303

    changed = post(officer, form, typed(idempotency_key=key, total="4000"))

    assert changed.status_code == 409 and "要再登记一笔，就再按一次。" in changed.text and 'value="4000"' in changed.text
    assert drafted() == [300_000]
    again = hidden(changed, "idempotency_key")
    assert post(officer, form, typed(idempotency_key=again, total="4000")).status_code == 303
    assert drafted() == [300_000, 400_000]
