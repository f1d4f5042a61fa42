"""Places of students: published by an officer under an alias, left, or come to their end. No number of theirs is kept."""

import re
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.plans.models import Plan
from crowdfund.campaigns.states import CampaignState, PlaceState, SponsorshipState, TermState
from crowdfund.campaigns.students.models import SchoolTerm, Sponsorship, StudentPlace
from crowdfund.campaigns.students.terms import void
from crowdfund.pledges import aliases
from marketplace.core import audit, page_cache
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, subject_of, transition

L = PlaceState
PURPOSE: Final = "student_place.student"
NUMBER: Final = re.compile(r"[A-Z0-9]{6,24}")


class NoStudentAid(Refusal):
    message = _l("Places belong to a student-aid campaign that is open for gifts.")


class HasPlace(Refusal):
    status = 422
    message = _l("This student has a place already.")


class TermIsOpen(Refusal):
    message = _l("A term of this place is still open. Release it or close it first.")


def plain_number(typed: str) -> str:
    return typed.upper().replace(" ", "").replace("-", "")


def print_of(student_number: str) -> str:
    """All that is ever kept of the number under which the school keeps a student."""
    return fingerprint(plain_number(student_number), PURPOSE)


def publish(
    session: Session,
    *,
    campaign: str,
    organisations: list[str],
    stage: str,
    student_number: str,
    month: Money,
    officer_id: int,
) -> str:
    """Returns its public id. Raises NotFound, NoStudentAid, HasPlace."""
    wanted = select(Campaign).where(Campaign.public_id == campaign, Campaign.organisation_code.in_(organisations))
    of = session.scalar(wanted)
    if of is None:
        raise NotFound(campaign)
    if of.kind != "student_aid" or of.state is not CampaignState.LIVE or of.channel != "own_site":
        raise NoStudentAid(campaign)
    zh, en = new_alias(session)
    row = StudentPlace(
        campaign_id=of.id, alias_zh=zh, alias_en=en, stage=stage, month_fen=month.fen, published_by=officer_id
    )
    row.student = print_of(student_number)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise HasPlace(campaign) from None
    leave_trace(session, row, None, L.OFFERED, actor=f"person:{officer_id}", why="published")
    page_cache.expire(session, "giving", f"campaign:{campaign}")
    return row.public_id


def new_alias(session: Session) -> tuple[str, str]:
    """One that neither a child of the pledges nor a student has had before."""
    while True:
        zh, en = aliases.new(session)
        if session.scalar(select(StudentPlace.id).where(StudentPlace.alias_zh == zh)) is None:
            return zh, en


def leave(session: Session, *, place: str, organisations: list[str], officer_id: int, why: str) -> None:
    """The student is gone: what was set aside goes back to the campaign's pool, nobody is charged for them any more.

    Raises NotFound, StaleState, IllegalTransition."""
    plan, row = locked(session, place, organisations)
    move(session, row, L.LEFT, officer_id, why)
    for term in terms_of(session, row):
        if term.state is not TermState.BILLED:
            void(session, term, person_id=officer_id, why="student left")
    end_plan(session, plan, keeping.STUDENT_LEFT)


def finish(session: Session, *, place: str, organisations: list[str], officer_id: int, why: str) -> None:
    """The student is through. Raises NotFound, TermIsOpen, StaleState, IllegalTransition."""
    plan, row = locked(session, place, organisations)
    if any(term.state is not TermState.BILLED for term in terms_of(session, row)):
        raise TermIsOpen(place)
    move(session, row, L.FINISHED, officer_id, why)
    end_plan(session, plan, keeping.PLACE_OVER)


def terms_of(session: Session, place: StudentPlace) -> list[SchoolTerm]:
    """Those that are not void, locked."""
    mine = select(SchoolTerm).where(SchoolTerm.place_id == place.id, SchoolTerm.state != TermState.VOID)
    return list(session.scalars(mine.order_by(SchoolTerm.id).with_for_update().execution_options(populate_existing=True)))


def locked(session: Session, place: str, organisations: list[str]) -> tuple[Plan | None, StudentPlace]:
    """A place of theirs and the plan that sponsors it, locked in the order in which a month's gift locks them."""
    row = of_theirs(session, place, organisations)
    while True:
        mine = select(Sponsorship.plan_id).where(Sponsorship.place_id == row.id, Sponsorship.state != SponsorshipState.ENDED)
        plan_id = session.scalar(mine)
        plan = session.get_one(Plan, plan_id, with_for_update=True, populate_existing=True) if plan_id else None
        session.refresh(row, with_for_update=True)
        if session.scalar(mine) == plan_id:
            return plan, row


def of_theirs(session: Session, place: str, organisations: list[str]) -> StudentPlace:
    """Raises NotFound."""
    mine = select(StudentPlace).join(Campaign, Campaign.id == StudentPlace.campaign_id)
    mine = mine.where(StudentPlace.public_id == place, Campaign.organisation_code.in_(organisations))
    row = session.scalar(mine)
    if row is None:
        raise NotFound(place)
    return row


def move(session: Session, row: StudentPlace, to: PlaceState, person_id: int, why: str) -> None:
    before, actor = row.state, f"person:{person_id}"
    transition(session, row, to, expected=before, actor=actor, why=why)
    audit.record(session, actor=actor, action=f"student_place.{to}", subject=subject_of(row), why=why, before=str(before))
    expire(session, row.campaign_id)


def end_plan(session: Session, plan: Plan | None, why: str) -> None:
    """The first gift too, if it was not paid yet: its money would be for nobody."""
    if plan is not None:
        keeping.end(session, plan, why=why)
        keeping.release(session, plan, is_first_too=True)


def expire(session: Session, campaign_id: int) -> None:
    campaign = session.scalar(select(Campaign.public_id).where(Campaign.id == campaign_id))
    page_cache.expire(session, "giving", f"campaign:{campaign}")
