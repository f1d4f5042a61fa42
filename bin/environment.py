"""Makes `.venv` hold exactly what a file of pinned, hashed requirements says. Standard library only: it runs before
anything is installed, perhaps on a Python too old for us, so that it can say what is missing."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from progress import step

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
SUITS = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {OLDEST})"


def ensure(requirements: str) -> Path:
    """The Python of `.venv`, with everything that `requirements` pins; costs nothing when that is so already."""
    wanted = ROOT / requirements
    with _alone() as lock:
        if not _is_installed(wanted):
            _make_venv()
            _install(wanted, lock)
    return PYTHON


@contextmanager
def _alone() -> Iterator[int]:
    """Two `make` at once wait for each other; a lock left by a killed one is no lock. Yields its file descriptor."""
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _is_installed(wanted: Path) -> bool:
    stamp = _stamp(wanted)
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == _content(wanted)


def _stamp(wanted: Path) -> Path:
    return VENV / f"{wanted.stem}.installed"


def _content(wanted: Path) -> str:
    """What the stamp holds: the pins, and where the environment lies, since it does not survive being moved."""
    return f"{hashlib.sha256(wanted.read_bytes()).hexdigest()} {VENV}\n"


def _make_venv() -> None:
    """Keeps an environment that works (pip mends what an interrupted install left), else begins anew."""
    moved = any(str(VENV) not in stamp.read_text() for stamp in VENV.glob("*.installed"))
    if not moved and PYTHON.exists() and _succeeds(str(PYTHON), "-m", "pip", "--version") and _is_new_enough(str(PYTHON)):
        return
    python = find_python()
    with step("Making the Python environment .venv"):
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True, stdout=subprocess.DEVNULL)


def _install(wanted: Path, lock: int) -> None:
    """Plain pip, wheels only, every file checked against its hash; nothing is resolved and nothing is built."""
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-compile", "-qq"]
    count = wanted.read_text().count("==")
    for stamp in VENV.glob("*.installed"):
        stamp.unlink()
    with step(f"Installing {count} packages from {wanted.name} (once)"):
        command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *options, "-r", str(wanted)]
        outcome = subprocess.run(command, check=False, pass_fds=[lock])  # a pip that outlives us keeps the lock
    if outcome.returncode:
        sys.exit("The packages could not be installed. Is the network there? What arrived is kept; try again.")
    for name in _covered_by(wanted):
        _stamp(name).write_text(_content(name))


def _covered_by(wanted: Path) -> list[Path]:
    """The tools for development come with the same versions of everything that running needs."""
    running = ROOT / "requirements.txt"
    return [wanted] if wanted == running else [wanted, running]


def find_python() -> str:
    """A Python that is new enough and can make environments: the one that runs this, else any other on PATH."""
    names = [sys.executable, *(f"python3.{minor}" for minor in range(14, OLDEST[1] - 1, -1)), "python3", "/usr/bin/python3"]
    for name in names:
        if (path := shutil.which(name)) and _succeeds(path, "-c", SUITS):
            return path
    sys.exit(_what_is_missing())


def _is_new_enough(python: str) -> bool:
    return _succeeds(python, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def _what_is_missing() -> str:
    version = platform.python_version()
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return f"Python {oldest} or newer is needed; this is {version}. Install one, then: make run PYTHON=/path/to/python3"
    advice = {
        "apt-get": f"apt install python3-venv python3-pip    (or python3.{sys.version_info[1]}-venv)",
        "dnf": "dnf install python3 python3-pip",
        "apk": "apk add python3 py3-pip",
    }
    install = next((text for tool, text in advice.items() if shutil.which(tool)), "install the modules venv and ensurepip")
    return (
        f"Python {version} is here, but its modules venv and ensurepip are not. Install them, then try again:\n  {install}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        ensure(sys.argv[1] if len(sys.argv) > 1 else "requirements.txt")
    except KeyboardInterrupt:
        sys.exit(130)
