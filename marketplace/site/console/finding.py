"""What an operator looks for by whatever they were told: a number, the end of a phone number, a station. Never a name."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.pledges.models.pledges import Pledge
from listings.models import Listing
from marketplace.core import clock
from marketplace.core.encryption import fingerprint
from marketplace.core.formats import in_language
from marketplace.core.records import record
from marketplace.orders.batches.models import SettlementBatch
from marketplace.orders.desk import find_by_label
from marketplace.orders.forms import digits_of
from marketplace.orders.models import Order, Parcel
from marketplace.payments.models import Attempt, Refund
from marketplace.site.console.rows import listed_orders
from marketplace.stations.models import Station

MOST: Final = 50
ENDING: Final = re.compile(r"[0-9]{4,10}")
WHOLE: Final = re.compile(r"1[0-9]{10}")
LOOKED_BACK: Final = timedelta(days=30)
LOOKED_THROUGH: Final = 3_000
"""Orders whose phone numbers are read for their last digits. A hash of four digits beside each order would find them sooner,
and would give the digits away to whoever holds the database: there are ten thousand of them."""


@record
class Way:
    """A page that is about what was looked for."""

    words: LazyString
    name: str
    url: str


@record
class Found:
    orders: Sequence[Any]
    ways: tuple[Way, ...]
    by_ending: bool  # only the latest orders were looked through

    @property
    def is_empty(self) -> bool:
        return not self.orders and not self.ways


def find(session: Session, typed: str, roles: frozenset[str]) -> Found:
    """At most ten statements. `typed` is something."""
    text = typed.replace(" ", "")
    ways = (*stations(session, typed), *numbered(session, text, roles))
    by_ending = ENDING.fullmatch(text) is not None
    which = with_ending(session, text) if by_ending else named(session, text)
    wanted = listed_orders().where(which).order_by(Order.placed_at.desc(), Order.id.desc()).limit(MOST)
    return Found(session.execute(wanted).all(), ways, by_ending)


def named(session: Session, text: str) -> Any:
    """By its number or that of a parcel in it, or by the whole phone number."""
    if WHOLE.fullmatch(phone := digits_of(text)):
        return Order.phone_fingerprint == fingerprint(phone, "order.phone")
    parcel = find_by_label(session, None, text)
    of_parcel = select(Parcel.order_id).where(Parcel.public_id == parcel)
    return (Order.number == text.upper()) | Order.id.in_(of_parcel)


def with_ending(session: Session, digits: str) -> Any:
    recent = select(Order.id, Order.phone).where(Order.placed_at >= clock.now() - LOOKED_BACK)
    rows = session.execute(recent.order_by(Order.placed_at.desc()).limit(LOOKED_THROUGH))
    return Order.id.in_([row.id for row in rows if row.phone.endswith(digits)][:MOST])


def stations(session: Session, typed: str) -> list[Way]:
    word = typed.removesuffix("站").strip()
    names = (Station.name_zh.icontains(word, autoescape=True), Station.name_en.icontains(word, autoescape=True))
    wanted = select(Station.code, Station.name_zh, Station.name_en).where(or_(Station.code == word, *names))
    rows = session.execute(wanted.order_by(Station.code).limit(MOST)) if word else ()
    here = "/operator/parcels?which=open&station="
    return [Way(_l("Station"), in_language(row.name_zh, row.name_en), f"{here}{row.code}") for row in rows]


def numbered(session: Session, text: str, roles: frozenset[str]) -> list[Way]:
    """What has this very number."""
    upper, ways = text.upper(), []
    if session.scalar(select(SettlementBatch.id).where(SettlementBatch.public_id == upper)):
        ways.append(Way(_l("Settlement batch"), upper, f"/operator/settlements/{upper}"))
    if session.scalar(select(Receipt.id).where(Receipt.public_id == upper)):
        ways.append(Way(_l("Receipt of a gift"), upper, f"/receipts/{upper}"))
    pledge = select(Pledge.tracking_code).where(Pledge.tracking_code.in_({text, upper, text.lower()}))
    if code := session.scalar(pledge.limit(1)):  # whoever has it may follow the pledge
        ways.append(Way(_l("Deposit pledge"), code, f"/pledges/{code}"))
    if "operator" in roles and session.scalar(select(Listing.id).where(Listing.code == upper)):
        ways.append(Way(_l("Goods"), upper, f"/operator/listings/{upper}"))
    if attempt := attempt_of(session, text):
        ways.append(Way(_l("Payment"), text, f"/operator/payments/{attempt}"))
    return ways


def attempt_of(session: Session, text: str) -> str | None:
    """The payment of this number, ours or the provider's, or that of a refund. Two statements."""
    same = (Attempt.public_id == text.lower(), Attempt.remote_id == text, Attempt.reference.in_((text, text.upper())))
    found = session.scalar(select(Attempt.public_id).where(or_(*same)).order_by(Attempt.id.desc()).limit(1))
    refunds = select(Attempt.public_id).join(Refund, Refund.attempt_id == Attempt.id)
    of_refund = refunds.where(or_(Refund.public_id == text.lower(), Refund.remote_id == text)).limit(1)
    return found or session.scalar(of_refund)
