"""The way from any earlier schema to the one the models say."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import Connection, Engine, create_engine

from marketplace.core.db import db, engine_options, prepare

FOLDER: Final = Path(__file__).parent.parent / "migrations"


def install(app: Flask) -> None:
    """`flask --app wsgi db upgrade` and its kin."""
    Migrate(app, db, directory=str(FOLDER))


def bring_up_to_date(engine: Engine | None = None) -> None:
    """Every migration that this database has not seen, in one transaction; without `engine`, the application's."""
    command.upgrade(_config(engine), "head")


def undo(engine: Engine, revision: str = "base") -> None:
    command.downgrade(_config(engine), revision)


def write(message: str, *, from_nothing: bool = False) -> Path:
    """A new migration, from what the migrations make to what the models say; needs no database of its own.

    `from_nothing` replaces all there are by a single one: only until the first release, and for nobody's data."""
    if from_nothing:
        for old in FOLDER.glob("versions/*.py"):
            old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        engine = create_engine(url, **engine_options(url))
        prepare(engine)
        bring_up_to_date(engine)
        made = command.revision(_config(engine), message, autogenerate=True, rev_id="0001" if from_nothing else None)
        engine.dispose()
    newest.cache_clear()
    return Path(getattr(made, "path", FOLDER))


@cache
def newest() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory(str(FOLDER)).get_current_head()


def is_up_to_date(connection: Connection) -> bool:
    return MigrationContext.configure(connection).get_current_revision() == newest()


def _config(engine: Engine | None = None) -> Config:
    config = Config(attributes={"engine": engine} if engine else {})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
