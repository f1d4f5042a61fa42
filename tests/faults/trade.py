"""People who trade over HTTP while the house is being killed: whoever gets no answer asks again, as people do."""

import io
import random
import re
import time
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import requests
from PIL import Image

PASSWORD = "millet-58-doors"
PATIENCE = 60.0
RECIPIENT = {
    "recipient": "郭晓芸",
    "phone": "13835172045",
    "province": "140000",
    "city": "太原 小店区",
    "street": "平阳路 128 号",
}
SEEN = {"decision": "accept", "origin_seen": "y", "goods_seen": "y", "price_sane": "y"}
DETAILS = {"unit": "5斤袋", "price": "58.00", "stock": "40", "village": "次村乡次村", "months": ["9", "10"]}


@dataclass
class Journal:
    """What the house has answered for: it must be there however it dies afterwards."""

    steps: list[tuple[str, str]] = field(default_factory=list)  # subject, a state that it has reached
    paid: list[str] = field(default_factory=list)  # orders whose money the cashier has taken
    listed: list[str] = field(default_factory=list)  # listings that a clerk has let in

    def reached(self, subject: str, *states: str) -> None:
        self.steps += [(subject, state) for state in states]


@dataclass
class Visitor:
    """A browser, and whose turn it is."""

    url: str
    journal: Journal
    stop: Event
    chance: random.Random
    browser: requests.Session = field(default_factory=requests.Session)

    def run(self) -> None:
        while not self.stop.is_set():
            self.do_one_thing()
            time.sleep(self.chance.uniform(0, 0.3))

    def do_one_thing(self) -> None:
        raise NotImplementedError

    def ask(self, path: str, data: Any = None, files: Any = None) -> requests.Response:
        """An answer, however often it takes; none of the house's own failures."""
        deadline = time.monotonic() + PATIENCE
        headers = {"Sec-Fetch-Site": "same-origin"}
        while True:
            try:
                method = "GET" if data is None else "POST"
                how: dict[str, Any] = {"headers": headers, "allow_redirects": False, "timeout": 20}
                answer = self.browser.request(method, self.url + path, data=data, files=files, **how)
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
                continue
            assert answer.status_code < 500, (path, answer.status_code)
            return answer

    def send(self, path: str, data: dict[str, Any], files: Any = None) -> requests.Response:
        """A form of a signed-in person."""
        token = found(r'name="csrf_token" value="([^"]+)"', self.ask("/account").text)
        return self.ask(path, {**data, "csrf_token": token}, files)

    def sign_in(self, name: str) -> None:
        given = {"address": f"{name}@demo.example", "password": PASSWORD}
        answer = self.ask("/sign-in/password", given)
        assert answer.status_code == 303, answer.text
        if "second-factor" in answer.headers["Location"]:
            page = self.ask(answer.headers["Location"]).text
            answer = self.send("/sign-in/second-factor", {"digits": found(r"\b(\d{6})\b", shown_code(page))})
            assert answer.status_code == 303, answer.text


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""


def shown_code(page: str) -> str:
    return found(r'class="code"[^>]*>(.*?)</span>', page)


@dataclass
class Buyer(Visitor):
    """Buys a pack or two, pays or lets it be, and confirms what was sent."""

    packs: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def do_one_thing(self) -> None:
        if self.orders and self.chance.random() < 0.7:
            self.confirm(self.chance.choice(self.orders[:6]))
        else:
            self.buy()

    def buy(self) -> None:
        for pack in self.chance.sample(self.packs, 2):
            self.ask("/cart/items", {"variant": pack, "quantity": "1", "action": "add"})
        page = self.ask("/checkout").text
        form = {name: found(rf'name="{name}" value="([^"]*)"', page) for name in ("shown_total", "idempotency_key")}
        answer = self.ask("/checkout", RECIPIENT | form)
        cashier = answer.headers.get("Location", "")
        if "/sandbox-cashier/" not in cashier:
            return  # the cashier could not be asked just then; the order waits for its fifteen minutes
        cashier = "/sandbox-cashier/" + cashier.partition("/sandbox-cashier/")[2]
        number = found(r"(SX-\w{8})", self.ask(cashier).text)
        self.journal.reached(f"order:{number}", "pending_payment")
        if self.chance.random() < 0.85:
            self.ask(f"{cashier}/decision", {"outcome": "approve"})
            self.journal.paid.append(number)
            self.orders.append(number)

    def confirm(self, number: str) -> None:
        page = self.ask(f"/orders/{number}").text
        parcel = found(rf"/orders/{number}/parcels/(\w+)/confirmation", page)
        if parcel:
            assert self.ask(f"/orders/{number}/parcels/{parcel}/confirmation", {}).status_code == 303
            self.journal.reached(f"parcel:{parcel}", "delivered", "settled")
            self.orders.remove(number)


@dataclass
class Clerk(Visitor):
    """Takes the next step of some parcel of the station, or lets a listing in."""

    def do_one_thing(self) -> None:
        queue = self.chance.choice(("acceptance", "acceptance", "collection", "packing", "dispatch", "listings"))
        page = self.ask("/station/listings" if queue == "listings" else f"/station/queues/{queue}").text
        waiting = re.findall(r'href="/station/(?:parcels|listings)/(\w+)"', page)
        if waiting and queue == "listings":
            self.let_in(self.chance.choice(waiting[:4]))
        elif waiting:
            self.handle(self.chance.choice(waiting[:4]), queue)

    def handle(self, parcel: str, queue: str) -> None:
        page = f"/station/parcels/{parcel}"
        step, data, state = {
            "acceptance": ("acceptance", {}, "accepted"),
            "collection": ("collection", {}, "collecting"),
            "packing": ("packing", {"shelf": "B-03"}, "packed"),
            "dispatch": ("dispatch", {"carrier": "邮政", "tracking_number": "1234567890"}, "shipped"),
        }[queue]
        if queue == "acceptance" and self.chance.random() < 0.25:
            step, data, state = "refusal", {"reason": "霜打坏了"}, "refused"
        if f'action="{page}/{step}"' in self.ask(page).text:
            assert self.send(f"{page}/{step}", data).status_code == 303
            if "flash--done" in self.ask(page).text:  # else a colleague was faster, and perhaps did another thing
                self.journal.reached(f"parcel:{parcel}", state)

    def let_in(self, code: str) -> None:
        assert self.send(f"/station/listings/{code}/review", SEEN).status_code in {303, 404, 409}
        self.journal.reached(f"listing:{code}", "published")
        self.journal.listed.append(code)


@dataclass
class Seller(Visitor):
    def do_one_thing(self) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (300, 200), (200, self.chance.randrange(256), 40)).save(buffer, "JPEG")
        files = [("pictures", ("millet.jpg", buffer.getvalue(), "image/jpeg"))]
        begun = self.send("/seller/listings", {"category": "grain-millet"}, files)
        code = found(r"/seller/listings/(\w+)/", begun.headers.get("Location", ""))
        words = {"title": f"沁州黄小米 {code}", "story": "坡地上一年一茬，米油厚，煮粥香。"}
        assert self.send(f"/seller/listings/{code}/details", DETAILS | words).status_code == 303
        assert self.send(f"/seller/listings/{code}/submission", {}).status_code == 303
        self.journal.reached(f"listing:{code}", "submitted")
        self.stop.wait(self.chance.uniform(2, 5))
