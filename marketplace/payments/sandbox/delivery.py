"""The sandbox's webhooks travel over HTTP, as a real gateway's do, and wait in its own table until they arrived."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.payments import signatures
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.sandbox.storage import webhook

FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(hours=1)

Send = Callable[[str, bytes, str], int]  # url, body, signature -> HTTP status


def deliver(cashier: SandboxCashier, send: Send | None = None) -> bool:
    """Send one webhook that is due; True if there was one. It comes again, later each time, until it is answered 2xx."""
    with cashier.writing() as connection:
        due = select(webhook).where(~webhook.c.is_delivered, webhook.c.next_at <= clock.now())
        row = connection.execute(due.order_by(webhook.c.next_at).limit(1).with_for_update(skip_locked=True)).first()
        if row is None:
            return False
        wait = min(FIRST_WAIT * 2 ** min(row.tries, 12), LONGEST_WAIT)
        lease = {"tries": row.tries + 1, "next_at": clock.now() + wait}
        connection.execute(update(webhook).where(webhook.c.id == row.id).values(lease))
    body = row.body.encode()
    try:
        status = (send or post)(
            f"{cashier.base_url}/webhooks/{cashier.name}", body, signatures.sign(body, cashier.secret, at=clock.now())
        )
    except OSError as error:
        level = logging.WARNING if row.tries else logging.DEBUG  # the first may be sent before anybody listens
        logging.getLogger(__name__).log(level, "webhook %s did not get through: %s", row.id, error)
        return True
    if 200 <= status < 300:
        with cashier.writing() as connection:
            connection.execute(update(webhook).where(webhook.c.id == row.id).values(is_delivered=True))
    else:
        logging.getLogger(__name__).warning("webhook %s was answered %s", row.id, status)
    return True


def post(url: str, body: bytes, signature: str) -> int:
    import requests  # the web server never sends

    headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
    return requests.post(url, data=body, headers=headers, timeout=10, allow_redirects=False).status_code
