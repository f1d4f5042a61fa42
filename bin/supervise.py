"""The web server and the worker side by side: whichever dies is started again, and both end together.

Standard library only, and no part of the application: it must go on when the application cannot even be imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from progress import say

SETTLED = 10.0  # seconds a child must live for its death to be an accident, not a habit
FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
HABIT = 6  # so many deaths in a row and we give up: something is wrong that starting again won't mend
GRACE = 20.0  # seconds to finish what was begun


@dataclass
class Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)  # beside what we have ourselves
    may_start: Callable[[], bool] = lambda: True
    is_proven: Callable[[], bool] = lambda: False  # it has worked before: however often it dies, it is not given up
    process: subprocess.Popen[bytes] = field(init=False)
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0  # when it may be started again
    is_alive: bool = False

    def start(self) -> None:
        # A group of its own: Ctrl-C reaches us alone, and what a killed child leaves behind can be ended with it.
        self.process = begin(self.command, self.environment)
        self.started = time.monotonic()
        self.is_alive = True

    def look_after(self) -> bool:
        """Start it when that is due; False when it has died so often that there is no point."""
        if self.is_alive and self.process.poll() is not None:
            self._bury()
        if self.deaths >= HABIT and not self.is_proven():
            return False
        if not self.is_alive and time.monotonic() >= self.due and self.may_start():
            self.start()
        return True

    def _bury(self) -> None:
        self.is_alive = False
        self._signal(signal.SIGKILL)  # its own children would keep the port
        lived = time.monotonic() - self.started
        self.deaths = 1 if lived > SETTLED else self.deaths + 1
        delay = min(FIRST_DELAY * 2 ** min(self.deaths - 1, HABIT), LONGEST_DELAY)
        self.due = time.monotonic() + delay
        say(f"{self.name} ended ({_ending(self.process.returncode)}); starting it again in {delay:.1f} s")

    def ask_to_end(self) -> None:
        if self.is_alive:
            self.process.terminate()

    def wait_for_end(self, until: float) -> None:
        if not self.is_alive:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.0, until - time.monotonic()))
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def begin(command: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """In a session of its own, and ended with us."""
    everything = {**os.environ, **(environment or {})}
    return subprocess.Popen(command, env=everything, start_new_session=True, preexec_fn=_end_with_parent)


def run_alone(command: Sequence[str]) -> int:
    """The exit status of `command`. Ctrl-C reaches us alone: we end it, and it has nothing to say about that."""
    process = begin(command)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)
        process.kill()
        process.wait()
        raise


def supervise(children: Sequence[Child], on_tick: Callable[[], None]) -> int:
    """Keep `children` alive until SIGINT or SIGTERM; `on_tick` is called several times a second. The exit status."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        while not stop.is_set():
            hopeless = [child.name for child in children if not child.look_after()]
            if hopeless:
                say(f"{hopeless[0]} ends again and again as soon as it starts; what it said stands above.")
                return 1
            on_tick()
            stop.wait(0.1)
        return 0
    finally:
        end(children)


def end(children: Sequence[Child]) -> None:
    """Everyone is asked at once, has time to finish, and is then ended."""
    for child in children:
        child.ask_to_end()
    until = time.monotonic() + GRACE
    for child in children:
        child.wait_for_end(until)


def _ending(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def _end_with_parent() -> None:
    """In the child, on Linux: SIGTERM when the supervisor dies, even of kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
