"""`make run`: from a fresh checkout to a running marketplace with demonstration data. Standard library only."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import environment
from environment import ROOT
from progress import say
from supervise import Child, supervise

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 1, 65535


def main() -> int:
    os.chdir(ROOT)
    port, data = read_port(), Path(os.environ.get("DATA") or "data").expanduser().resolve()
    refuse_taken_port(port)
    python = environment.ensure("requirements.txt")
    make_folder(data)
    os.environ.update(DATA=str(data), PORT=str(port), PYTHONUNBUFFERED="1")
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # glibc keeps a heap for each thread, and gives little back
    os.environ.setdefault("BASE_URL", f"http://{HOST}:{port}")
    greeting = prepare(python, data)
    return supervise([web_server(python, port), worker(python)], Greeter(port, greeting))


def read_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and FIRST_PORT <= int(text) <= LAST_PORT):
        sys.exit(f"PORT must be a number from {FIRST_PORT} to {LAST_PORT}, not {text!r}.")
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


def make_folder(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"The folder for data cannot be made: {error}")


def prepare(python: Path, data: Path) -> str:
    """Bring database, demonstration and index up to date; skipped when nothing they are made from has changed.

    Returns what to tell the person who started it: who they may sign in as."""
    stamp = data / "prepared.json"
    fingerprint = fingerprint_of_sources()
    known = json.loads(stamp.read_text()) if stamp.exists() else {}
    if known.get("fingerprint") != fingerprint:
        say("Preparing the marketplace")
        subprocess.run([str(python), "-m", "flask", "--app", "wsgi", "prepare"], check=True)
        greeting = (data / "welcome.txt").read_text("utf-8")
        unfinished = stamp.with_suffix(".part")
        unfinished.write_text(json.dumps({"fingerprint": fingerprint, "greeting": greeting}))
        unfinished.replace(stamp)
        return greeting
    return str(known["greeting"])


def fingerprint_of_sources() -> str:
    """Changes whenever the schema, the demonstration's data or the way it is indexed may have changed."""
    seal = hashlib.sha256(os.environ.get("DATABASE_URL", "").encode())
    for folder in ("marketplace/migrations", "marketplace/demo", "search_index"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                seal.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return seal.hexdigest()


def web_server(python: Path, port: int) -> Child:
    options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--host", HOST, "--port", str(port)]
    options += ["--workers", os.environ.get("WEB_WORKERS", "2"), "--blocking-threads", os.environ.get("WEB_THREADS", "4")]
    options += ["--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "error"]
    return Child("The web server", [str(python), "-m", "granian", *options, "wsgi:app"])


def worker(python: Path) -> Child:
    return Child("The worker", [str(python), "-m", "flask", "--app", "wsgi", "worker"])


class Greeter:
    """Says where the marketplace is, once, as soon as it answers."""

    def __init__(self, port: int, greeting: str) -> None:
        self.port, self.greeting, self.is_done = port, greeting, False

    def __call__(self) -> None:
        if self.is_done or not self._answers():
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
    sys.exit(main())
