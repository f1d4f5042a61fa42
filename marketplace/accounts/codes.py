"""One-time codes: six digits sent to an address, good for ten minutes, five tries and one use."""

import hmac
from datetime import timedelta
from typing import Final

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.letters import letters
from marketplace.accounts.models import OneTimeCode
from marketplace.accounts.people import address_fingerprint
from marketplace.core import clock, ids
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import Refusal

GOOD_FOR: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5


class WrongCode(Refusal):
    status = 422
    message = _l("This code is wrong or too old. You can have a new one.")


def send(session: Session, *, address: str, purpose: str) -> str:
    """Send a new code; returns its public id, which only the page that asked for it knows.

    Earlier ones stay good until one is used: else anybody could void another's by asking for more."""
    digits = ids.digits(6)
    code = OneTimeCode(purpose=purpose, address_fingerprint=address_fingerprint(address), expires_at=clock.now() + GOOD_FOR)
    code.public_id = ids.public_id()
    code.code_fingerprint = code_fingerprint(code.public_id, digits)
    session.add(code)
    words = _("%(code)s is your code for the pavilion. It is good for ten minutes; give it to nobody.", code=digits)
    letters().send(session, fact=f"code:{code.public_id}", address=address, text=words)
    return code.public_id


def try_code(session: Session, *, public_id: str, address: str, digits: str, purpose: str) -> bool:
    """Count the try; True if the code is right, and used up with that. To be committed whatever the answer is."""
    alive = (
        select(OneTimeCode)
        .where(OneTimeCode.public_id == public_id, OneTimeCode.purpose == purpose, OneTimeCode.used_at.is_(None))
        .where(OneTimeCode.address_fingerprint == address_fingerprint(address), OneTimeCode.tries < MOST_TRIES)
    )
    code = session.scalar(alive.where(OneTimeCode.expires_at > clock.now()).with_for_update())
    if code is None:
        return False
    code.tries += 1
    if not hmac.compare_digest(code.code_fingerprint, code_fingerprint(code.public_id, digits)):
        return False
    whose = OneTimeCode.address_fingerprint == code.address_fingerprint
    others = update(OneTimeCode).where(whose, OneTimeCode.purpose == purpose, OneTimeCode.used_at.is_(None))
    session.execute(others.values(used_at=clock.now()))
    return True


def sweep(session: Session) -> None:
    """A code that is a day old helps nobody any more."""
    session.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < clock.now() - timedelta(days=1)))


def code_fingerprint(public_id: str, digits: str) -> str:
    return fingerprint(f"{public_id}:{digits}", "one_time_code")
