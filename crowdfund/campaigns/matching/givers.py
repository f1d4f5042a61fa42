"""Who is the same giver: an account, or whoever left the same address. Names are no proof of anything."""

from typing import Final

from sqlalchemy.orm import Session

from crowdfund.campaigns.matching.models import MatchingFund
from marketplace.accounts import people
from marketplace.accounts.models import Person
from marketplace.accounts.people import normalised
from marketplace.core.encryption import fingerprint

PURPOSE: Final = "matching.giver"


def key_of(person_id: int | None, contact: str | None) -> str:
    """What gifts of one giver have in common; empty where nobody knows who gave: each such gift is a giver of its own."""
    if person_id is not None:
        return key_of_person(person_id)
    return key_of_contact(contact) if contact else ""


def key_of_person(person_id: int) -> str:
    return f"person:{person_id}"


def key_of_contact(contact: str) -> str:
    """A keyed hash: it can be compared and not read."""
    return f"contact:{fingerprint(normalised(contact), PURPOSE)}"


def keys_of(session: Session, person_id: int | None, contact: str | None = None) -> set[str]:
    """By all that somebody may be known: the account, its addresses, the address that was left."""
    person = session.get(Person, person_id) if person_id is not None else None
    addresses = [contact, *((person.email, person.phone) if person else ())]
    account = {key_of_person(person_id)} if person_id is not None else set()
    return account | {key_of_contact(address) for address in addresses if address}


def counted_as(session: Session, person_id: int | None, contact: str | None) -> set[str]:
    """Under which keys gifts of this giver may stand: an account's may have come signed out, with its address left."""
    if person_id is not None or not contact:
        return keys_of(session, person_id)
    owner = people.find(session, normalised(contact))
    return keys_of(session, owner.id if owner else None, contact)


def keys_of_sponsor(session: Session, fund: MatchingFund) -> set[str]:
    """Of the address that was promised from and the account that has it, and of the account that paid."""
    return counted_as(session, None, fund.contact) | keys_of(session, fund.person_id)
