"""Where devices are, in the same books as money: a piece of DEVICE:<model> moves from account to account.

A partner's promise opens the books: what is promised stands in `partner_committed` until it is brought, and what still
stands there is what the partner owes."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import Agreement, Device, Partner
from crowdfund.pledges.states import DeviceState as D
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.books import Account

WAREHOUSE: Final[Account] = ("device_warehouse", "")
FAULTY: Final[Account] = ("device_faulty", "")
LOST: Final[Account] = ("device_lost", "")


def commodity(model: str) -> str:
    return f"DEVICE:{model}"


def book_of(session: Session, agreement_id: int) -> str:
    """Devices of a demonstration never stand beside real ones."""
    wanted = select(Partner.is_demo).join(Agreement, Agreement.partner_code == Partner.code)
    return "test" if session.scalars(wanted.where(Agreement.id == agreement_id)).one() else "live"


def committed(agreement: str) -> Account:
    return "partner_committed", agreement


def place_of(device: Device) -> Account:
    """Where the books have a device that was brought, by its state and its station."""
    station = device.station_code or ""
    return {
        D.IN_TRANSIT: ("device_in_transit", station),
        D.AT_STATION: ("device_station", station),
        D.HANDED_OVER: ("device_delivered", station),
        D.FAULTY: FAULTY,
        D.LOST: LOST,
    }.get(device.state, WAREHOUSE)


def promise(session: Session, agreement: Agreement) -> None:
    """The agreement is signed: so many pieces are promised, and owed."""
    pieces = Money(agreement.quota, commodity(agreement.model_code))
    lines = {committed(agreement.public_id): pieces, ("device_quota", agreement.public_id): -pieces}
    key, book = f"device_promise:{agreement.public_id}", book_of(session, agreement.id)
    books.post(session, key=key, book=book, reference=agreement.public_id, lines=lines)


def carry(session: Session, device: Device, *, what: str, from_: Account, to: Account) -> None:
    """One piece goes from one place to another; `what` and the device make the key, so that it goes once."""
    piece = Money(1, commodity(device.model_code))
    key, book = f"device_{what}", book_of(session, device.agreement_id)
    books.post(session, key=key, book=book, reference=device.public_id, lines={to: piece, from_: -piece})


def debt(session: Session, agreement: Agreement) -> int:
    """How many devices the partner still owes."""
    book = book_of(session, agreement.id)
    return books.balance(session, *committed(agreement.public_id), book=book, commodity=commodity(agreement.model_code))
