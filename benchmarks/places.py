"""A marketplace of its own for a measurement: the demonstration in a folder and a database, and copies of it."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text

from benchmarks.serving import AS_RUN_SETS, drop_database, new_database, run
from marketplace.core.db import engine_options, prepare

GOODS: Final = """SELECT v.code FROM variant v JOIN listing l ON l.id = v.listing_id WHERE l.state = 'published'
    ORDER BY v.code LIMIT 60"""


@dataclass(frozen=True)
class Place:
    """A folder of data and its database; an empty address means SQLite in the folder."""

    data: Path
    database: str

    @property
    def given(self) -> dict[str, str]:
        known = {"DATA": str(self.data), "DATABASE_URL": self.database, "APP_ENV": "demo", "TRUSTED_PROXIES": "1"}
        return known | AS_RUN_SETS

    @property
    def url(self) -> str:
        return self.database or f"sqlite:///{self.data / 'pavilion.db'}"

    @property
    def webhook_secret(self) -> str:
        return str(json.loads((self.data / "secrets.json").read_text())["webhook_secret"])

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        engine = create_engine(self.url, **engine_options(self.url))
        prepare(engine)
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def copied(self) -> Iterator["Place"]:
        """With the same secrets and the same rows; thrown away in the end."""
        with tempfile.TemporaryDirectory(dir=self.data.parent) as folder:
            shutil.copytree(self.data, folder, dirs_exist_ok=True)
            place = Place(Path(folder), new_database(self.database) if self.database else "")
            yield place
            if place.database:
                drop_database(place.database)

    def fill_shelves(self) -> list[str]:
        """More of everything than is bought; the packs that are for sale."""
        with self.engine() as engine, engine.begin() as connection:
            connection.execute(text("UPDATE variant SET on_hand = 1000000"))
            return list(connection.scalars(text(GOODS)))

    def counted(self, engine: Engine, sql: str) -> int:
        with engine.connect() as connection:
            return int(connection.scalar(text(sql)) or 0)


@contextmanager
def prepared(python: str, database: str) -> Iterator[Place]:
    """The demonstration, as `make run` would make it and its worker find it: what has moved is in the books."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "start", database)
        for command in (["prepare"], ["payments", "reconcile"]):
            run(python, ["-m", "flask", "--app", "wsgi", *command], place.given)
        yield place


def on_both(python: str) -> Iterator[tuple[str, Place]]:
    """By the name of the database; each is there until the next one is asked for."""
    for name, database in (("SQLite", ""), ("PostgreSQL", new_database())):
        with prepared(python, database) as start:
            yield name, start
