"""Passwords: Argon2id with 19 MiB, t=2, p=1 (OWASP), a few at a time so that hashing is no way to a standstill."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask_babel import lazy_gettext as _l

from marketplace.core.errors import Refusal

SHORTEST: Final = 10
LONGEST: Final = 128
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
AT_ONCE: Final = BoundedSemaphore(2)
PATIENCE: Final = 5.0  # seconds
NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$1bXXi0FhFwqIBCGzHBBTvcVQSCsvl0SGCdZpHA3KXx0"


class Busy(Refusal):
    status = 503
    message = _l("Many people are signing in just now. Please try again in a moment.")


class WeakPassword(Refusal):
    status = 422
    message = _l("This password is easy to guess. A few words in a row are better.")


@contextmanager
def a_place() -> Iterator[None]:
    """Raises Busy when none gets free in time."""
    if not AT_ONCE.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        AT_ONCE.release()


def hash_password(password: str) -> str:
    with a_place():
        return HASHER.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Takes the same time for an account without a password, or for none at all."""
    with a_place():
        try:
            HASHER.verify(stored or NOBODYS, password[:LONGEST])
        except VerificationError:
            return False
    return stored is not None


def refuse_weak(password: str, *known_words: str) -> None:
    """Raises WeakPassword for what a guesser tries within ten thousand million tries (zxcvbn's score below 3)."""
    from zxcvbn import zxcvbn  # 15 MB of word lists, needed only here

    if len(password) < SHORTEST or zxcvbn(password[:72], user_inputs=list(known_words))["score"] < 3:
        raise WeakPassword
