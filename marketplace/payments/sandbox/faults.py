"""What may happen to a webhook on its way, for whoever wants to see that it does no harm: SANDBOX_FAULTS=drop,corrupt.

The first try of each webhook suffers the first fault, the second the second, and so on; then they arrive as they should."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from marketplace.payments import signatures

Send = Callable[[str, bytes, str], int]  # url, body, signature -> HTTP status
DROP, DUPLICATE, DELAY, REORDER = "drop", "duplicate", "delay", "reorder"
CORRUPT, WRONG_SECRET, OLD_TIMESTAMP = "corrupt", "wrong-secret", "old-timestamp"
FAULTS: Final = (DROP, DUPLICATE, DELAY, REORDER, CORRUPT, WRONG_SECRET, OLD_TIMESTAMP)
DELAYED_BY: Final = timedelta(seconds=30)
TOO_OLD: Final = timedelta(seconds=signatures.TOLERANCE + 1)


def read(text: str) -> tuple[str, ...]:
    """The faults in the order in which they are suffered. Raises ValueError for one that does not exist."""
    named = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in named:
        if word not in FAULTS:
            raise ValueError(f"{word} is none of {', '.join(FAULTS)}")
    return named


def send_with(fault: str, send: Send, url: str, body: bytes, secret: str, now: datetime) -> int | None:
    """The HTTP status, or None for what was never sent. Raises OSError."""
    if fault in {DROP, DELAY}:
        return None
    if fault == CORRUPT:
        return send(url, body[:-1] + bytes([body[-1] ^ 1]), signatures.sign(body, secret, at=now))
    if fault == WRONG_SECRET:
        return send(url, body, signatures.sign(body, secret[::-1], at=now))
    if fault == OLD_TIMESTAMP:
        return send(url, body, signatures.sign(body, secret, at=now - TOO_OLD))
    if fault == DUPLICATE:
        send(url, body, signatures.sign(body, secret, at=now))
    return send(url, body, signatures.sign(body, secret, at=now))
