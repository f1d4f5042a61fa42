"""Pickup codes that a phone can check without a network: a public number of three digits and six that prove it.

The proof is made with a key of the station and the day on which the parcel was shelved, derived (HKDF, RFC 5869) from the
fingerprint key, which never changes. A phone at the desk gets the keys of those days whose parcels still wait. Codes of
before, six digits drawn by lot, stay good: for them the phone gets a verifier."""

import hashlib
import hmac
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.settings import settings
from marketplace.orders.models import Parcel
from marketplace.orders.offline.models import PickupNumber

NUMBER_DIGITS: Final = 3
PROOF_DIGITS: Final = 6
DRAWN_DIGITS: Final = 6
TRIES: Final = 20
SALT: Final = b"pavilion desk"


def derived(*purpose: str) -> bytes:
    """32 bytes for one purpose; nobody learns from them another purpose's, nor the key they come from."""
    secret = settings().fingerprint_key.reveal().encode()
    extracted = hmac.new(SALT, secret, hashlib.sha256).digest()
    return hmac.new(extracted, "\0".join(purpose).encode() + b"\x01", hashlib.sha256).digest()


def key_of(station: str, day: date) -> bytes:
    return derived("pickup", station, day.isoformat())


def proof(key: bytes, number: str) -> str:
    """Six digits that only a holder of the key can make; the phone makes them in the same way."""
    mac = hmac.new(key, number.encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(mac[:8], 'big') % 10**PROOF_DIGITS:0{PROOF_DIGITS}d}"


def verifier(key: bytes, parcel: str, code: str) -> str:
    """By which a phone that holds the key knows a code of six digits when it is typed in."""
    return hmac.new(key, f"{parcel}:{code}".encode(), hashlib.sha256).hexdigest()


def new_code(session: Session, parcel: Parcel) -> str:
    """A code for a parcel that is being shelved; one drawn by lot where a station has given out its numbers for today."""
    day = clock.today()
    for _try in range(TRIES):
        number = ids.digits(NUMBER_DIGITS)
        place = {"parcel_id": parcel.id, "station_code": parcel.station_code, "day": day, "number": number}
        if insert_or_ignore(session, PickupNumber, place):
            return number + proof(key_of(parcel.station_code, day), number)
    return ids.digits(DRAWN_DIGITS)


def day_of(session: Session, parcel: Parcel) -> date | None:
    """The day whose key proves the parcel's code; None for one that was drawn by lot."""
    return session.scalar(select(PickupNumber.day).where(PickupNumber.parcel_id == parcel.id))


def is_proved(station: str, day: date, code: str) -> bool:
    number = code[:NUMBER_DIGITS]
    return hmac.compare_digest(code, number + proof(key_of(station, day), number))


def in_groups(code: str | None) -> str:
    """As people read it aloud: 482 093 517."""
    return " ".join((code or "")[start : start + 3] for start in range(0, len(code or ""), 3))
