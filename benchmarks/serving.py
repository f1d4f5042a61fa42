"""The web server as it runs in earnest, and what it takes: its environment, its processes, their memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tests import peers
from tests.databases import PostgresServer

ROOT: Final = Path(__file__).parent.parent
SERVER: Final = ["--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "2", "--blocking-threads", "4"]
WITHOUT_WORDS: Final = {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": ""}  # bin/run.py, for web servers
AS_RUN_SETS: Final = {  # bin/run.py
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


@contextmanager
def environment_in_earnest() -> Iterator[str]:
    """Its Python. Only what requirements.txt pins: with tools for development beside, libraries load more than they need."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-q"]
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", *options, "-r", "requirements.txt"]
        subprocess.run(command, cwd=ROOT, check=True)
        yield python


def run(python: str, arguments: list[str], given: dict[str, str]) -> None:
    subprocess.run([python, *arguments], env={**os.environ, **given}, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def served(python: str, target: str, given: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Its address, and the process that listens."""
    port = peers.free_port()
    command = [python, "-m", "granian", *SERVER, "--port", str(port), "--log-level", "error", target]
    process = subprocess.Popen(command, env={**os.environ, **given, **WITHOUT_WORDS}, cwd=ROOT)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/")
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def working(python: str, given: dict[str, str]) -> Iterator[int]:
    """The worker beside the server; its process."""
    process = subprocess.Popen([python, "-m", "flask", "--app", "wsgi", "worker"], env={**os.environ, **given}, cwd=ROOT)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def new_database(template: str = "") -> str:
    """On the tests' private server; a copy of `template`, to which nobody may be connected."""
    return postgres().create(template or None)


def drop_database(url: str) -> None:
    postgres().drop(url)


@cache
def postgres() -> PostgresServer:
    return PostgresServer(peers.postgresql())


def processor_seconds(pid: int) -> float:
    """Of one process, in its own code and in the system's, since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(url).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def workers_of(server: int) -> list[int]:
    """The processes that serve: children of the one that listens."""
    everyone = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in everyone if status_of(pid, "PPid") == server]


def megabytes(pid: int) -> float:
    return status_of(pid, "VmRSS") / 1024


def status_of(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
