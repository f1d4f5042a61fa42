"""Text that only the holder of a key can read or change: AES-256-GCM.

The library is loaded when it is first needed: a process that shows goods to strangers never does."""

import base64
import os
from typing import Final

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Unreadable(RuntimeError):
    """A stored value was altered, moved to another place, or its key is gone."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def encrypt(key: bytes, plain: str, purpose: str) -> str:
    """The text as base64. `purpose` says where it belongs, and is authenticated: elsewhere it cannot be read."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain.encode(), purpose.encode())).decode()


def decrypt(key: bytes, stored: str, purpose: str) -> str:
    """What `encrypt` was given with this key for this purpose; Unreadable for anything else."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.b64decode(stored)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
    except (InvalidTag, ValueError):
        raise Unreadable(purpose) from None
