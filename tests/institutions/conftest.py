"""A canteen that may owe 1000 yuan, in the small shop of tests/orders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from listings import offers
from marketplace.accounts.models import Person
from marketplace.auditing import audit
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import carts, fulfilment, placing, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.institutions import billing, checking, credit_codes, keeping, paying_bills
from marketplace.orders.institutions.models import AccountStatement, Institution
from marketplace.orders.institutions.states import InstitutionState
from marketplace.orders.placing import Recipient
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import quote
from marketplace.orders.states import ParcelState as S
from marketplace.payments import attempts
from tests import factories
from tests.orders.conftest import Shop, build_shop, parcels

CODE_BEGINS = "12140105MB1A2C3D4"
WHERE = Recipient("许桂香", "13835172045", "140000", "太原 小店区", "学府街 66 号")


def code(number: int = 0) -> str:
    """A valid code, another for each number."""
    first = f"{CODE_BEGINS[:-3]}{number:03}"
    return first + credit_codes.check_character(first)


def facts(**given: str) -> dict[str, str]:
    words = {"name": "示例小学食堂", "credit_code": code(), "kind": "canteen", "place": "太原市"}
    return words | {"contact": "许桂香", "phone": "13835172045", "invoice_title": "示例小学"} | given


@dataclass
class Canteen:
    shop: Shop
    public_id: str
    payer: Person
    operator: Person

    @property
    def row(self) -> Institution:
        db.session.rollback()
        return db.session.scalars(select(Institution).where(Institution.public_id == self.public_id)).one()

    def another(self) -> "Canteen":
        """The same canteen as another purchaser of it acts."""
        cook = factories.make_person()
        address = str(cook.email)
        given: dict[str, Any] = {"institution": self.public_id, "person_id": self.payer.id}
        in_transaction(keeping.add_member, **given, address=address, role=keeping.PURCHASER)
        return Canteen(self.shop, self.public_id, cook, self.operator)

    def order(self, coupon: str = "", /, **quantities: int) -> str:
        """Put on account; returns the number."""
        return in_transaction(self.place, quantities=quantities, coupon=coupon)

    def place(self, session: Any, *, quantities: dict[str, int], coupon: str = "") -> str:
        owner = CartOwner(self.payer.id, None)
        for name, quantity in quantities.items():
            carts.put(session, owner=owner, variant=getattr(self.shop, name), quantity=quantity)
        total = total_of(session, owner, coupon, self.public_id)
        given: dict[str, Any] = {"owner": owner, "recipient": WHERE, "pickup": set(), "language": "zh_CN", "coupon": coupon}
        return placing.place(session, **given, shown_total_fen=total, institution=self.public_id)

    def deliver(self, number: str) -> None:
        """Every parcel, as the desk does it step by step."""
        for parcel in parcels(number):
            send(parcel.public_id)
            in_transaction(fulfilment.deliver, parcel=parcel.public_id, station=None, actor="test")

    def check(self, parcel: str, claims: Mapping[str, checking.Claim] | None = None) -> str:
        given: dict[str, Any] = {"institution": self.public_id, "parcel": parcel, "claims": claims or {}, "words": ""}
        return in_transaction(checking.check, **given, person_id=self.payer.id)

    def accept_all(self, number: str) -> None:
        for parcel in parcels(number):
            if parcel.state in {S.DELIVERED, S.PICKED_UP}:
                self.check(parcel.public_id)

    def bill(self) -> AccountStatement:
        """On the first of the next month."""
        with clock.at(next_month()):
            assert in_transaction(billing.bill_due)
        return self.statements()[-1]

    def statements(self) -> list[AccountStatement]:
        db.session.rollback()
        return list(db.session.scalars(select(AccountStatement).order_by(AccountStatement.id)))

    def pay(self, statement: str) -> None:
        given: dict[str, Any] = {"institution": self.public_id, "statement": statement, "person_id": self.payer.id}
        attempt = in_transaction(paying_bills.start, **given)
        attempts.submit(attempt, return_url="http://localhost/", description=statement)
        self.shop.pay(statement)
        self.shop.work()


def total_of(session: Any, owner: CartOwner, coupon: str, institution: str) -> int:
    contents = carts.contents(session, owner)
    found = offers.find(session, [variant for variant, _quantity, _seen in contents])
    quoted = quote(contents, found, tariff=shipping.tariff(session, WHERE.province, clock.today()))
    buyer = Buyer(owner.person_id, WHERE.phone, institution)
    return choosing.reduced(session, quoted, code=coupon, buyer=buyer).total_fen


def send(parcel: str) -> None:
    step: dict[str, Any] = {"parcel": parcel, "station": None, "actor": "test"}
    in_transaction(fulfilment.accept, **step)
    in_transaction(fulfilment.collect, **step)
    in_transaction(fulfilment.pack, **step, shelf="A-1")
    in_transaction(fulfilment.ship, **step, carrier="邮政", tracking_number="123456")


def next_month() -> datetime:
    first = (clock.today().replace(day=1) + timedelta(days=32)).replace(day=1)
    return clock.start_of(first) + timedelta(hours=1)


def build_canteen(shop: Shop, *, limit_fen: int = 100_000, number: int = 0) -> Canteen:
    payer, operator = factories.make_person(), factories.make_person("operator", "finance_operator")
    public_id = in_transaction(keeping.apply, person_id=payer.id, facts=facts(credit_code=code(number)))
    decision: dict[str, Any] = {"institution": public_id, "person_id": operator.id}
    in_transaction(keeping.decide, **decision, to=InstitutionState.ACTIVE, why="")
    in_transaction(keeping.set_terms, **decision, limit_fen=limit_fen, statement_day=1, days_to_pay=15)
    return Canteen(shop, public_id, payer, operator)


@pytest.fixture
def canteen(app: Flask) -> Iterator[Canteen]:
    shop = build_shop(app)
    yield build_canteen(shop)
    shop.cashier.storage.dispose()


def differences(canteen: Canteen) -> list[str]:
    """What the audit finds wrong, read where nothing is committed."""
    db.session.rollback()
    with canteen.shop.cashier.storage.connect() as cashier:
        found = [each for each in audit.findings(db.session.connection(), cashier) if isinstance(each, Difference)]
    return [f"{each.check}: {each.words}" for each in found]
