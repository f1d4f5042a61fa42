"""How a person is reached: a new phone number or e-mail counts once its code was entered."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts import codes, people
from marketplace.accounts.letters import letters
from marketplace.accounts.models import Person
from marketplace.core import audit

PURPOSE = "contact"


def purpose_of(public_id: str) -> str:
    """A code sent to change one account changes no other."""
    return f"{PURPOSE}:{public_id}"


def change(session: Session, *, person_id: int, code: str, address: str, digits: str) -> bool:
    """Give the account this phone number or e-mail instead; False for a wrong code, to be committed as well.

    Whoever had the old one is told, there: it may not have been they. Raises AddressTaken."""
    person = session.get_one(Person, person_id)
    purpose = purpose_of(person.public_id)
    if not codes.try_code(session, public_id=code, address=address, digits=digits, purpose=purpose):
        return False
    kind = "phone" if people.is_phone(address) else "email"
    before = person.phone if kind == "phone" else person.email
    people.set_address(session, person, address)
    audit.record(session, actor=person.public_id, action="contact.changed", subject=f"person:{person.public_id}", kind=kind)
    if before and before != address.lower():
        words = _("Your account here has a new phone number or e-mail. If that was not you, ask your station for help.")
        letters().send(session, fact=f"contact:{code}", address=before, text=words, person_id=person.id)
    return True


def masked(address: str | None) -> str:
    """138****2045, gu***@example.cn: enough for its owner to know it."""
    if not address:
        return ""
    if "@" not in address:
        return f"{address[:3]}****{address[-4:]}"
    name, _at, host = address.partition("@")
    return f"{name[: min(2, len(name) - 1)]}***@{host}"
