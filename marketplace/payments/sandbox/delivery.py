"""The sandbox's webhooks travel over HTTP, as a real gateway's do, and wait in its own table until they arrived."""

import logging
from contextlib import closing
from datetime import timedelta
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, bindparam, select

from marketplace.core import clock
from marketplace.payments.sandbox import faults, statements
from marketplace.payments.sandbox.faults import Send
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.storage import webhook

FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(hours=1)


def deliver(cashier: SandboxCashier, send: Send | None = None) -> bool:
    """Send one webhook that is due; True if there was one. It comes again, later each time, until it is answered 2xx."""
    row = take(cashier)
    if row is None:
        return False
    url, fault = f"{cashier.base_url}/webhooks/{cashier.name}", fault_of(cashier, row.tries)
    try:
        status = faults.send_with(fault, send or post, url, row.body.encode(), cashier.secret, clock.now())
    except OSError as error:
        level = logging.WARNING if row.tries else logging.DEBUG  # the first may be sent before anybody listens
        logging.getLogger(__name__).log(level, "webhook %s did not get through: %s", row.id, error)
        return True
    if status is not None and 200 <= status < 300:
        with cashier.writing() as connection:
            connection.execute(statements.DELIVERED, {"wanted": row.id})
    else:
        logging.getLogger(__name__).warning("webhook %s was answered %s", row.id, status)
    return True


def take(cashier: SandboxCashier) -> Row[Any] | None:
    """One that is due: until its lease ends no other worker gets it."""
    if not cashier.finds(statements.DUE_WEBHOOK, now=clock.now()):
        return None
    with cashier.writing() as connection:
        found = connection.execute(due(latest_first=faults.REORDER in cashier.faults), {"now": clock.now()})
        row: Row[Any] | None = found.first()
        if row is not None:
            wait = min(FIRST_WAIT * 2 ** min(row.tries, 12), LONGEST_WAIT)
            if fault_of(cashier, row.tries) == faults.DELAY:
                wait = faults.DELAYED_BY
            lease = {"wanted": row.id, "tried": row.tries + 1, "again_at": clock.now() + wait}
            connection.execute(statements.LEASED, lease)
        return row


@cache
def due(*, latest_first: bool) -> Select[Any]:
    """SQL, prepared once: the worker asks it all day."""
    order = webhook.c.next_at.desc() if latest_first else webhook.c.next_at
    waiting = select(webhook).where(~webhook.c.is_delivered, webhook.c.next_at <= bindparam("now"))
    return waiting.order_by(order).limit(1).with_for_update(skip_locked=True)


def fault_of(cashier: SandboxCashier, tries: int) -> str:
    """What this try suffers, or nothing."""
    return cashier.faults[tries] if tries < len(cashier.faults) else ""


def post(url: str, body: bytes, signature: str) -> int:
    """The status of the answer; a redirect is one. Raises OSError."""
    target = urlsplit(url)
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
    with closing(kind(str(target.hostname), target.port, timeout=10)) as connection:
        try:
            connection.request("POST", target.path, body, headers)
            return connection.getresponse().status
        except HTTPException as error:
            raise ConnectionError(type(error).__name__) from error
