"""A child's case, from the school that names the child to the list of cards; and down from it, when consent is withdrawn."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.pledges import aliases, freezing, vault
from crowdfund.pledges.models import ChildCase, Consent
from crowdfund.pledges.refusals import ConsentMissing, NotYourCase, SamePerson
from crowdfund.pledges.states import CLOSINGS, NEEDED, OUT, CaseState as C
from crowdfund.pledges.steps import begin, changed, move
from crowdfund.pledges.vault import Identity
from marketplace.core import audit, clock
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import IllegalTransition, NotFound
from marketplace.core.records import record
from marketplace.core.transitions import subject_of

CONSENT_TEXT: Final = "2026-10"  # the version of the paper that guardians sign
OLDEST: Final = 14  # years


@record
class Officer:
    """Somebody who works on cases: who they are, by which roles, and how far those reach."""

    person_id: int
    actor: str
    roles: frozenset[str]
    counties: frozenset[str]
    reaches_all: bool = False

    def reaches(self, county: str) -> bool:
        return self.reaches_all or county in self.counties


def age_band(birth: date, today: date) -> str | None:
    """The band of a child's age; born on 29 February, they are a year older on 1 March. None for who is out of range."""
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return "6-8" if 6 <= age <= 8 else "9-11" if age <= 11 and age > 8 else "12-14" if 12 <= age <= OLDEST else None


def get_case(session: Session, case: str, officer: Officer) -> ChildCase:
    """The case, looked for only where the officer may look. Raises NotFound."""
    found = session.scalar(select(ChildCase).where(ChildCase.public_id == case).with_for_update())
    if found is None or not officer.reaches(found.county_code):
        raise NotFound(case)
    return found


def nominate(
    session: Session,
    *,
    officer: Officer,
    county: str,
    identity: Identity,
    tier: int,
    need: str,
    waiting_since: date,
    guardian_ending: str = "",
) -> str:
    """Name a child; returns the case's public id. One child has one case. Raises NotYourCase, ChildKnown."""
    band = age_band(identity.birth_date, clock.today())
    if not officer.reaches(county) or band is None:
        raise NotYourCase(county)
    zh, en = aliases.new(session)
    case = ChildCase(alias_zh=zh, alias_en=en, county_code=county, station_code=county, age_band=band, need_tier=tier)
    case.need, case.waiting_since, case.nominator_id = need, waiting_since, officer.person_id
    case.state = C.NOMINATED
    begin(session, case, actor=officer.actor, why="nominated")
    vault.put(session, case, identity, guardian_ending=guardian_ending)
    return case.public_id


def give_consent(
    session: Session, *, officer: Officer, case: str, purposes: Iterable[str], guardian: str, method: str
) -> None:
    """What the guardian allows, a row for each purpose; with everything that is needed the case goes on."""
    row = get_case(session, case, officer)
    for purpose in purposes:
        values = {"case_id": row.id, "purpose": purpose, "text_version": CONSENT_TEXT, "guardian": guardian}
        if insert_or_ignore(session, Consent, values | {"method": method, "given_at": clock.now()}):
            what: dict[str, Any] = {"purpose": purpose, "method": method, "version": CONSENT_TEXT}
            audit.record(session, actor=officer.actor, action="consent.given", subject=subject_of(row), **what)
    if row.state is C.NOMINATED and live_consents(session, row) >= NEEDED:
        move(session, row, C.NOMINATED, C.CONSENTED, actor=officer.actor, why="consent given")


def live_consents(session: Session, case: ChildCase) -> set[str]:
    live = select(Consent.purpose).where(Consent.case_id == case.id, Consent.withdrawn_at.is_(None))
    return set(session.scalars(live))


def verify(session: Session, *, officer: Officer, case: str) -> None:
    """A second person has checked that it is true.

    Raises SamePerson for whoever nominated the child, IllegalTransition before the guardian has agreed."""
    row = get_case(session, case, officer)
    if row.nominator_id == officer.person_id:
        raise SamePerson(case)
    if row.state is not C.CONSENTED:
        raise IllegalTransition(f"{subject_of(row)}: {row.state}")
    row.verifier_id = officer.person_id
    session.flush()
    move(session, row, C.CONSENTED, C.VERIFIED, actor=officer.actor, why="verified")


def list_case(session: Session, *, officer: Officer, case: str) -> None:
    """The card may be dealt from the next order on. Raises ConsentMissing."""
    row = get_case(session, case, officer)
    if not live_consents(session, row) >= NEEDED:
        raise ConsentMissing(case)
    here = C.PAUSED if row.state is C.PAUSED else C.VERIFIED
    move(session, row, here, C.LISTED, actor=officer.actor, why="listed")
    changed(session)


def pause(session: Session, *, officer: Officer, case: str, why: str) -> None:
    """Take the card down for a while. Whoever has chosen the child may choose another; the waiting time stays.

    Raises IllegalTransition where no card is up, and once a device waits at the station."""
    row = get_case(session, case, officer)
    move(session, row, row.state, C.PAUSED, actor=officer.actor, why=why)
    freezing.let_go(session, case=row, actor=officer.actor, why="paused")
    changed(session)


def withdraw(session: Session, *, officer: Officer, case: str) -> None:
    """A guardian takes consent back: the card is down at once, the pledge is frozen, the key of the vault's row destroyed.

    After hand-over nothing is taken from the child: only what is kept about it goes."""
    row = get_case(session, case, officer)
    end = update(Consent).where(Consent.case_id == row.id, Consent.withdrawn_at.is_(None))
    session.execute(end.values(withdrawn_at=clock.now()))
    audit.record(session, actor=officer.actor, action="consent.withdrawn", subject=subject_of(row))
    if row.state in {C.DELIVERED, C.CONFIRMED, *OUT}:
        vault.destroy(session, row, actor=officer.actor, why="consent withdrawn")
    else:
        take_out(session, row, C.WITHDRAWN, actor=officer.actor, why="consent withdrawn")


def close(session: Session, *, officer: Officer, case: str, there: C, why: str) -> None:
    """The child has moved away, has a case already, or is not eligible any more: nothing is kept of who it was.

    Raises IllegalTransition once the device is handed over."""
    row = get_case(session, case, officer)
    if there not in CLOSINGS:
        raise IllegalTransition(f"{subject_of(row)}: {there}")
    take_out(session, row, there, actor=officer.actor, why=why)


def take_out(session: Session, row: ChildCase, there: C, *, actor: str, why: str) -> None:
    """Off the list for good: the card is down, the pledge stops, the key of the vault's row is destroyed."""
    move(session, row, row.state, there, actor=actor, why=why)
    freezing.freeze(session, case=row, actor=actor, why=str(there))
    vault.destroy(session, row, actor=actor, why=why)
    changed(session)
