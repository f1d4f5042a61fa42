"""The marketplace as it runs in earnest: server and worker are processes of their own, people have their own browsers."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser import barriers, overflows
from tests.databases import PostgresServer, SQLiteFiles
from tests.houses import House, Plan, copied

PASSWORD = "millet-58-doors"
CROSSWISE = {("sqlite", True), ("postgresql", False)}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With JavaScript on one database and without it on the other; at night in all four ways."""
    for item in items:
        if item.path.parent == Path(__file__).parent and isinstance(item, pytest.Function):
            told = item.callspec.params
            if (told["databases"], told["script"]) not in CROSSWISE:
                item.add_marker(pytest.mark.nightly)


@pytest.fixture
def house(databases: SQLiteFiles | PostgresServer, plan: Plan, tmp_path: Path) -> Iterator[House]:
    with copied(plan, databases, tmp_path, House) as house:
        house.start("web")
        house.start("worker")
        yield house


@dataclass
class Person:
    """Somebody with a phone, or at a desk."""

    house: House
    context: BrowserContext
    page: Page
    has_script: bool

    def go(self, path: str) -> None:
        try:
            self.page.goto(self.house.url + path)
        except Error as error:  # a page that waits for money moved on by itself at this moment
            if "ERR_ABORTED" not in error.message and "interrupted by another navigation" not in error.message:
                raise
            self.page.wait_for_load_state()
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

    def sees(self, words: str, patience: float = 30.0) -> None:
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
def width(databases: SQLiteFiles | PostgresServer) -> int:
    """A phone on one database, a desk on the other: with every change one with JavaScript and one without, at night both."""
    return 1280 if isinstance(databases, PostgresServer) else 390


@pytest.fixture
def people(house: House, browser: Browser, script: bool, width: int) -> Iterator[dict[str, Person]]:
    """Farmer, clerks and buyer, each in a browser of their own, with or without script."""
    contexts = []
    found = {}
    for name in ("farmer", "clerk", "other_clerk", "buyer"):
        context = browser.new_context(viewport={"width": width, "height": 780}, java_script_enabled=script, bypass_csp=True)
        context.set_default_timeout(15_000)
        contexts.append(context)
        found[name] = Person(house, context, context.new_page(), script)
    yield found
    for context in contexts:
        context.close()
