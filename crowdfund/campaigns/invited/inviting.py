"""The list of a directed campaign: officers put people on it and take them off; a code is used by one person."""

from datetime import datetime
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting
from crowdfund.campaigns.claims.claiming import address_key
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.invited.models import Invitation
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.states import CampaignState as C
from marketplace.core import audit, clock, ids
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.records import record

MOST: Final = 500  # a list that is longer is no closed circle
TAKES_PEOPLE: Final = frozenset({C.DRAFT, C.NEEDS_WORK, C.SUBMITTED, C.APPROVED, C.LIVE, C.PAUSED})
DIGITS: Final = 12


class NotDirected(Refusal):
    message = _l("Only a campaign for a closed list has one, until it has ended.")


class ListIsFull(Refusal):
    message = _l("There are 500 places on the list already. Who asks more people than that asks the public.")


class InvitedAlready(Refusal):
    status = 422
    message = _l("This address is on the list already.")


class WrongCode(Refusal):
    status = 422
    message = _l("This code is not valid here, or somebody has used it already.")


@record
class Shown:
    """A place on the list. `code` is there until somebody has used it."""

    id: str
    note: str
    code: str
    is_accepted: bool
    invited_at: datetime
    withdrawn_at: datetime | None


def invite(session: Session, *, campaign: str, person: int, address: str = "", note: str = "") -> str:
    """A place for whoever proves this address; without one, by a code. Its id.

    Raises NotFound, NotDirected, ListIsFull, InvitedAlready."""
    row = drafting.get(session, campaign)
    if row.channel != gate.DIRECTED or row.state not in TAKES_PEOPLE:
        raise NotDirected(campaign)
    mine = select(func.count()).where(Invitation.campaign_id == row.id)
    stays = mine.where(Invitation.withdrawn_at.is_(None))
    asked = mine.where(Invitation.withdrawn_at.is_(None) | Invitation.person_id.is_not(None))  # who was in has been asked
    if (session.scalar(asked) or 0) >= MOST:
        raise ListIsFull(campaign)
    key = address_key(address) if address else ""
    if key and session.scalar(stays.where(Invitation.address == key)):
        raise InvitedAlready(campaign)
    name = ids.public_id()
    invitation = Invitation(public_id=name, campaign_id=row.id, address=key, note=note or None, invited_by=person)
    invitation.code_hash = "" if key else token_hash(plain(code_of(name)))
    session.add(invitation)
    subject = f"campaign:{campaign}"
    audit.record(session, actor=f"person:{person}", action="campaign.invited", subject=subject, why=name)
    return name


def withdraw(session: Session, *, campaign: str, invitation: str, person: int) -> None:
    """Whoever it is for sees the campaign no more. What they gave stays. Raises NotFound, StaleState."""
    row = drafting.get(session, campaign)
    wanted = select(Invitation).where(Invitation.public_id == invitation, Invitation.campaign_id == row.id)
    found = session.scalar(wanted.with_for_update())
    if found is None:
        raise NotFound(invitation)
    if found.withdrawn_at is not None:
        raise StaleState(invitation)
    found.withdrawn_at, found.withdrawn_by = clock.now(), person
    subject = f"campaign:{campaign}"
    audit.record(session, actor=f"person:{person}", action="campaign.uninvited", subject=subject, why=invitation)


def redeem(session: Session, *, campaign: str, code: str, person_id: int) -> None:
    """The code is this person's from now on; entered by them again, nothing happens. Raises WrongCode."""
    wanted = select(Invitation).join(Campaign, Campaign.id == Invitation.campaign_id).where(Campaign.public_id == campaign)
    wanted = wanted.where(Invitation.code_hash == token_hash(plain(code)), Invitation.withdrawn_at.is_(None))
    found = session.scalar(wanted.with_for_update(of=Invitation))
    if found is None or found.person_id not in {None, person_id}:
        raise WrongCode(campaign)
    if found.person_id is None:
        gate.accept(session, found, person_id)


def on_the_list(session: Session, campaign_id: int) -> list[Shown]:
    """The latest first, those that were withdrawn at the end. One statement."""
    wanted = select(Invitation).where(Invitation.campaign_id == campaign_id)
    rows = session.scalars(wanted.order_by(Invitation.withdrawn_at.is_not(None), Invitation.id.desc())).all()
    return [shown(row) for row in rows]


def shown(row: Invitation) -> Shown:
    has_code = bool(row.code_hash) and row.person_id is None and row.withdrawn_at is None
    code = code_of(row.public_id) if has_code else ""
    return Shown(row.public_id, row.note or "", code, row.person_id is not None, row.invited_at, row.withdrawn_at)


def code_of(invitation: str) -> str:
    """Made from the invitation's id with a key of ours, in groups for reading aloud; the database keeps its hash only."""
    digits = fingerprint(invitation, "campaign.invitation")[:DIGITS].upper()
    return "-".join(digits[place : place + 4] for place in range(0, DIGITS, 4))


def plain(code: str) -> str:
    return "".join(sign for sign in code.upper() if sign.isalnum())
