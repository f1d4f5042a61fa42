"""Two processes side by side: what dies is started again, and both end together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BIN = Path(__file__).parents[2] / "bin"
PROGRAM = """
import sys
sys.path.insert(0, {bin!r})
from supervise import Child, supervise
child = "import os, sys, time; open(sys.argv[1], 'a').write(f'{{os.getpid()}}\\\\n'); {ending}"
names = ("web", "worker")
proven = lambda: {proven}
children = [Child(name, [sys.executable, "-c", child, {folder!r} + "/" + name], is_proven=proven) for name in names]
sys.exit(supervise(children, lambda: None))
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def begin(ending: str = "time.sleep(60)", *, proven: bool = False) -> subprocess.Popen[str]:
        program = PROGRAM.format(bin=str(BIN), folder=str(tmp_path), ending=ending, proven=proven)
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def pids(folder: Path, name: str, at_least: int) -> list[int]:
    """Those under which the child has run so far."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found = (folder / name).read_text().split() if (folder / name).exists() else []
        if len(found) >= at_least:
            return [int(pid) for pid in found]
        time.sleep(0.05)
    raise AssertionError(f"{name} was not started {at_least} times")


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def wait_until_gone(*given: int) -> None:
    deadline = time.monotonic() + 20
    while not all(is_gone(pid) for pid in given):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both(start: Start, tmp_path: Path, sent: signal.Signals) -> None:
    supervisor = start("time.sleep(60)")
    children = [*pids(tmp_path, "web", 1), *pids(tmp_path, "worker", 1)]

    supervisor.send_signal(sent)

    assert supervisor.wait(timeout=30) == 0
    wait_until_gone(*children)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_whichever_is_killed_is_started_again(start: Start, tmp_path: Path, name: str) -> None:
    start("time.sleep(60)")
    other = "web" if name == "worker" else "worker"
    first, neighbour = pids(tmp_path, name, 1)[0], pids(tmp_path, other, 1)[0]

    os.kill(first, signal.SIGKILL)

    assert pids(tmp_path, name, 2)[1] != first
    assert pids(tmp_path, other, 1) == [neighbour]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells a child that its parent died")
def test_children_do_not_outlive_a_killed_supervisor(start: Start, tmp_path: Path) -> None:
    supervisor = start("time.sleep(60)")
    children = [*pids(tmp_path, "web", 1), *pids(tmp_path, "worker", 1)]
    supervisor.kill()
    wait_until_gone(*children)


@pytest.mark.full  # it waits longer each time
def test_what_dies_as_soon_as_it_starts_is_given_up(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(3)")
    said, _nothing = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 1
    assert "status 3" in said
    assert "again and again" in said
    assert len(pids(tmp_path, "web", 1)) == 6


@pytest.mark.full
def test_what_has_worked_before_is_never_given_up(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(3)", proven=True)
    assert len(pids(tmp_path, "web", 8)) >= 8
    assert supervisor.poll() is None


WAITING = """
import sys
sys.path.insert(0, {bin!r})
from supervise import Child, supervise
touch = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"
open_yet = lambda: __import__("os").path.exists({folder!r} + "/open")
web = Child("web", [sys.executable, "-c", touch, {folder!r} + "/web"])
worker = Child("worker", [sys.executable, "-c", touch, {folder!r} + "/worker"], may_start=open_yet)
sys.exit(supervise([web, worker], lambda: None))
"""


def test_the_worker_waits_until_the_shop_is_open(tmp_path: Path) -> None:
    program = WAITING.format(bin=str(BIN), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        wait_for(tmp_path / "web")
        time.sleep(0.5)
        assert not (tmp_path / "worker").exists()
        (tmp_path / "open").touch()
        wait_for(tmp_path / "worker")
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
sys.path.insert(0, {bin!r})
from supervise import run_alone
child = "import sys, time; open(sys.argv[1], 'w').write(str(__import__('os').getpid())); time.sleep(60)"
try:
    run_alone([sys.executable, "-c", child, {path!r}])
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_what_is_interrupted_while_it_prepares_says_nothing_of_its_own(tmp_path: Path) -> None:
    program = INTERRUPTED.format(bin=str(BIN), path=str(tmp_path / "pid"))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    wait_for(tmp_path / "pid")
    time.sleep(0.2)

    process.send_signal(signal.SIGINT)
    _nothing, said = process.communicate(timeout=30)

    assert (process.returncode, said) == (130, "")
    wait_until_gone(int((tmp_path / "pid").read_text()))


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """`make run` up to where it would install something."""
    given = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([sys.executable, str(BIN / "run.py")], env=given, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("port", ["0", "65536", "abc", "80 80", "-1", "８０００"])
def test_a_port_must_be_one(port: str) -> None:
    answer = run(PORT=port)
    assert answer.returncode == 1
    assert "PORT must be a number" in answer.stderr


@pytest.mark.parametrize("count", ["0", "65", "two", "２"])
def test_a_count_of_web_processes_must_be_one(count: str) -> None:
    answer = run(WEB_WORKERS=count)
    assert answer.returncode == 1
    assert "WEB_WORKERS must be a number" in answer.stderr


def test_a_folder_of_somebodys_is_not_made_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = run(PORT=str(port), DATA=str(tmp_path))
    assert answer.returncode == 1 and "holds other things already" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(PORT=str(port))
    assert answer.returncode == 1
    assert f"Port {port} is taken" in answer.stderr
