"""The programs that some tests need beside Python: PostgreSQL, Redis, Chromium, and two servers like Stripe's of others.

Where they are installed, the test session starts private servers of its own in a temporary folder, each when the first
test asks for it and once for all of xdist's workers, and ends them. Where they are not, those tests are skipped, and the
summary says so loudly; with REQUIRE_PEERS=1 (as in .ci/run) they fail instead.
TEST_POSTGRESQL and TEST_REDIS name servers that run already: postgresql+psycopg://user@host:port/, redis://host:port/0."""

import fcntl
import functools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

FOLDER = "TEST_PEERS"  # the environment variable by which xdist's workers find the session's folder
MISSING = "a program that tests need is missing: "
HOW = {
    "postgresql": "apt install postgresql",
    "redis": "apt install redis-server",
    "chromium": "apt install chromium-headless-shell fonts-noto-cjk",
    "localstripe": "make environment",
    "stripe-world": "make stripe-world",
}
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
STRIPE_WORLD = Path(__file__).parent.parent / ".cache" / "stripe-world"
PATIENCE = 60.0
ROOM = 2 * 2**30  # bytes
_launched: list[subprocess.Popen[bytes]] = []


def open_folder() -> None:
    """In the process that leads the session, before any test."""
    if FOLDER not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="peers-", dir=in_memory()))
        folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        os.environ[FOLDER] = str(folder)


def in_memory() -> Path | None:
    """Where there is room: a place in memory, in which a new database takes a tenth of the time."""
    place = Path("/dev/shm")
    roomy = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > ROOM
    return place if roomy else None


def close_folder() -> None:
    """In the process that leads the session, after all tests: end what was started."""
    folder = Path(os.environ[FOLDER])
    for started in noted(".json"):
        with suppress(ProcessLookupError):
            os.kill(started["pid"], signal.SIGINT)  # PostgreSQL: a fast shutdown
    deadline = time.monotonic() + PATIENCE
    while list(folder.glob("*/postmaster.pid")) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[FOLDER]


def let_go() -> None:
    """In every process that launched one: it goes on for the others, and Python shall not complain that nobody waited."""
    for process in _launched:
        process.returncode = 0


@functools.cache
def postgresql() -> str:
    """The address of a server on which we may make databases, ending in a slash."""
    return os.environ.get("TEST_POSTGRESQL") or _once("postgresql", _start_postgresql)


@functools.cache
def redis() -> str:
    return os.environ.get("TEST_REDIS") or _once("redis", _start_redis)


@functools.cache
def chromium() -> str:
    """The path of the browser: rather the one without windows, which takes three fifths of the other's processor time."""
    found = (shutil.which(name) for name in BROWSERS)
    return next(filter(None, found), None) or _miss("chromium")


@functools.cache
def localstripe() -> str:
    """The address of a server like Stripe's that others wrote: a package for development, a process of its own."""
    return _once("localstripe", _start_localstripe)


@functools.cache
def stripe_world() -> str:
    """The address of another server like Stripe's, which keeps keys, declines, disputes and a balance with fees.

    It takes npm and a Python that Node runs, so even REQUIRE_PEERS lets it be missing: its tests skip loudly."""
    if not (STRIPE_WORLD / "wheels" / "yaml.zip").exists() or shutil.which("node") is None:
        pytest.skip(f"{MISSING}stripe-world ({HOW['stripe-world']})")
    return _once("stripe-world", _start_stripe_world)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _once(name: str, start: Callable[[Path], tuple[int, str]]) -> str:
    def started(folder: Path) -> dict[str, Any]:
        pid, url = start(folder)
        return {"pid": pid, "url": url}

    return str(once(f"{name}.json", started)["url"])


def once(name: str, make: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What `make` says it made in the folder it is given: in the first of xdist's workers that asks, and once for all."""
    folder = Path(os.environ[FOLDER])
    note = folder / name
    with _locked(note.with_suffix(".lock")):
        if not note.exists():
            note.write_text(json.dumps(make(note.with_suffix(""))))
    return dict(json.loads(note.read_text()))


def noted(ending: str) -> list[dict[str, Any]]:
    """What has been made so far, of the names that end so."""
    return [json.loads(note.read_text()) for note in Path(os.environ[FOLDER]).glob(f"*{ending}")]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_postgresql(folder: Path) -> tuple[int, str]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    initdb = shutil.which("initdb", path=str(programs[-1]) if programs else None) or _miss("postgresql")
    folder.mkdir()
    who = _owner_of_servers(folder)
    base = [initdb, "--pgdata", str(folder / "data"), "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    subprocess.run([*base, "--locale=C.UTF-8", "--no-sync"], check=True, stdout=subprocess.DEVNULL, **who)
    port = free_port()
    # jit: to compile the plan of an audit's query takes longer than the few rows of a test
    quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off", "max_connections=300")
    small = ("shared_buffers=64MB", "max_wal_size=128MB", "min_wal_size=32MB")
    place = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
    options = [part for setting in (*quick, *small, *place) for part in ("-c", setting)]
    server = Path(initdb).with_name("postgres")
    with (folder / "log").open("w") as log:
        process = _launch([str(server), "-D", str(folder / "data"), *options], log, who)
    _wait_until(lambda: psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close(), process, folder / "log")
    return process.pid, f"postgresql+psycopg://postgres@127.0.0.1:{port}/"


def _owner_of_servers(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    postgres = pwd.getpwnam("postgres")
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": [], "cwd": folder}


def _start_redis(folder: Path) -> tuple[int, str]:
    server = shutil.which("redis-server") or _miss("redis")
    folder.mkdir()
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "log").open("w") as log:
        process = _launch([server, *options], log, {})
    _wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), process, folder / "log")
    return process.pid, f"redis://127.0.0.1:{port}/0"


def _start_localstripe(folder: Path) -> tuple[int, str]:
    server = Path(sys.executable).with_name("localstripe")
    if not server.exists():
        _miss("localstripe")
    folder.mkdir()
    port = free_port()
    with (folder / "log").open("w") as log:
        process = _launch([str(server), "--port", str(port), "--from-scratch"], log, {"cwd": folder})
    _wait_until(lambda: socket.create_connection(("localhost", port)).close(), process, folder / "log")
    return process.pid, f"http://localhost:{port}"


def _start_stripe_world(folder: Path) -> tuple[int, str]:
    folder.mkdir()
    port = free_port()
    server = Path(__file__).parent / "stripe_world" / "server.mjs"
    with (folder / "log").open("w") as log:
        process = _launch(["node", str(server), str(STRIPE_WORLD), str(port)], log, {})
    _wait_until(lambda: socket.create_connection(("127.0.0.1", port)).close(), process, folder / "log")
    return process.pid, f"http://127.0.0.1:{port}"


def _launch(command: list[str], log: Any, who: dict[str, Any]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **who)
    _launched.append(process)  # they outlive the function, and Python warns of children it forgot
    return process


def wait_until(what: Callable[[], bool]) -> None:
    """Returns as soon as it is so; fails the test when it is not so in a minute."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _wait_until(connect: Callable[[], None], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, psycopg.OperationalError):
            connect()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()}")


def _miss(name: str) -> str:
    sentence = f"{MISSING}{name} ({HOW[name]})"
    if os.environ.get("REQUIRE_PEERS"):
        pytest.fail(sentence)
    pytest.skip(sentence)
