"""The one process beside the web server: it delivers what waits and does what is due, until it is told to stop."""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final

from flask import Flask, current_app, has_app_context
from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError

from marketplace.core import looking
from marketplace.core.db import db

IDLE_SECONDS: Final = 0.2
BREATH: Final = 0.1  # seconds between two rounds that found something: what comes meanwhile is dealt with together
MOMENT: Final = 0.1  # seconds that one slow step goes on before the next one has its turn
Step = Callable[[], bool]
PATIENCE: Final = 15.0  # seconds that a slow step has to finish when told to stop; its lease brings it back if it does not


@dataclass
class Periodic:
    """Something done every so many seconds, the first time at once."""

    seconds: float
    work: Callable[[], object]
    due: float = 0.0


@dataclass
class Worker:
    """`steps` say True while more waits; `periodic` are asked when their time comes. Filled by duties.py.

    `queues` are what steps take from: one look into all of them, and those whose queue is empty are not run in this round.

    `slow_steps` wait for machines of others, gateways above all, `patient_steps` for machines of anybody. Both have a thread
    of their own: however long one of them waits, what is published is found in time, and money is not kept waiting."""

    steps: list[Step] = field(default_factory=list)
    slow_steps: list[Step] = field(default_factory=list)
    patient_steps: list[Step] = field(default_factory=list)
    periodic: list[Periodic] = field(default_factory=list)
    queues: dict[Step, Select[Any]] = field(default_factory=dict)

    def every(self, seconds: float, work: Callable[[], object]) -> None:
        self.periodic.append(Periodic(seconds, work))

    def run(self, stop: Event) -> None:
        """Work until `stop` is set. Whatever fails is logged and tried again; nothing ends the loop but `stop`."""
        app = app_of_this_thread()
        waiting = [
            Thread(target=self.run_apart, args=(steps, stop, app), name="slow steps", daemon=True)
            for steps in (self.slow_steps, self.patient_steps)
            if steps
        ]
        for thread in waiting:
            thread.start()
        while not stop.is_set():
            stop.wait(BREATH if self.run_quick() else IDLE_SECONDS)
        for thread in waiting:
            thread.join(PATIENCE)

    def run_once(self) -> bool:
        """One turn of everything, one after the other: True if anything was waiting."""
        worked = [self.run_quick(), *(attempt(step) for step in self.with_work([*self.slow_steps, *self.patient_steps]))]
        return any(worked)

    def run_quick(self) -> bool:
        for job in self.periodic:
            if time.monotonic() >= job.due:
                job.due = time.monotonic() + job.seconds
                attempt(job.work)
        worked = [attempt(step) for step in self.with_work(self.steps)]  # every step has its turn
        return any(worked)

    def run_apart(self, steps: list[Step], stop: Event, app: Flask | None) -> None:
        with app.app_context() if app else nullcontext():
            while not stop.is_set():
                worked = [attempt_some(step, stop) for step in self.with_work(steps)]
                if not any(worked):
                    stop.wait(IDLE_SECONDS)

    def with_work(self, steps: list[Step]) -> list[Step]:
        """All but those that would find their queue empty; all of them where the look itself fails."""
        known = [step for step in steps if step in self.queues]
        in_vain: list[Step] = []

        def look() -> None:
            found = looking.found_in(tuple(self.queues[step] for step in known))
            in_vain.extend(step for step, any_there in zip(known, found, strict=True) if not any_there)

        attempt(look)
        return [step for step in steps if step not in in_vain]

    def run_until_idle(self, most_turns: int = 1000) -> None:
        """For tests and commands: everything that waits is done when this returns."""
        for _turn in range(most_turns):
            if not self.run_once():
                return
        raise RuntimeError("the worker finds no end")


def app_of_this_thread() -> Flask | None:
    return current_app._get_current_object() if has_app_context() else None  # type: ignore[attr-defined]


def attempt_some(step: Callable[[], bool], stop: Event) -> bool:
    """Again while more waits, for a moment: looking into every other queue after each row costs more than the row."""
    until = time.monotonic() + MOMENT
    worked = attempt(step)
    while worked and time.monotonic() < until and not stop.is_set() and attempt(step):
        pass
    return worked


def attempt(work: Callable[[], object]) -> bool:
    try:
        return bool(work())
    except DBAPIError:
        logging.getLogger(__name__).exception("the database did not answer; trying again")
        db.session.remove()
        time.sleep(1)
    except Exception:
        logging.getLogger(__name__).exception("a step of the worker failed")
        db.session.remove()
    return False
