"""From the station's hands into the guardian's: clerk and witness, a code that is good once; then the first call."""

import hmac
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import shelves
from crowdfund.pledges.children import Officer, get_case
from crowdfund.pledges.devices import get_device, reserved
from crowdfund.pledges.models import Assignment, ChildCase, Device, Handover, Pledge, Voucher
from crowdfund.pledges.refusals import OwnWitness, TookPart, VerifierHandsOver, WitnessUnknown, WrongCode, WrongStation
from crowdfund.pledges.states import CaseState as C, DeviceState as D, PledgeState as P, VoucherState as V
from crowdfund.pledges.steps import changed, move
from marketplace.accounts import second_factor
from marketplace.accounts.models import Grant, Person
from marketplace.core import audit, clock, ids
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import IllegalTransition
from marketplace.core.transitions import subject_of

CODE_LIFE: Final = timedelta(days=7)
STAFF: Final = ("station_manager", "station_clerk")


def issue_code(session: Session, *, officer: Officer, case: str) -> str:
    """A new code of six digits for the guardian, whom the officer tells it by phone; the one before is void.

    Raises NotFound, IllegalTransition while the device is not at the station."""
    row = get_case(session, case, officer)
    assignment = waiting_assignment(session, row)
    if assignment is None:
        raise IllegalTransition(case)
    digits = ids.digits(6)
    assignment.code_fingerprint = fingerprint(digits, f"handover:{assignment.public_id}")
    assignment.code_expires_at = clock.now() + CODE_LIFE
    audit.record(session, actor=officer.actor, action="handover_code.issued", subject=subject_of(row))
    return digits


def waiting_assignment(session: Session, case: ChildCase) -> Assignment | None:
    """Of the device that lies at the station for this child."""
    wanted = select(Assignment).join(Device, Device.id == Assignment.device_id)
    wanted = wanted.where(Assignment.case_id == case.id, Assignment.released_at.is_(None), Device.state == D.AT_STATION)
    return session.scalar(wanted.with_for_update(of=Assignment))


def witnesses(session: Session, *, station: str, clerk_id: int) -> list[Person]:
    """Who else works at this station."""
    wanted = (
        select(Person)
        .join(Grant, Grant.person_id == Person.id)
        .where(Grant.role.in_(STAFF), Grant.scope_kind == "station", Grant.scope_id == station)
        .where(Person.id != clerk_id, Person.is_active)
        .distinct()
        .order_by(Person.id)
    )
    return list(session.scalars(wanted))


def witness_of(session: Session, witness: str, *, station: str, clerk_id: int) -> Person:
    """Raises OwnWitness, WitnessUnknown."""
    found = session.scalar(select(Person).where(Person.public_id == witness))
    if found is not None and found.id == clerk_id:
        raise OwnWitness(witness)
    if found is None or found.id not in {person.id for person in witnesses(session, station=station, clerk_id=clerk_id)}:
        raise WitnessUnknown(witness)
    return found


def hand_over(
    session: Session,
    *,
    device: str,
    station: str,
    clerk_id: int,
    actor: str,
    witness: str,
    witness_digits: str,
    code: str,
    recipient: str,
) -> None:
    """The device is the child's. The witness proves that they stand there by their own authenticator.

    Raises WrongStation, IllegalTransition, OwnWitness, WitnessUnknown, VerifierHandsOver, WrongCode; nothing has
    happened then."""
    row = get_device(session, device)
    assignment, pledge, case = reserved(session, row)
    if case.station_code != station:
        raise WrongStation(device)
    if row.state is not D.AT_STATION:
        raise IllegalTransition(subject_of(row))
    here = shelves.place_of(row)
    second = witness_of(session, witness, station=station, clerk_id=clerk_id)
    if case.verifier_id in {clerk_id, second.id}:
        raise VerifierHandsOver(device)
    check_code(assignment, code)
    if not second_factor.is_right(session, person_id=second.id, digits=witness_digits):
        raise WitnessUnknown(witness)
    session.add(
        Handover(
            assignment_id=assignment.id,
            case_id=case.id,
            clerk_id=clerk_id,
            witness_id=second.id,
            verifier_id=case.verifier_id,
            recipient=recipient,
            method="code",
        )
    )
    assignment.code_fingerprint = None
    session.flush()
    move(session, row, D.AT_STATION, D.HANDED_OVER, actor=actor, why="handed over", station=station)
    if pledge.state is P.AT_STATION:  # else this one replaces another, and everything else has been done
        move(session, pledge, P.AT_STATION, P.HANDED_OVER, actor=actor, why="handed over", station=station)
        move(session, case, C.READY, C.DELIVERED, actor=actor, why="handed over", station=station)
        voucher = session.get_one(Voucher, pledge.voucher_id)
        move(session, voucher, V.VERIFIED, V.REDEEMED, actor=actor, why="handed over")
    who, subject = f"person:{second.public_id}", subject_of(row)
    audit.record(session, actor=who, action="handover.witnessed", subject=subject, recipient=recipient)
    to = shelves.place_of(row)
    shelves.carry(session, row, what=f"deliver:{assignment.public_id}", from_=here, to=to)
    changed(session)


def check_code(assignment: Assignment, code: str) -> None:
    """Good once, for a week, for this device only. Raises WrongCode."""
    typed = fingerprint(code, f"handover:{assignment.public_id}")
    is_live = assignment.code_expires_at is not None and assignment.code_expires_at > clock.now()
    if not is_live or not hmac.compare_digest(assignment.code_fingerprint or "", typed):
        raise WrongCode("handover")


def confirm_first_call(session: Session, *, officer: Officer, case: str) -> None:
    """The guardian says that it works: only now it is done.

    Raises IllegalTransition where nothing was handed over, TookPart for whoever handed it over or stood by."""
    row = get_case(session, case, officer)
    wanted = (
        select(Handover, Pledge)
        .join(Assignment, Assignment.id == Handover.assignment_id)
        .join(Device, Device.id == Assignment.device_id)
        .join(Pledge, Pledge.id == Assignment.pledge_id)
        .where(Handover.case_id == row.id, Handover.is_final)
        .where(Assignment.released_at.is_(None), Device.state == D.HANDED_OVER)
    )
    found = session.execute(wanted).first()
    if found is None:  # nothing was handed over, or it has to be replaced first
        raise IllegalTransition(case)
    handed, pledge = found[0], found[1]
    if officer.person_id in {handed.clerk_id, handed.witness_id}:
        raise TookPart(case)
    move(session, pledge, P.HANDED_OVER, P.VERIFIED, actor=officer.actor, why="first call made")
    move(session, row, C.DELIVERED, C.CONFIRMED, actor=officer.actor, why="first call made")
    changed(session)
