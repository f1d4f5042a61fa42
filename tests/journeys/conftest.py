"""The marketplace as it runs in earnest: server and worker are processes of their own, people have their own browsers."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from benchmarks.serving import WITHOUT_WORDS
from tests import peers
from tests.browser import barriers, overflows
from tests.databases import PostgresServer, SQLiteFiles

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "millet-58-doors"
PATIENCE = 60.0


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


@pytest.fixture
def house(databases: SQLiteFiles | PostgresServer, tmp_path: Path) -> Iterator[House]:
    url = databases.create()
    known = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    address = f"http://127.0.0.1:{peers.free_port()}"
    given = {"DATA": str(tmp_path / "data"), "DATABASE_URL": url, "BASE_URL": address, "APP_ENV": "demo"}
    house = House(address, known | given, tmp_path / "log")
    prepared = house.flask("prepare")
    assert prepared.returncode == 0, prepared.stderr
    house.start("web")
    house.start("worker")
    yield house
    house.stop()
    databases.drop(url)


@dataclass
class Person:
    """Somebody with a phone of 390 pixels."""

    house: House
    context: BrowserContext
    page: Page
    has_script: bool

    def go(self, path: str) -> None:
        self.page.goto(self.house.url + path)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words).first.click()
        self.page.wait_for_load_state()

    def follow(self, words: str) -> None:
        self.page.get_by_role("link", name=words).first.click()
        self.page.wait_for_load_state()

    def sees(self, words: str, patience: float = 15.0) -> None:
        """The page says this, now or when it is looked at again."""
        deadline = time.monotonic() + patience
        while words not in self.page.content():
            assert time.monotonic() < deadline, self.page.locator("body").inner_text()
            time.sleep(0.3)
            self.page.reload()

    def sign_in(self, name: str) -> None:
        self.go("/sign-in/password")
        self.fill(address=f"{name}@demo.example", password=PASSWORD)
        self.press("登录")
        if self.page.locator("[name=digits]").count():
            shown = self.page.locator(".code").first.inner_text()
            self.fill(digits=shown.strip())
            self.press("继续")

    def is_at_ease(self) -> None:
        """Nothing on this page is in anybody's way, and it fits the screen."""
        if self.has_script:  # the checks are scripts themselves, and the page is the same
            try:
                self.check()
            except Error:  # a page that waits for money moves on by itself, perhaps at this moment
                self.page.wait_for_load_state()
                self.check()

    def check(self) -> None:
        assert barriers(self.page) == [], self.page.url
        assert not overflows(self.page), self.page.url


@pytest.fixture(params=[pytest.param(True, id="script"), pytest.param(False, id="no script", marks=pytest.mark.full)])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def people(house: House, browser: Browser, script: bool) -> Iterator[dict[str, Person]]:
    """Farmer, clerks and buyer, each in a browser of their own, with or without script."""
    contexts = []
    found = {}
    for name in ("farmer", "clerk", "other_clerk", "buyer"):
        context = browser.new_context(viewport={"width": 390, "height": 780}, java_script_enabled=script, bypass_csp=True)
        context.set_default_timeout(15_000)
        contexts.append(context)
        found[name] = Person(house, context, context.new_page(), script)
    yield found
    for context in contexts:
        context.close()
