"""Says what is going on while somebody waits. Standard library only."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds of silence that nobody minds


def say(text: str = "") -> None:
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show `text`, count the seconds on a terminal while it lasts, and how many it took where they were many."""
    began = time.monotonic()
    done = threading.Event()
    counter = threading.Thread(target=_count, args=(text, began, done), daemon=True)
    sys.stdout.write(f"  {text} …")
    sys.stdout.flush()
    if sys.stdout.isatty():
        counter.start()
    try:
        yield
    finally:
        done.set()
        if counter.is_alive():
            counter.join()
        took = time.monotonic() - began
        say(f"\r  {text} … {took:.0f} s" if took >= PATIENCE and sys.stdout.isatty() else f" {took:.1f} s")


def _count(text: str, began: float, done: threading.Event) -> None:
    while not done.wait(1):
        sys.stdout.write(f"\r  {text} … {time.monotonic() - began:.0f} s")
        sys.stdout.flush()
