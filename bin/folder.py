"""The folder of everything that is kept (DATA): whose it is, and what in it is ours. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from environment import ROOT

MARKER = ".pavilion"
MADE = (
    *("pavilion.db", "pavilion.db-wal", "pavilion.db-shm", "pavilion.db-journal", "pavilion.db-line"),
    *("sandbox.db", "sandbox.db-wal", "sandbox.db-shm", "sandbox.db-journal", "sandbox.db-line"),
    *("assets", "media", "private-media", "search", "templates", "translations", "web-workers"),
    *("prepared.json", "prepared.part", "secrets.json", "welcome.txt"),
    MARKER,
)
"""Every name that the marketplace gives something in it; the marker comes last, so that an interrupted reset can go on."""


def chosen() -> Path:
    return (ROOT / Path(os.environ.get("DATA") or "data").expanduser()).resolve()


def take(data: Path) -> str:
    """Make the folder ours; what is in the way, if it is somebody's."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        if not is_ours(data) and any(data.iterdir()):
            return f"{data} holds other things already. Choose an empty folder, or one that is not there yet."
        (data / MARKER).touch()
    except OSError as error:
        return f"The folder for data cannot be used: {error}"
    return ""


def is_ours(data: Path) -> bool:
    """By its marker, or by the secrets that the commands write where they begin a folder themselves."""
    if (data / MARKER).is_file():
        return True
    try:
        return "fingerprint_key" in json.loads((data / "secrets.json").read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def is_precious(data: Path) -> bool:
    """No folder to throw away, whatever stands in it: the root, a home, this checkout or what they lie in."""
    homes = {Path.home().resolve(), Path(os.environ.get("HOME") or "/").resolve()}
    return any(data == kept or data in kept.parents for kept in {ROOT, *homes})


def throw_away(data: Path) -> list[str]:
    """Remove what the marketplace made there, and the folder where nothing else is left; the names of what stays."""
    for name in MADE:
        path = data / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    others = sorted(path.name for path in data.iterdir())
    if not others:
        data.rmdir()
    return others
