"""How long a gateway waits until its webhook is acknowledged: signed events, posted over HTTP by several senders at once."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from marketplace.core import clock
from marketplace.payments import signatures

SENDERS: Final = 4
NUMBER: Final = 400


@dataclass(frozen=True)
class Patience:
    """Milliseconds."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} ms | {self.p99:.1f} ms | {self.p99 / self.p50:.1f}"


def acknowledged(address: str, secret: str, meanwhile: Callable[[int], None] | None = None, buyers: int = 0) -> Patience:
    """Of events that nobody minds, each at once after the one before, while `buyers` do what else is done."""
    over, turns = threading.Event(), count()

    def trade(_buyer: int) -> None:
        while meanwhile and not over.is_set():
            meanwhile(next(turns))

    with ThreadPoolExecutor(buyers or 1) as shop, ThreadPoolExecutor(SENDERS) as gateway:
        traded = [shop.submit(trade, buyer) for buyer in range(buyers)]
        try:
            took = sorted(gateway.map(lambda which: send(address, secret, f"{buyers}_{which}"), range(NUMBER)))
        finally:
            over.set()
        for each in traded:
            each.result()
    return Patience(statistics.median(took), took[int(NUMBER * 0.99)])


def send(address: str, secret: str, which: str) -> float:
    """Milliseconds until it was answered. Raises RuntimeError unless the answer is 200."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    about = {"id": f"in_{which}", "object": "invoice"}
    told = {"id": f"evt_bench_{which}", "object": "event", "type": "invoice.paid", "livemode": False}
    body = json.dumps(told | {"data": {"object": about}}).encode()
    signature = signatures.sign(body, secret, at=clock.now())
    began = time.perf_counter()
    connection.request("POST", "/webhooks/sandbox", body, {"Stripe-Signature": signature})
    status = connection.getresponse().status
    took = time.perf_counter() - began
    connection.close()
    if status != 200:
        raise RuntimeError(f"a webhook was answered {status}")
    return took * 1000
