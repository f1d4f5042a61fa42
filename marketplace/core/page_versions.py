"""How often the things that pages are made from have changed: kept in the database, so that every process knows."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import Engine, Index, Insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core.db import Base, dialect_of

COUNTER: Final = ""
GLANCE: Final = 1.0  # seconds between two looks
GRACE: Final = 5.0  # seconds more after a look that failed
MOST_KNOWN: Final = 50_000  # changed tags a process remembers before it begins anew


class CacheTag(Base):
    """When a tag last changed, counted in changes. The row COUNTER holds the count: who raises it holds its lock until
    the commit, so that a reader who has seen a version has seen all before it."""

    __tablename__ = "cache_tag"
    __table_args__ = (Index("cache_tag_version", "version"),)
    tag: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)


def raise_versions(session: Session, *, tags: Iterable[str]) -> None:
    connection, dialect = session.connection(), dialect_of(session)
    version = connection.execute(counted(dialect), {"tag": COUNTER, "version": 1}).scalar_one()
    changed = [{"tag": tag, "version": version} for tag in sorted(set(tags) - {COUNTER})]
    if changed:
        connection.execute(raised(dialect), changed)


@cache
def counted(dialect: Any) -> Insert:
    """The first change is number 1."""
    table: Any = CacheTag.__table__
    step = dialect.insert(table).on_conflict_do_update(index_elements=["tag"], set_={"version": table.c.version + 1})
    statement: Insert = step.returning(table.c.version)
    return statement


@cache
def raised(dialect: Any) -> Insert:
    new = dialect.insert(CacheTag.__table__)
    statement: Insert = new.on_conflict_do_update(index_elements=["tag"], set_={"version": new.excluded.version})
    return statement


class Versions:
    """What this process knows of them, at most a second old. Only what changed since it began is ever read."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._looked = 0.0
        self._changed: dict[str, int] = {}
        self._floor = 0  # below it nothing is known any more
        self.latest = -1  # the highest version read; -1: not looked yet

    def unchanged_since(self, version: int, tags: Iterable[str]) -> bool:
        """Has nothing that `tags` name changed after `version`, which was `latest` once?"""
        return version >= self._floor and all(self._changed.get(tag, 0) <= version for tag in tags)

    def look(self) -> None:
        """Read what has changed, if that is due; whoever comes meanwhile goes on with what is known."""
        if time.monotonic() - self._looked < GLANCE or not self._lock.acquire(blocking=False):
            return
        patience = 0.0
        try:
            self._read()
        except SQLAlchemyError as error:
            patience = GRACE  # a database that keeps its askers waiting is not asked once more for this alone
            logging.getLogger(__name__).warning("versions of pages could not be read: %s", type(error).__name__)
        finally:
            self._looked = time.monotonic() + patience
            self._lock.release()

    def _read(self) -> None:
        with self._engine().connect() as connection:
            if self.latest < 0:
                self.latest = self._floor = connection.scalar(select(CacheTag.version).where(CacheTag.tag == COUNTER)) or 0
                return
            news: Any = connection.execute(select(CacheTag.tag, CacheTag.version).where(CacheTag.version > self.latest))
            changed: dict[str, int] = dict(news.all())
        if changed:
            if len(self._changed) > MOST_KNOWN:
                self._changed, self._floor = {}, self.latest
            self._changed = {**self._changed, **changed}
            self.latest = max(changed.values())
