"""Columns that the database keeps but cannot read: AES-256-GCM with named keys, and keyed fingerprints to find them by."""

import hashlib
import hmac
from functools import cache

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from marketplace.core import ciphers
from marketplace.core.ciphers import Unreadable
from marketplace.core.settings import read_keys, settings


class Keyring:
    """Keys by name, newest first: the first encrypts, all decrypt."""

    def __init__(self, described: str) -> None:
        """`described` is `id:hex,id:hex`; each key has 32 bytes. Raises ValueError for anything else."""
        self.keys = read_keys(described)
        self.newest = next(iter(self.keys))

    def encrypt(self, plain: str, purpose: str) -> str:
        return f"{self.newest}:{ciphers.encrypt(self.keys[self.newest], plain, purpose)}"

    def decrypt(self, stored: str, purpose: str) -> str:
        """Raises Unreadable, which names the key and the purpose."""
        name, _colon, text = stored.partition(":")
        if name not in self.keys:
            raise Unreadable(f"{purpose}: key {name}")
        try:
            return ciphers.decrypt(self.keys[name], text, purpose)
        except Unreadable:
            raise Unreadable(f"{purpose}: key {name}") from None

    def is_newest(self, stored: str) -> bool:
        return stored.startswith(f"{self.newest}:")


def keyring() -> Keyring:
    return keyring_of(settings().field_keys.reveal())


@cache
def keyring_of(described: str) -> Keyring:
    return Keyring(described)


class Encrypted(TypeDecorator[str]):
    """Text encrypted at rest. `purpose` (table.column) is authenticated, so that a value cannot be moved elsewhere."""

    impl, cache_ok = Text, True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().encrypt(value, self.purpose)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().decrypt(value, self.purpose)


def fingerprint(value: str, purpose: str) -> str:
    """A keyed hash to look an encrypted value up by: equal values of one purpose have equal fingerprints."""
    key = settings().fingerprint_key.reveal().encode()
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


def token_hash(token: str) -> str:
    """What is stored of a random 256-bit token; it needs no key, since it cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
