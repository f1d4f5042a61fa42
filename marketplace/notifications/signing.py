"""Signatures of what partners are sent, as Standard Webhooks describes them:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

BEGINS: Final = "whsec_"
BYTES: Final = 32


def new_secret() -> str:
    """`whsec_` and 256 bits in base64."""
    return BEGINS + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def headers(message: str, body: bytes, keys: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Of one try: the same id each time, the time of this try, a signature for each secret that is good."""
    timestamp = int(at.timestamp())
    signed = f"{message}.{timestamp}.".encode() + body
    signatures = " ".join(f"v1,{signature(key, signed)}" for key in keys)
    return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def signature(key: str, signed: bytes) -> str:
    mac = hmac.new(base64.b64decode(key.removeprefix(BEGINS)), signed, hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()
