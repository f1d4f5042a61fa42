"""Whether somebody is on the list of a directed campaign. Asked by every door, and by the command once more."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.claims.claiming import address_key
from crowdfund.campaigns.invited.models import Invitation
from crowdfund.campaigns.models import Campaign
from marketplace.accounts.models import Person
from marketplace.core import audit, clock
from marketplace.core.errors import Refusal
from marketplace.core.memory import remembered

if TYPE_CHECKING:
    from crowdfund.campaigns.giving import Giver

DIRECTED: Final = "directed"


class NotInvited(Refusal):
    status = 403
    message = _l("This campaign is not open to the public. Only people on its list can give.")


class GivenOnce(Refusal):
    """A monthly gift would go on after its giver has left the list."""

    status = 422
    message = _l("Gifts to this campaign are given one at a time.")


class NoCards(Refusal):
    """A card would tell others of a campaign that is not for them."""

    status = 422
    message = _l("This campaign is not open to the public, so no card tells of it. Leave this empty.")


@remembered("giving", kilobytes=4)
def directed(session: Session) -> frozenset[str]:
    """The public ids of all of them, whatever their state: pages ask this first."""
    return frozenset(session.scalars(select(Campaign.public_id).where(Campaign.channel == DIRECTED)))


def mine(person: Person) -> ColumnElement[bool]:
    """SQL: an invitation that is this person's, or that one of the addresses they have proved makes theirs."""
    addresses = [address_key(address) for address in (person.email, person.phone) if address]
    waits = Invitation.address.in_(addresses) & Invitation.person_id.is_(None)
    return Invitation.withdrawn_at.is_(None) & or_(Invitation.person_id == person.id, waits)


def is_invited(session: Session, campaign: str, person_id: int) -> bool:
    person = session.get_one(Person, person_id)
    wanted = select(Invitation.id).join(Campaign, Campaign.id == Invitation.campaign_id)
    return session.scalar(wanted.where(Campaign.public_id == campaign, mine(person)).limit(1)) is not None


def admit(session: Session, campaign_id: int, giver: "Giver") -> "Giver":
    """The giver as the public rows may know them: not at all. An invitation by address becomes theirs.

    Raises NotInvited, NoCards."""
    if giver.person_id is None:
        raise NotInvited(str(campaign_id))
    person = session.get_one(Person, giver.person_id)
    wanted = select(Invitation).where(Invitation.campaign_id == campaign_id, mine(person))
    found = session.scalars(wanted.order_by(Invitation.person_id.is_(None)).limit(1).with_for_update()).first()
    if found is None:
        raise NotInvited(str(campaign_id))
    if found.person_id is None:
        accept(session, found, person.id)
    if giver.honour:
        raise NoCards(str(campaign_id))
    return replace(giver, anonymity="anonymous")


def accept(session: Session, invitation: Invitation, person_id: int) -> None:
    invitation.person_id, invitation.accepted_at = person_id, clock.now()
    session.flush()  # the gift's row comes past the unit of work
    subject = f"invitation:{invitation.public_id}"
    audit.record(session, actor=f"person:{person_id}", action="invitation.accepted", subject=subject)
