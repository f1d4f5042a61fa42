"""A station lets somebody sell: it has seen who they are, and answers for their goods."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy.orm import Session

from listings import letters
from marketplace.accounts import people
from marketplace.core import audit, clock
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import Refusal
from marketplace.stations.models import Seller

KINDS: Final[dict[str, LazyString]] = {
    "household": _l("household"),
    "cooperative": _l("cooperative"),
    "returnee": _l("came home to work"),
}


class AlreadySells(Refusal):
    message = _l("Whoever has this number sells here or at another station already.")


class OwnNumber(Refusal):
    status = 403
    message = _l("This is your own number. Nobody vouches for themselves: another station has to do it.")


class ClosedAccount(Refusal):
    message = _l("The account with this number was closed.")


def enrol(
    session: Session, *, station: str, by: int, phone: str, person: str, kind: str, name: str, village: str, story: str = ""
) -> str:
    """The account with this number (a new one, where there is none) sells from this station on; returns its public id.

    They are told, and come in with a code sent to that number. `name` is what buyers read; `person` names the account
    where it has no name yet. Raises AlreadySells, OwnNumber, ClosedAccount."""
    account = people.find(session, phone) or people.register(session, address=phone, name=person)
    if account.id == by:
        raise OwnNumber(account.public_id)
    if not account.is_active:
        raise ClosedAccount(account.public_id)
    session.flush()
    words = {"name_zh": name, "name_en": name, "village_zh": village, "story_zh": story, "story_en": story}
    row = {"person_id": account.id, "station_code": station, "kind": kind, "since": clock.today().year, "is_demo": False}
    if not insert_or_ignore(session, Seller, row | words):
        raise AlreadySells(account.public_id)
    account.name = account.name or person
    who = f"person:{by}"
    people.grant(session, person_id=account.id, role="seller", actor=who)
    subject = f"person:{account.public_id}"
    audit.record(session, actor=who, action="seller.enrolled", subject=subject, station=station, kind=kind)
    letters.welcome(session, account, station)
    return account.public_id
