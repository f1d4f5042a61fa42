"""What the worker costs while nobody wants anything: `python -m benchmarks.idling [LINES]`, on both databases.

Beside the demonstration's own past the same past multiplied until the ledger has so many lines (benchmarks/multiplying.py).
Whatever grew with it would take the processor of a house that does well. First everything that waits is done; then what the
worker asks in each round, five times a second, and what it does by the clock is timed, each by itself."""

import json
import os
import subprocess
import sys
from typing import Final

from benchmarks.idle_worker import TIMES, Taken
from benchmarks.multiplying import multiply
from benchmarks.places import Place, on_both
from benchmarks.serving import ROOT
from tests import peers

LINES: Final = 300_000


def of_place(start: Place, python: str, lines: int = LINES) -> tuple[Taken, Taken]:
    """With the demonstration's own past, and with so many lines of one."""
    return with_past(python, start, 0), with_past(python, start, lines)


def with_past(python: str, start: Place, lines: int) -> Taken:
    with start.copied() as place:
        if lines:
            multiply(place, lines)
        command = [python, "-m", "benchmarks.idle_worker"]
        given = {**os.environ, **place.given}
        said = subprocess.run(command, env=given, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        taken: Taken = json.loads(said.splitlines()[-1])
        return taken


def report(results: dict[str, tuple[Taken, Taken]], lines: int = LINES) -> list[str]:
    """The section of docs/benchmarks.md."""
    said = [
        "## A worker with nothing to do",
        "",
        f"What it asks all the same, with the demonstration's past and with {lines:,} lines of one, once all that waited was"
        f" done: medians of {TIMES}. What is asked often must not grow with what is long done.",
        "",
        "| database | asked | demonstration | of that past | the dearest of it |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, (few, many) in results.items():
        for often, taken in many.items():
            dearest = max(taken, key=lambda what: taken[what])
            sums = f"{sum(few[often].values()):.1f} ms | {sum(taken.values()):.1f} ms"
            said.append(f"| {name} | {often} | {sums} | {dearest}: {few[often][dearest]:.1f}, {taken[dearest]:.1f} ms |")
    return [*said, ""]


def main(lines: int) -> None:
    peers.open_folder()
    try:
        results = {name: of_place(start, sys.executable, lines) for name, start in on_both(sys.executable)}
        print("\n".join(report(results, lines)))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else LINES)
