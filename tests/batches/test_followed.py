"""Followed by the links of the pages alone: a payment for several orders, or for a place in a presale, to the bank line that
pays its seller, and back."""

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import settlement
from marketplace.orders.batches import approving, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount
from marketplace.orders.models import OrderLine
from marketplace.payments.models import Attempt
from marketplace.payments.operator import following
from tests.factories import STATION, make_person, signed_in
from tests.institutions.conftest import Canteen, canteen, next_month
from tests.orders.conftest import parcels, shop
from tests.presales.conftest import Orchard, orchard
from tests.presales.test_lives import send

__all__ = ["canteen", "orchard", "shop"]


def pay_the_seller(number: str) -> str:
    """A batch with the seller of this order; the address of the line that pays them."""
    (seller,) = set(db.session.scalars(select(OrderLine.seller_public_id)).all())
    people = [make_person("finance_operator").id for _each in range(2)]
    typed: Any = {"owner_kind": "seller", "owner": seller, "person_id": people[0]}
    in_transaction(payees.keep, **typed, holder="冯建国", bank="山西农信", number="6217000000000001")
    account = db.session.scalars(select(PayoutAccount)).one()
    seen: Any = {"account": account.public_id, "number": account.number, "revision": account.revision}
    in_transaction(payees.verify, **seen, person_id=people[1])
    batch = in_transaction(drafting.draft, station=STATION, drafter_id=people[0])
    in_transaction(approving.approve, batch=batch, approver_id=people[1])
    in_transaction(approving.send, batch=batch, way="file", actor=f"person:{people[0]}")
    db.session.rollback()
    line = db.session.scalars(select(BatchLine).where(BatchLine.owner == seller)).one()
    return f"/operator/settlements/{batch}/lines/{line.public_id}"


def links(browser: FlaskClient, address: str) -> dict[str, str]:
    page = browser.get(address)
    assert page.status_code == 200, address
    main = page.text.partition("<main")[2].partition("</main>")[0]
    found = re.findall(r'<a class="(?:link|chip)" href="([^"]+)"[^>]*>(.*?)</a>', main)
    return {re.sub("<[^>]+>", "", words): html.unescape(url) for url, words in found}


def settled(words: dict[str, str]) -> dict[str, str]:
    return {key: url for key, url in words.items() if key.startswith("settle:")}


def test_a_place_in_a_presale(orchard: Orchard) -> None:
    orchard.open()
    made = orchard.paid()
    orchard.paid(orchard.two, "b@example.test")
    orchard.end()
    orchard.answer(made)
    orchard.harvest()
    number = str(orchard.backing(made).order_number)
    send(number)
    in_transaction(settlement.confirm, number=number, parcel=parcels(number)[0].public_id, actor="guest")
    line = pay_the_seller(number)
    attempt = db.session.scalars(select(Attempt.public_id).where(Attempt.reference == made)).one()
    browser = orchard.shop.browser()
    signed_in(browser, "auditor")

    page = f"/operator/payments/{attempt}"
    assert line in settled(links(browser, page)).values()
    assert f"release:{orchard.presale}:start" in browser.get(page).text
    back = links(browser, links(browser, line)[number])
    assert back == {made: f"{page}?of={number}"}


@pytest.mark.parametrize("orders", [2, following.FEW + 1])
def test_a_statement(canteen: Canteen, orders: int) -> None:
    numbers = [canteen.order(apples=1) for _each in range(orders)]
    for number in numbers:
        canteen.deliver(number)
        canteen.accept_all(number)
    statement = canteen.bill().public_id
    with clock.at(next_month()):
        canteen.pay(statement)
        for number in numbers:
            in_transaction(settlement.confirm, number=number, parcel=parcels(number)[0].public_id, actor="canteen")
        line = pay_the_seller(numbers[0])
        browser = canteen.shop.browser()
        signed_in(browser, "auditor")

        attempt = db.session.scalars(select(Attempt.public_id).where(Attempt.reference == statement)).one()
        page = f"/operator/payments/{attempt}"
        shown = links(browser, page)
        if orders > following.FEW:
            assert not settled(shown) and shown[numbers[0]] == f"{page}?of={numbers[0]}#books"
            shown = links(browser, shown[numbers[0]])
            assert numbers[1] not in browser.get(shown[numbers[0]]).text.partition("settle:")[2]
        assert list(settled(shown).values()).count(line) == (1 if orders > following.FEW else orders)
        back = links(browser, links(browser, line)[numbers[0]])
        assert back == {statement: f"{page}?of={numbers[0]}"}
        assert links(browser, f"/operator/refunds?number={numbers[0]}") == {}
        assert links(browser, f"{page}?of=SX-OTHER") == links(browser, page)
