"""Signed webhooks in Stripe's form: https://docs.stripe.com/webhooks#verify-manually (read 2026-11)."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from marketplace.payments.gateway_news import Notice
from marketplace.payments.gateways import BadPayload, BadSignature

TOLERANCE: Final = 300  # seconds, to both sides: a signature from the future is forged too

Concerns = Literal["payment", "refund", "dispute", "payee", "nothing we know"]
CONCERNS: Final[dict[str, Concerns]] = {
    "payment_intent": "payment",
    "checkout.session": "payment",
    "refund": "refund",
    "dispute": "dispute",
    "account": "payee",
}


def sign(body: bytes, secret: str, *, at: datetime) -> str:
    """The value of the header `Stripe-Signature`."""
    timestamp = int(at.timestamp())
    return f"t={timestamp},v1={mac(body, secret, timestamp)}"


def verify(body: bytes, header: str, secrets: Sequence[str], *, now: datetime) -> None:
    """Raises BadSignature unless one `v1` fits one secret and its time is within five minutes of ours.

    There are several while a secret is being replaced, at either end."""
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _sign, value in parts if name.strip() == "t"]
    given = [value for name, _sign, value in parts if name.strip() == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit():
        raise BadSignature("no time")
    timestamp = int(times[0])
    if abs(now.timestamp() - timestamp) > TOLERANCE:
        raise BadSignature("too old, or from the future")
    expected = [mac(body, secret, timestamp).encode() for secret in secrets]
    if not any(hmac.compare_digest(mine, value.encode()) for mine in expected for value in given):
        raise BadSignature("does not fit")


def mac(body: bytes, secret: str, timestamp: int) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def read(raw: bytes) -> Notice:
    """Raises BadPayload for what is no event."""
    try:
        event: Any = json.loads(raw)
        subject = event["data"]["object"]
        return Notice(
            event_id=str(event["id"])[:255],
            type=str(event["type"])[:255],
            concerns=CONCERNS.get(subject["object"], "nothing we know"),
            remote_id=str(subject["id"]),
            book="live" if event["livemode"] else "test",
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadPayload(str(error)) from error
