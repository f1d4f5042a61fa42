"""One life, from one seed."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import time_machine
from flask import Flask

from marketplace.core.db import db
from marketplace.payments.sandbox.gateway import SandboxCashier
from tests import cashiers, peers
from tests.conftest import DATA, make
from tests.databases import PostgresServer, SQLiteFiles, close, fill
from tests.simulation import invariants, settling
from tests.simulation.chance import Dice, seeded_ids
from tests.simulation.faults import Crash, crashing
from tests.simulation.invariants import Witness
from tests.simulation.world import World, furnish

BEGINNING: Final = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)
STEPS: Final = 140
CRASHES: Final = 0.02  # at each commit, before it and after it


@dataclass
class Life:
    """What happened, and what was found wrong, if anything."""

    seed: int
    journal: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = "\n".join(f"{place:4} {line}" for place, line in enumerate(self.journal, 1))
        wrong = "\n".join(self.broken) or "nothing is wrong"
        return f"{told}\n\nseed {self.seed}: {wrong}"


class Stage:
    """A marketplace in which lives are lived one after the other, each from the same beginning."""

    def __init__(self, databases: SQLiteFiles | PostgresServer) -> None:
        self.databases = databases
        self.template = fill(make, databases.create())
        with self.opened(self.template) as app, time_machine.travel(BEGINNING, tick=False):
            cashiers.opened(sandbox(app))
            self.shop, self.fund = furnish(app)
        self.url = databases.create(self.template)
        self.app = make(self.url)  # one for all lives: it, and what the engine learns of statements, takes as long as a life
        self.cashier = sandbox(self.app)

    def live(self, seed: int, steps: int = STEPS) -> Life:
        """Live the life of this seed. A wrong thing ends it and stands in `broken`."""
        life, dice = Life(seed), Dice(seed)
        logging.disable(logging.CRITICAL)  # of failures, which are what this is about
        with ExitStack() as stack:
            stack.callback(logging.disable, logging.NOTSET)
            stack.enter_context(self.alive())
            clock = stack.enter_context(time_machine.travel(BEGINNING, tick=False))
            stack.enter_context(seeded_ids(seed))
            world = self.world(self.app, dice, clock)
            witness = stack.enter_context(invariants.watching())
            with crashing(dice, CRASHES):
                self.go_on(life, world, witness, steps)
            if not life.broken:
                settling.settle_down(world)
                life.broken = invariants.broken_at_rest(world)
        return life

    def go_on(self, life: Life, world: World, witness: Witness, steps: int) -> None:
        for _step in range(steps):
            try:
                life.journal.append(world.do())
            except Crash as crash:
                db.session.remove()
                life.journal.append(f"killed {crash}")
            if broken := witness.broken_now():
                life.broken = broken
                return

    def world(self, app: Flask, dice: Dice, clock: Any) -> World:
        cashiers.opened(self.cashier)
        self.shop.app, self.fund.app = app, app
        self.shop.cashier = self.fund.cashier = self.cashier
        return World(app, (self.shop, self.fund), dice, clock)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The one application, on a database that nobody has touched."""
        self.databases.refill(self.url, self.template)
        with self.app.app_context():
            yield
            self.cashier.storage.dispose()
        close(self.app)

    @contextmanager
    def opened(self, url: str) -> Iterator[Flask]:
        app = make(url)
        with app.app_context():
            yield app
            sandbox(app).storage.dispose()
        close(app)


def sandbox(app: Flask) -> SandboxCashier:
    cashier = app.extensions["gateways"].by_name["sandbox"]
    assert isinstance(cashier, SandboxCashier)
    return cashier


@contextmanager
def on_sqlite() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(dir=peers.in_memory()) as folder:
        DATA.append(Path(folder))  # as a session of tests has one
        yield Stage(SQLiteFiles(Path(folder)))
