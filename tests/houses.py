"""Whole marketplaces with the demonstration in them, each with processes of its own: prepared once, then copied."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from benchmarks.serving import WITHOUT_WORDS
from tests import peers
from tests.databases import PostgresServer, SQLiteFiles

ROOT = Path(__file__).parent.parent
PATIENCE = 60.0
PLAN = "plan.note"  # no .json: nobody has to end it
H = TypeVar("H", bound="House")


@dataclass
class House:
    """A running marketplace with the demonstration in it."""

    url: str
    environment: dict[str, str]
    log: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        port = self.url.rpartition(":")[2]
        granian = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "--workers", "1", "wsgi:app"]
        command = granian if name == "web" else ["flask", "--app", "wsgi", "worker"]
        with self.log.open("ab") as log:
            environment = self.environment | (WITHOUT_WORDS if name == "web" else {})
            options = {"cwd": ROOT, "env": environment, "stdout": log, "stderr": log, "start_new_session": True}
            self.processes[name] = subprocess.Popen([sys.executable, "-m", *command], **options)  # type: ignore[call-overload]
        if name == "web":
            self.wait_until_ready()

    def kill(self, name: str) -> None:
        """As if the power had gone."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(self.log.read_text()[-4000:])


@dataclass
class Plan:
    """A prepared house in which nobody lives: its copies are ready at once."""

    database: str
    data: Path


def settings(database: str, data: Path, address: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    return known | {"DATA": str(data), "DATABASE_URL": database, "BASE_URL": address, "APP_ENV": "demo"}


@pytest.fixture(scope="session")
def plan(databases: SQLiteFiles | PostgresServer) -> Plan:
    """To prepare it takes half a minute, so the first who wants it does so for all of xdist's workers."""

    def prepare(folder: Path) -> dict[str, str]:
        folder.mkdir()
        where = SQLiteFiles(folder) if isinstance(databases, SQLiteFiles) else databases
        database, address = where.create(), "http://127.0.0.1"
        prepared = House(address, settings(database, folder / "data", address), folder / "log").flask("prepare")
        assert prepared.returncode == 0, prepared.stderr
        return {"database": database, "data": str(folder / "data")}

    kind = "sqlite" if isinstance(databases, SQLiteFiles) else "postgresql"
    made = peers.once(f"{kind}-{PLAN}", prepare)
    return Plan(made["database"], Path(made["data"]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After all workers: a server that was here before us (TEST_POSTGRESQL) keeps nothing of ours."""
    if not hasattr(config, "workerinput"):
        for made in peers.noted(f"postgresql-{PLAN}"):
            PostgresServer(peers.postgresql()).drop(made["database"])


@contextmanager
def copied(plan: Plan, databases: SQLiteFiles | PostgresServer, folder: Path, kind: type[H]) -> Iterator[H]:
    """One to live in; whoever copies it starts its processes."""
    url, data = databases.create(plan.database), shutil.copytree(plan.data, folder / "data")
    address = f"http://127.0.0.1:{peers.free_port()}"
    house = kind(address, settings(url, data, address), folder / "log")
    yield house
    house.stop()
    databases.drop(url)
