"""The second factor of staff: an authenticator (RFC 6238, 30 seconds, six digits), each code once; or recovery codes."""

from typing import Final

import pyotp
from flask_babel import lazy_gettext as _l
from pyotp.utils import strings_equal
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person, RecoveryCode
from marketplace.core import audit, clock, ids
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import Refusal

STEP: Final = 30  # seconds
RECOVERY_CODES: Final = 8


class WrongSecondFactor(Refusal):
    status = 422
    message = _l("This code is wrong or was used already.")


def new_secret() -> str:
    return pyotp.random_base32()


def provisioning_uri(secret: str, name: str) -> str:
    """What the QR code of the enrolment says."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Shanxi Youth Pavilion")


def usable_code(session: Session, person_id: int) -> str | None:
    """For the demonstration, whose page shows it under a banner that says so: the next code that was not used yet.

    None without an authenticator, and where one has to wait for the next half minute."""
    found = select(Person.totp_secret, Person.totp_last_step).where(Person.id == person_id)
    row = session.execute(found).one()
    step = max(current_step(), row.totp_last_step + 1)
    return pyotp.TOTP(row.totp_secret).generate_otp(step) if row.totp_secret and step <= current_step() + 1 else None


def current_step() -> int:
    return int(clock.now().timestamp()) // STEP


def is_right(session: Session, *, person_id: int, digits: str) -> bool:
    """Use up the code of this half minute or the one before or after it; a step is good once, also for two at a time."""
    person = session.get_one(Person, person_id, with_for_update=True, populate_existing=True)
    if not person.totp_secret:
        return False
    step = step_of(person.totp_secret, digits, after=person.totp_last_step)
    if step is None:
        return use_recovery_code(session, person, digits)
    person.totp_last_step = step
    return True


def step_of(secret: str, digits: str, *, after: int = 0) -> int | None:
    """The step whose code this is: this half minute, the one before or the next, if it comes `after` the last one used."""
    now = current_step()
    matching = (step for step in (now, now - 1, now + 1) if strings_equal(pyotp.TOTP(secret).generate_otp(step), digits))
    return next((step for step in matching if step > after), None)


def use_recovery_code(session: Session, person: Person, typed: str) -> bool:
    hashed = fingerprint(typed.replace("-", "").upper(), f"recovery:{person.public_id}")
    use = update(RecoveryCode).where(RecoveryCode.person_id == person.id, RecoveryCode.code_fingerprint == hashed)
    used = use.where(RecoveryCode.used_at.is_(None)).values(used_at=clock.now()).returning(RecoveryCode.id)
    if session.scalar(used) is None:
        return False
    audit.record(session, actor=person.public_id, action="recovery_code.used", subject=f"person:{person.public_id}")
    return True


def enrol(session: Session, *, person_id: int, secret: str, digits: str) -> list[str]:
    """Set the authenticator, proven by its code; returns the recovery codes, which are shown this once.

    Raises WrongSecondFactor."""
    step = step_of(secret, digits) if is_secret(secret) else None
    if step is None:
        raise WrongSecondFactor
    person = session.get_one(Person, person_id, with_for_update=True, populate_existing=True)
    person.totp_secret, person.totp_last_step = secret, step
    audit.record(session, actor=person.public_id, action="second_factor.set", subject=f"person:{person.public_id}")
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    shown = [ids.order_number().removeprefix("SX-") for _number in range(RECOVERY_CODES)]
    purpose = f"recovery:{person.public_id}"
    rows = [{"person_id": person_id, "code_fingerprint": fingerprint(code, purpose)} for code in shown]
    session.execute(insert(RecoveryCode), rows)
    return [f"{code[:4]}-{code[4:]}" for code in shown]


def secret_of(session: Session, person_id: int) -> str | None:
    return session.scalar(select(Person.totp_secret).where(Person.id == person_id))


def is_secret(text: str) -> bool:
    """32 letters of base 32, as `new_secret` makes them."""
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
