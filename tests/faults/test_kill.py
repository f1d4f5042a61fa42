"""kill -9 of the web server and of the worker at any moment of the trade: nothing acknowledged is lost, what was begun is
finished, the books agree. KILL_SEED=… repeats the choices of a run that failed (the moments are the machine's)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psutil
import pytest
import requests
from sqlalchemy import Connection, NullPool, create_engine, text

from tests.databases import PostgresServer, SQLiteFiles
from tests.faults.trade import Buyer, Clerk, Journal, Seller, Visitor
from tests.houses import ROOT, House, Plan, copied

sys.path.insert(0, str(ROOT / "bin"))

import folder

STATION = "140430"
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, "bin")
import run
from supervise import supervise
python, port, ready = Path(sys.executable), int(sys.argv[1]), Path(sys.argv[2])
greeter = run.Greeter(port, "", ready, 2)
sys.exit(supervise([run.web_server(python, port, 2, greeter), run.worker(python, greeter)], greeter))
"""


@dataclass
class SupervisedHouse(House):
    """As `make run` leaves it: the supervisor heals what dies."""

    def start_all(self) -> None:
        command = [sys.executable, "-c", PROGRAM, self.url.rpartition(":")[2], str(self.log.parent / "ready")]
        with self.log.open("ab") as log:
            how = {"cwd": ROOT, "env": self.environment, "stdout": log, "stderr": log}
            self.processes["supervisor"] = subprocess.Popen(command, **how)  # type: ignore[call-overload]
        self.wait_until_ready()

    def stop(self) -> None:
        process = self.processes.pop("supervisor")
        process.terminate()
        process.wait(40)

    def kill_one(self, chance: random.Random) -> str:
        """One of the web server, one of its own children, or the worker; returns which, or nothing."""
        name = chance.choice(("granian", "flask", "granian's child"))
        for child in psutil.Process(self.processes["supervisor"].pid).children():
            if name.partition("'")[0] not in " ".join(child.cmdline()):
                continue
            if name == "granian's child":
                grandchildren = child.children()
                return self.end(chance.choice(grandchildren), name) if grandchildren else ""
            return self.end(child, name)
        return ""

    def end(self, process: psutil.Process, name: str) -> str:
        os.kill(process.pid, signal.SIGKILL)
        return name


@pytest.fixture
def house(databases: SQLiteFiles | PostgresServer, plan: Plan, tmp_path: Path) -> Iterator[SupervisedHouse]:
    with copied(plan, databases, tmp_path, SupervisedHouse) as house:
        house.start_all()
        yield house


def visitors(house: SupervisedHouse, journal: Journal, stop: Event, chance: random.Random) -> list[Visitor]:
    def of(kind: type[Visitor]) -> Visitor:
        return kind(house.url, journal, stop, random.Random(chance.random()))

    with database(house) as connection:
        packs = list(
            connection.scalars(
                text(
                    """SELECT v.code FROM variant v JOIN listing l ON l.id = v.listing_id WHERE l.state = 'published'
                    AND l.station_code = :station AND v.on_hand - v.reserved > 5 AND v.minimum_quantity = 1"""
                ),
                {"station": STATION},
            )
        )
    buyers = [of(Buyer) for _buyer in range(3)]
    for buyer in buyers:
        buyer.packs = packs  # type: ignore[attr-defined]
    clerk, manager, seller = of(Clerk), of(Clerk), of(Seller)
    clerk.sign_in(f"clerk.{STATION}")
    manager.sign_in(f"station.{STATION}")
    seller.sign_in("seller")
    return [*buyers, clerk, manager, seller]


def database(house: House) -> Connection:
    """Closed when it is left: a pool would hold it until its engine is collected."""
    return create_engine(house.environment["DATABASE_URL"], poolclass=NullPool).connect()


# What waits for its time is no unfinished business.
UNFINISHED = """SELECT (SELECT COUNT(*) FROM gateway_event WHERE status IN ('received', 'unmatched'))
    + (SELECT COUNT(*) FROM refund WHERE state <> 'succeeded')
    + (SELECT COUNT(*) FROM outbox WHERE NOT is_done
        AND topic NOT IN ('order.expires', 'gift.lapses', 'installment.lapses', 'pledge.expires', 'pledge.unanswered',
            'pledge.uncollected', 'group.closes', 'pickup.reminds'))"""


def is_finished(house: House, journal: Journal) -> bool:
    with database(house) as connection:
        unpaid = [number for number in journal.paid if not is_paid(connection, number)]
        return not unpaid and connection.scalar(text(UNFINISHED)) == 0


def is_paid(connection: Connection, number: str) -> bool:
    return bool(connection.scalar(text('SELECT paid_at FROM "order" WHERE number = :number'), {"number": number}))


def is_listed(house: House, code: str) -> bool:
    page = requests.get(f"{house.url}/api/v1/search", params={"q": f"沁州黄小米 {code}"}, timeout=20)
    return any(item["sku"] == code for item in page.json()["items"])


def wait_for(what: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.mark.full
@pytest.mark.parametrize("seconds", [10, pytest.param(120, marks=pytest.mark.nightly)])
def test_killed_at_any_moment_nothing_acknowledged_is_lost(house: SupervisedHouse, seconds: int) -> None:
    seed = int(os.environ.get("KILL_SEED") or random.randrange(2**32))
    print(f"KILL_SEED={seed}")  # noqa: T201
    chance, stop, journal = random.Random(seed), Event(), Journal()
    people = visitors(house, journal, stop, chance)
    killed = []
    with ThreadPoolExecutor(len(people)) as pool:
        trading = [pool.submit(person.run) for person in people]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.5, 3.5))
            killed.append(house.kill_one(chance))
        house.wait_until_ready()
        stop.set()
        for one in trading:
            one.result()
    killed = [name for name in killed if name]
    print(Counter(killed), Counter(state for _subject, state in journal.steps), len(journal.paid))  # noqa: T201

    assert wait_for(lambda: is_finished(house, journal), 150), house.log.read_text()[-4000:]
    with database(house) as connection:
        events = {(row.subject, row.to_state) for row in connection.execute(text("SELECT subject, to_state FROM event"))}
    assert set(journal.steps) - events == set()
    for code in journal.listed:
        assert wait_for(lambda code=code: is_listed(house, code), 30), code  # type: ignore[misc]
    audit = house.flask("ledger", "audit")
    assert audit.returncode == 0, audit.stdout
    assert {path.name for path in Path(house.environment["DATA"]).iterdir()} <= set(folder.MADE), "`make reset` leaves it"
    assert killed and journal.paid and journal.steps
