"""`make reset`: throw away what `make run` made in DATA, and nothing else. Standard library only."""

from __future__ import annotations

import sys

import folder
from progress import say


def main() -> int:
    data = folder.chosen()
    if not data.exists():
        say(f"Nothing to throw away: {data} does not exist.")
        return 0
    if folder.is_precious(data) or not data.is_dir() or not folder.is_ours(data):
        say(f"{data} was not made by `make run`; look at it and remove it yourself.")
        return 1
    others = folder.throw_away(data)
    say(f"Thrown away: {data}" + (f", but for what is not ours: {', '.join(others[:5])}" if others else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
