"""`make run`: from a fresh checkout to a running marketplace with demonstration data. Standard library only."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import socket
import sys
from pathlib import Path

import environment
import folder
from environment import ROOT
from progress import say
from supervise import Child, run_alone, supervise

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 1, 65535
INTERRUPTED = 130
MOST_WORKERS = 64
FRUGAL = {  # with memory
    "OPENBLAS_NUM_THREADS": "1",  # searching counts and sorts; threads of its own only take room
    "MALLOC_ARENA_MAX": "2",  # glibc keeps a heap for each thread, and gives little back
    "MALLOC_MMAP_THRESHOLD_": "131072",  # glibc's own beginnings; said aloud, they do not grow
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
WITHOUT_WORDS = {  # docstrings are 11 MB of each web process
    "PYTHONOPTIMIZE": "2",
    "PYTHONDONTWRITEBYTECODE": "",  # else each start would leave them out of every module anew
}


def main() -> int:
    os.chdir(ROOT)
    port, count, data = read_port(), read_count(), folder.chosen()
    refuse_taken_port(port)
    if in_the_way := folder.take(data):
        sys.exit(in_the_way)
    python = environment.ensure("requirements.txt")
    os.environ.update(DATA=str(data), PORT=str(port), PYTHONUNBUFFERED="1")
    for name, value in FRUGAL.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("BASE_URL", f"http://{HOST}:{port}")
    greeter = Greeter(port, prepare(python, data), data / "web-workers", count)
    return supervise([web_server(python, port, count, greeter), worker(python, greeter)], greeter)


def read_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and FIRST_PORT <= int(text) <= LAST_PORT):
        sys.exit(f"PORT must be a number from {FIRST_PORT} to {LAST_PORT}, not {text!r}.")
    return int(text)


def read_count() -> int:
    text = os.environ.get("WEB_WORKERS") or "2"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS):
        sys.exit(f"WEB_WORKERS must be a number from 1 to {MOST_WORKERS}, not {text!r}.")
    return int(text)


def refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            sys.exit(f"Port {port} may not be used by this account. Choose one above 1023: make run PORT=8000")
        except OSError:
            sys.exit(f"Port {port} is taken, perhaps by another `make run`. Choose another one: make run PORT={port + 1}")


def prepare(python: Path, data: Path) -> str:
    """Bring database, demonstration and index up to date; skipped when nothing they are made from has changed.

    Returns what to tell the person who started it: who they may sign in as."""
    stamp = data / "prepared.json"
    fingerprint = fingerprint_of_sources()
    known = json.loads(stamp.read_text()) if stamp.exists() else {}
    if known.get("fingerprint") != fingerprint:
        say("Preparing the marketplace")
        status = run_alone([str(python), "-m", "flask", "--app", "wsgi", "prepare"])
        if status:
            sys.exit(status)  # what was wrong stands above
        greeting = (data / "welcome.txt").read_text("utf-8")
        unfinished = stamp.with_suffix(".part")
        unfinished.write_text(json.dumps({"fingerprint": fingerprint, "greeting": greeting}))
        unfinished.replace(stamp)
        return greeting
    return str(known["greeting"])


def fingerprint_of_sources() -> str:
    """Changes whenever the schema, the demonstration's data or the way it is indexed may have changed."""
    seal = hashlib.sha256(os.environ.get("DATABASE_URL", "").encode())
    for sources in ("marketplace/migrations", "marketplace/demo", "search_index"):
        for path in sorted((ROOT / sources).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                seal.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return seal.hexdigest()


def web_server(python: Path, port: int, count: int, greeter: Greeter) -> Child:
    """Given up while the shop has never been open; afterwards whatever killed it may be over the next time."""
    options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--host", HOST, "--port", str(port)]
    options += ["--workers", str(count), "--blocking-threads", os.environ.get("WEB_THREADS", "4")]
    options += ["--respawn-failed-workers", "--workers-kill-timeout", "2", "--log-level", "error"]
    command = [str(python), "-m", "granian", *options, "wsgi:app"]
    environment = {"READY_FOLDER": str(greeter.ready), **WITHOUT_WORDS}
    return Child("The web server", command, environment, is_proven=lambda: greeter.is_done)


def worker(python: Path, greeter: Greeter) -> Child:
    """Started once the shop is open: what it delivers to the shop itself would find nobody before."""
    command = [str(python), "-m", "flask", "--app", "wsgi", "worker"]
    return Child("The worker", command, may_start=lambda: greeter.is_done, is_proven=lambda: greeter.is_done)


class Greeter:
    """Says where the marketplace is, once, as soon as all `count` processes of the web server are there.

    Each of them leaves its number in the folder `ready` when it has the application."""

    def __init__(self, port: int, greeting: str, ready: Path, count: int) -> None:
        self.port, self.greeting, self.ready, self.count = port, greeting, ready, count
        self.is_done = False
        shutil.rmtree(ready, ignore_errors=True)
        ready.mkdir()

    def __call__(self) -> None:
        if self.is_done or len(list(self.ready.iterdir())) < self.count or not self._answers():
            return
        self.is_done = True
        say(f"\nOpen http://{HOST}:{self.port}/\n\n{self.greeting}\nCtrl-C ends it.")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("\nStopped. The next `make run` goes on from here.")
        sys.exit(INTERRUPTED)
