"""What was made from things that change, remembered in this process until one of them does.

    @remembered("stations")
    def directory(session: Session) -> tuple[Prefecture, ...]: ...

Tags and their versions are those of core.page_versions: a value is as fresh as a page for strangers is, at most two seconds
behind. A command that writes is never told what was remembered."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, Final, Generic, NamedTuple, ParamSpec, TypeVar

from flask import Flask, current_app, g
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.formats import language
from marketplace.core.page_versions import Versions

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")

LONGEST_LIFE: Final = 60.0  # seconds: what is shown also depends on the hour, which no tag tells
MOST_KILOBYTES: Final = 8 * 1024  # about, with what templates keep of it


class Moment(NamedTuple):
    """When a value began to be made: what changes afterwards makes it stale."""

    at: float
    version: int


class Kept(Generic[V]):
    __slots__ = ("at", "tags", "value", "version", "weight")

    def __init__(self, value: V, tags: tuple[str, ...], since: Moment, weight: int) -> None:
        self.value, self.tags, self.weight = value, tags, weight
        self.at, self.version = since


class Memory(Generic[V]):
    """Values by key, the latest used, together at most as heavy as `most`. Safe to share by threads."""

    def __init__(self, versions: Versions, *, most: int) -> None:
        self.versions, self.most = versions, most
        self.weight = 0
        self._kept: OrderedDict[Hashable, Kept[V]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self) -> Moment:
        """To be asked before a value is made, and given to `keep` with it."""
        return Moment(time.monotonic(), self.versions.latest)

    def find(self, key: Hashable) -> Kept[V] | None:
        """What is still true, or None."""
        self.versions.look()
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept.at > LONGEST_LIFE:
            return None
        if kept.version != (latest := self.versions.latest):
            if not self.versions.unchanged_since(kept.version, kept.tags):
                return None
            kept.version = latest
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
        return kept

    def keep(self, key: Hashable, value: V, tags: Iterable[str], since: Moment, weight: int) -> None:
        kept = Kept(value, tuple(tags), since, weight)
        with self._lock:
            if old := self._kept.pop(key, None):
                self.weight -= old.weight
            self._kept[key] = kept
            self.weight += kept.weight
            while self.weight > self.most:
                self.weight -= self._kept.popitem(last=False)[1].weight

    @contextmanager
    def alone(self, key: Hashable) -> Iterator[None]:
        """Of several threads that miss the same value one makes it, and the others wait for it."""
        lock = self._making.setdefault(key, threading.Lock())
        with lock:
            try:
                yield
            finally:
                self._making.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.weight = 0


def install(app: Flask) -> None:
    """Before whatever reads the database for a request."""

    def engine() -> Any:
        with app.app_context():
            return db.engine

    app.extensions["page_versions"] = versions = Versions(engine)
    app.extensions["memory"] = memory = Memory[Any](versions, most=MOST_KILOBYTES)

    @app.before_request
    def note_the_moment() -> None:
        """Before the request's first statement: SQLite shows all of them the same state, and no newer one."""
        g.moment = memory.begin()


def remembered(
    *tags: str, by: Callable[..., Iterable[str]] | None = None, kilobytes: int = 4
) -> Callable[[Callable[Concatenate[Session, P], R]], Callable[Concatenate[Session, P], R]]:
    """For a query that takes hashable arguments and returns what nobody changes.

    It is made from `tags`, and from those that `by(value, *args)` names. Each language and each day has its own values.
    `kilobytes` is what a value takes, about, with the texts that templates keep of it."""

    def decorate(query: Callable[Concatenate[Session, P], R]) -> Callable[Concatenate[Session, P], R]:
        @wraps(query)
        def answered(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if session.info.get("writing") or not current_app.config.get("PAGE_CACHE", True):
                return query(session, *args, **kwargs)
            memory: Memory[R] = current_app.extensions["memory"]
            key = (query, args, tuple(kwargs.items()), language(), clock.today())
            if kept := memory.find(key):
                return kept.value
            with memory.alone(key):
                if kept := memory.find(key):
                    return kept.value
                since = g.get("moment") or memory.begin()
                value = query(session, *args, **kwargs)
                made_from = (*tags, *(by(value, *args, **kwargs) if by else ()))
                memory.keep(key, value, made_from, since, kilobytes)
                return value

        return answered

    return decorate
