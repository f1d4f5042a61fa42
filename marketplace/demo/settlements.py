"""What was paid out in the demonstration's past, through the real commands: one batch is closed, one waits for approval."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.demo.people import ids_of, person_id, seller_person
from marketplace.demo.tables import read
from marketplace.orders.batches import approving, confirming, drafting, payees
from marketplace.orders.batches.models import BatchLine, PayoutAccount
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.states import LineState
from marketplace.stations.models import Seller

PAID, DRAFTED, UNVERIFIED = "140430", "141031", "141129"  # a station's code each
BANK: Final = "演示农商银行"
FINANCE: Final = ("operator", "operator2")

Deed = tuple[datetime, Callable[[], None]]


def deeds() -> list[Deed]:
    """(when, what): accounts are entered and verified, a batch is paid, another one is drafted."""
    now = clock.now()
    entered = [(now - timedelta(days=18, minutes=number), partial(enter, each)) for number, each in enumerate(accounts())]
    return [*entered, (now - timedelta(days=16), pay), (now - timedelta(hours=2), draft)]


def accounts() -> list[tuple[Owner, str, str]]:
    """Owner, who enters it, and the number, which belongs to no account."""
    sellers = [row["code"] for row in read("sellers") if row["county_code"] in {PAID, DRAFTED, UNVERIFIED}]
    found: list[tuple[Owner, str]] = [(("seller", seller_person(code)), seller_person(code)) for code in sellers]
    found += [(("station", code), person_id(f"station.{code}")) for code in (PAID, DRAFTED)]
    return [(owner, person, f"99{number:014}") for number, (owner, person) in enumerate(found, start=1)]


def enter(account: tuple[Owner, str, str]) -> None:
    in_transaction(keep_and_verify, account=account)


def keep_and_verify(session: Session, *, account: tuple[Owner, str, str]) -> None:
    """As the payee enters it and, half an hour later, the province verifies it."""
    (kind, whose), person, number = account
    ids = ids_of(session, [person, *map(person_id, FINANCE)])
    names: dict[str, Any] = {row["code"]: row["head_zh"] for row in read("stations")}
    shop = session.get(Seller, ids[person])
    holder = shop.name_zh if kind == "seller" and shop else names[whose]
    typed = {"holder": holder, "bank": BANK, "number": number}
    payees.keep(session, owner_kind=kind, owner=whose, person_id=ids[person], **typed)
    if kind == "seller" and shop and shop.station_code == UNVERIFIED:
        return
    session.flush()
    row = session.scalars(select(PayoutAccount).where(PayoutAccount.owner_kind == kind, PayoutAccount.owner == whose)).one()
    with clock.at(clock.now() + timedelta(minutes=30)):
        verified = {"account": row.public_id, "number": number}
        payees.verify(session, revision=row.revision, person_id=ids[person_id("operator")], **verified)


def finance(session: Session) -> Sequence[int]:
    ids = ids_of(session, [person_id(name) for name in FINANCE])
    return [ids[person_id(name)] for name in FINANCE]


def draft() -> None:
    first, _second = in_transaction(finance)
    in_transaction(drafting.draft, station=DRAFTED, drafter_id=first)


def pay() -> None:
    """Drafted, approved two hours later, sent to the bank, and answered the next day."""
    first, second = in_transaction(finance)
    began = clock.now()
    batch = in_transaction(drafting.draft, station=PAID, drafter_id=first)
    with clock.at(began + timedelta(hours=2)):
        in_transaction(approving.approve, batch=batch, approver_id=second)
    with clock.at(began + timedelta(hours=3)):
        in_transaction(approving.send, batch=batch, way="file", actor=f"person:{first}")
    with clock.at(began + timedelta(hours=26)):
        in_transaction(confirm_all, batch=batch, actor=f"person:{first}")


def confirm_all(session: Session, *, batch: str, actor: str) -> None:
    for line in session.scalars(select(BatchLine.public_id).where(BatchLine.state == LineState.SENT)).all():
        confirming.confirm(session, batch=batch, line=line, reference=f"DEMO-{line[:8]}", actor=actor)
