"""`make reset`: throw away what `make run` made in DATA. Standard library only."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from environment import ROOT
from progress import say


def main() -> int:
    data = (ROOT / Path(os.environ.get("DATA") or "data").expanduser()).resolve()
    if not data.exists():
        say(f"Nothing to throw away: {data} does not exist.")
        return 0
    if not (data / "prepared.json").exists() and not (data / "welcome.txt").exists():
        say(f"{data} was not made by `make run`, or not finished; look at it and remove it yourself.")
        return 1
    shutil.rmtree(data)
    say(f"Thrown away: {data}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
