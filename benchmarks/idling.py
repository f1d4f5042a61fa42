"""What the worker costs while nobody wants anything: `python -m benchmarks.idling [LINES ...]`, on both databases.

Beside the demonstration's own past the same past multiplied until the ledger has so many lines (benchmarks/multiplying.py).
Whatever grew with it would take the processor of a house that does well. First everything that waits is done; then each
look into the queues, five times a second in earnest, and everything that is done by the clock is timed by itself."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from benchmarks.multiplying import multiply
from benchmarks.places import Place, on_both
from benchmarks.serving import ROOT
from tests import peers

LINES: Final = 1_000_000
TIMES: Final = 5
SHOWN: Final = 6  # of the slowest
Taken = dict[str, float]  # milliseconds, by what is looked at or done


def measure(python: str = sys.executable, lines: int = LINES) -> dict[str, tuple[Taken, Taken]]:
    """By database: with the demonstration's past, and with so many lines."""
    found: dict[str, tuple[Taken, Taken]] = {}
    for name, start in on_both(python):
        found[name] = (with_past(python, start, 0), with_past(python, start, lines))
    return found


def with_past(python: str, start: Place, lines: int) -> Taken:
    with start.copied() as place:
        if lines:
            multiply(place, lines)
        return taken_in(python, place)


def taken_in(python: str, place: Place) -> Taken:
    command = [python, "-m", "benchmarks.idling", "inside"]
    said = subprocess.run(command, env={**os.environ, **place.given}, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    taken: Taken = json.loads(said.splitlines()[-1])
    return taken


def inside() -> None:
    """In a process of the marketplace: says what was taken as JSON."""
    from marketplace.duties import compose_worker
    from wsgi import app

    with app.app_context():
        worker = compose_worker(app)
        worker.run_until_idle()
        print(json.dumps({name: median(work) for name, work in jobs(worker)}))


def jobs(worker: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """What the worker asks while nothing waits, under names that a reader finds in duties.py."""
    from marketplace.core import looking

    for name, steps in (("quick", worker.steps), ("slow", worker.slow_steps), ("patient", worker.patient_steps)):
        known = tuple(worker.queues[step] for step in steps if step in worker.queues)
        yield f"a look into the {name} queues", partial(looking.found_in, known)
    for step in [*worker.steps, *worker.slow_steps, *worker.patient_steps]:
        yield f"{named(step)}, which finds nothing", step
    for job in worker.periodic:
        yield f"{named(job.work)}, every {job.seconds:.0f} s", job.work


def named(work: Any) -> str:
    """By its module and its own name, also where it is wrapped into a transaction."""
    while isinstance(work, partial):
        work = work.args[0] if work.args and callable(work.args[0]) else work.func
    name = getattr(work, "__name__", type(work).__name__)
    return f"{work.__module__.rpartition('.')[2]}.{name}"


def median(work: Callable[[], object]) -> float:
    times = []
    for _each in range(TIMES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 2)


def main(lines: list[int]) -> None:
    peers.open_folder()
    try:
        for name, (few, many) in measure(lines=lines[0] if lines else LINES).items():
            print(name)
            for what in sorted(many, key=lambda each: -many[each]):
                print(f"{few.get(what, 0):9.2f} {many[what]:9.2f} {what}")
    finally:
        peers.close_folder()


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["inside"] else main([int(number) for number in sys.argv[1:]])
