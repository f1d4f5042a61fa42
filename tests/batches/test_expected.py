"""What a seller's first page says of money: only days that were set, and never another's."""

from datetime import UTC, datetime

import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.accounts.models import Person
from marketplace.core.db import db
from tests.batches.conftest import Finance
from tests.batches.test_paying_out import ready
from tests.factories import sign_in_as

OCTOBER = datetime(2026, 10, 18, 4, 0, tzinfo=UTC)
DAY = 86_400


def test_the_day_of_a_payment_stands_on_the_sellers_first_page(finance: Finance, client: FlaskClient) -> None:
    ready(finance)
    with time_machine.travel(OCTOBER, tick=False) as traveller:
        sign_in_as(client, db.session.scalars(select(Person).where(Person.public_id == finance.feng[1])).one())
        assert "¥36.62" in client.get("/seller").text and "随站里下一批打款" in client.get("/seller").text
        batch = finance.draft()
        finance.approve(batch)
        traveller.shift(DAY)
        finance.send(batch)
        traveller.shift(DAY)
        assert "10月19日打出 ¥36.62，等银行到账" in client.get("/seller").text
        finance.confirm(batch, finance.feng)
        assert "上次10月20日到账 ¥36.62" in client.get("/seller").text
        finance.settle(finance.feng, 500)
        assert "上次10月20日到账 ¥36.62，这些随下一批" in client.get("/seller").text
        traveller.shift(DAY)
        drafted = finance.draft()
        finance.settle(finance.feng, 300)
        page = client.get("/seller").text  # what came since is owed as well, and not in that payment
        assert "¥8.00" in page and "其中 ¥5.00 10月21日列进了打款单" in page
        finance.approve(drafted)
        finance.send(drafted)
        finance.send_back(drafted, finance.feng)
        page = client.get("/seller").text  # it came back: owed again, and no day is promised
        assert "上次10月20日到账 ¥36.62，这些随下一批" in page and "¥8.00" in page
