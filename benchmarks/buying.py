"""What the browser of a buyer sends, from the cart to the cashier: over HTTP, or to an application in this process."""

import http.client
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from marketplace.payments import inbox, sweeping
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import delivery

WHO: Final = {
    "recipient": "测试",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原",
    "street": "平阳路 128 号",
    "note": "",
}
Answer = tuple[int, str, str]  # status, Location, body
Send = Callable[[str, str, dict[str, Any] | None], Answer]


def order(send: Send, variant: str) -> str:
    """Until the payment is made; where the buyer is led then."""
    send("POST", "/cart/items", {"variant": variant, "quantity": 1, "action": "add"})
    page = send("GET", "/checkout", None)[2]
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("shown_total", "idempotency_key")}
    form = WHO | {name: found[1] for name, found in hidden.items() if found}
    status, cashier, body = send("POST", "/checkout", form)
    if status != 303 or "/sandbox-cashier/" not in cashier:
        raise RuntimeError(f"{status} {cashier} {body}")
    return send("POST", f"{urlsplit(cashier).path}/decision", {"outcome": "approve"})[1]


def over_http(address: str, number: int) -> Send:
    """A browser of its own, at an address of its own."""
    parts, cookies = urlsplit(address), dict[str, str]()
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    where = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def send(method: str, path: str, form: dict[str, Any] | None) -> Answer:
        headers = {"X-Forwarded-For": where, "Sec-Fetch-Site": "same-origin", "Accept-Encoding": "identity"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        for name, value in (line.split(";")[0].split("=", 1) for line in answer.headers.get_all("Set-Cookie", ())):
            cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()

    return send


def in_process(client: FlaskClient) -> Send:
    def send(method: str, path: str, form: dict[str, Any] | None) -> Answer:
        answer = client.open(path, method=method, data=form, headers={"Sec-Fetch-Site": "same-origin"})
        return answer.status_code, answer.headers.get("Location", ""), answer.text

    return send


def deliver_in_process(app: Flask) -> None:
    """What the worker does until the order counts as paid."""
    cashier: Any = gateways().get("sandbox")

    def bring(_url: str, body: bytes, signature: str) -> int:
        return app.test_client().post("/webhooks/sandbox", data=body, headers={"Stripe-Signature": signature}).status_code

    while delivery.deliver(cashier, bring) or inbox.work() or sweeping.send_refund():
        pass
