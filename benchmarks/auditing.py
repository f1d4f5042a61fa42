"""How long `ledger audit` takes, and how much memory: `python -m benchmarks.auditing [LINES ...]`, on both databases.

The demonstration's past, gateways' movements included, is multiplied until the ledger has so many lines
(benchmarks/multiplying.py). The command runs as a process of its own, and must find that everything agrees."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.multiplying import multiply
from benchmarks.places import Place, prepared
from benchmarks.serving import ROOT, new_database, status_of
from tests import peers

LINES: Final = (100_000, 1_000_000)


@dataclass(frozen=True)
class Audit:
    seconds: float
    megabytes: float  # the most that the process had
    looked_at: str


def measure(lines: tuple[int, ...] = LINES, python: str = sys.executable) -> dict[str, dict[int, Audit]]:
    """By database and number of lines. To be called between `peers.open_folder` and `peers.close_folder`."""
    found = {}
    for name, database in (("SQLite", ""), ("PostgreSQL", new_database())):
        with prepared(python, database) as start:
            found[name] = of_place(start, python, lines)
    return found


def of_place(start: Place, python: str, lines: tuple[int, ...] = LINES) -> dict[int, Audit]:
    found = {}
    for number in lines:
        with start.copied() as place:
            multiply(place, number)
            found[number] = audited(python, place)
    return found


def audited(python: str, place: Place) -> Audit:
    command = [python, "-m", "flask", "--app", "wsgi", "ledger", "audit"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **place.given}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None:
        most = max(most, status_of(process.pid, "VmHWM"))
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    said = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(said)
    return Audit(seconds, most / 1024, said.strip())


def report(results: dict[str, dict[int, Audit]]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## The audit",
        "",
        "`flask --app wsgi ledger audit` over the demonstration's past, multiplied until the ledger has so many lines; it"
        " found that everything agrees. The goal is a million lines in 30 s, in as much memory as few of them take.",
        "",
        "| database | lines | seconds | most memory |",
        "| --- | --- | --- | --- |",
    ]
    for name, by_number in results.items():
        for number, audit in by_number.items():
            lines.append(f"| {name} | {number:,} | {audit.seconds:.1f} | {audit.megabytes:.0f} MB |")
    return [*lines, ""]


def main(lines: list[int]) -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(tuple(lines) or LINES))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]])
