"""Some pledges of the past weeks, each as far as pledges.csv says, through the commands that people use."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import choosing, confirming, devices, handover, holding
from crowdfund.pledges.children import Officer
from crowdfund.pledges.confirming import Deposit
from crowdfund.pledges.models import Assignment, ChildCase, Device, Pledge
from marketplace.accounts import second_factor
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.demo.people import ids_of, person_id
from marketplace.demo.tables import Row, read

OUTCOMES: Final = ("provisional", "confirmed", "assigned", "sent", "at_station", "handed_over", "verified")
OFFICE: Final = "programme"
Noon = Callable[[int], datetime]


def play(session: Session, noon: Noon) -> None:
    vouchers = read("vouchers")
    for row in read("pledges"):
        live(session, row, vouchers[int(row["voucher"])], noon(int(row["days_ago"])))


def live(session: Session, row: Row, voucher: Row, began: datetime) -> None:
    """One step every few hours."""
    far = OUTCOMES.index(row["outcome"])
    issued = clock.today() - timedelta(days=int(voucher["issued_days_ago"]))
    with clock.at(began):
        token = choosing.enter(session, bank=voucher["bank"], number=voucher["number"], issued_on=issued)
        cards = choosing.deals_of(session, choosing.find(session, token))[0].cards
        code = holding.hold(session, token=token, case=cards[0]["case"], saver_id=None)
        holding.declare(session, code=code, phone=row["phone"])
    pledge = session.scalars(select(Pledge).where(Pledge.tracking_code == code)).one()
    if far >= 1:
        with clock.at(began + timedelta(hours=4)):
            deposit = Deposit(issued, voucher["branch"], voucher["band"], f"S{int(row['voucher']):05}")
            bank = {"bank": voucher["bank"], "actor": f"person:{person_id('bank')}"}
            confirming.confirm(session, pledge=pledge.public_id, deposit=deposit, **bank)
    office = f"person:{person_id(OFFICE)}"
    if far >= 2:
        with clock.at(began + timedelta(hours=20)):
            devices.assign(session, pledge=pledge.public_id, actor=office)
    carry(session, pledge, far, began, office)


def carry(session: Session, pledge: Pledge, far: int, began: datetime, office: str) -> None:
    """From the warehouse into the guardian's hands."""
    if far < 3:
        return
    case = session.get_one(ChildCase, pledge.case_id)
    reserved = select(Device.public_id).join(Assignment, Assignment.device_id == Device.id)
    device = session.scalars(reserved.where(Assignment.pledge_id == pledge.id)).one()
    clerk, witness = (person_id(f"{role}.{case.station_code}") for role in ("clerk", "station"))
    with clock.at(began + timedelta(hours=26)):
        devices.send(session, device=device, actor=office)
    if far >= 4:
        with clock.at(began + timedelta(hours=70)):
            devices.arrive(session, device=device, station=case.station_code, actor=f"person:{clerk}")
    keeper = Officer(0, f"person:{person_id('children')}", frozenset(), frozenset(), reaches_all=True)
    if far >= 5:
        with clock.at(began + timedelta(hours=96)):
            code = handover.issue_code(session, officer=keeper, case=case.public_id)
            found = ids_of(session, [clerk, witness])
            digits = second_factor.usable_code(session, found[witness])
            handover.hand_over(
                session,
                device=device,
                station=case.station_code,
                clerk_id=found[clerk],
                actor=f"person:{clerk}",
                witness=witness,
                witness_digits=digits or "",
                code=code,
                recipient="grandparent",
            )
            session.get_one(Person, found[witness]).totp_last_step = 0  # its clock had been set back
    if far >= 6:
        with clock.at(began + timedelta(hours=97)):
            handover.confirm_first_call(session, officer=keeper, case=case.public_id)
