"""How long a worker takes that finds nothing, as JSON. A process of its own, with the libraries of earnest."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from marketplace.core import looking
from marketplace.core.worker import Worker

TIMES: Final = 5
ROUND: Final = "a round, five times a second"
Taken = dict[str, dict[str, float]]  # milliseconds by what is asked, by how often


def main() -> None:
    from marketplace.duties import compose_worker
    from wsgi import app

    taken: Taken = {}
    with app.app_context():
        worker = compose_worker(app)
        worker.run_until_idle(most_turns=1_000_000)
        for often, name, work in asked(worker):
            taken.setdefault(often, {})[name] = median(work)
    print(json.dumps(taken))


def asked(worker: Worker) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """How often, by what name, and the work: the looks, the steps that no look spares, and what is done by the clock."""
    for name, steps in (("quick", worker.steps), ("slow", worker.slow_steps), ("patient", worker.patient_steps)):
        known = tuple(worker.queues[step] for step in steps if step in worker.queues)
        yield ROUND, f"the look for {name} steps", partial(looking.found_in, known)
        for step in steps:
            if step not in worker.queues:
                yield ROUND, named(step), step
    for job in worker.periodic:
        yield f"every {job.seconds:.0f} s", named(job.work), job.work


def named(work: Any) -> str:
    """As it stands in duties.py, also where it is wrapped into a transaction."""
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


if __name__ == "__main__":
    main()
