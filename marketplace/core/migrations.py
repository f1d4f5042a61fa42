"""The way from any earlier schema to the one the models say."""

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from marketplace.core.db import db, engine_options, prepare

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER: Final = Path(__file__).parent.parent / "migrations"
REVISION: Final = re.compile(r'^(down_)?revision(?:: [^=]+)? = "(\w+)"', re.M)


def install(app: Flask) -> None:
    """`flask --app wsgi db upgrade` and its kin. A web process does without Alembic and its ten megabytes."""
    context = click.get_current_context(silent=True)
    if context and context.find_object(ScriptInfo):
        from flask_migrate import Migrate

        Migrate(app, db, directory=str(FOLDER))


def bring_up_to_date(engine: Engine | None = None, revision: str = "head") -> None:
    """Every migration that this database has not seen, in one transaction; without `engine`, the application's."""
    from alembic import command

    command.upgrade(_config(engine), revision)


def undo(engine: Engine, revision: str = "base") -> None:
    from alembic import command

    command.downgrade(_config(engine), revision)


def write(message: str, *, from_nothing: bool = False) -> Path:
    """A new migration, from what the migrations make to what the models say; needs no database of its own.

    `from_nothing` replaces all there are by a single one: only until the first release, and for nobody's data."""
    from alembic import command

    if from_nothing:
        for old in FOLDER.glob("versions/*.py"):
            old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        engine = create_engine(url, **engine_options(url))
        prepare(engine)
        bring_up_to_date(engine)
        number = max((int(each.name[:4]) for each in FOLDER.glob("versions/*.py")), default=0) + 1  # a number may be missing
        made = command.revision(_config(engine), message, autogenerate=True, rev_id=f"{number:04}")
        engine.dispose()
    newest.cache_clear()
    return Path(getattr(made, "path", FOLDER))


@cache
def newest() -> str | None:
    """The revision that this code expects: the one that no other follows."""
    found = [REVISION.findall(path.read_text("utf-8")) for path in sorted(FOLDER.glob("versions/*.py"))]
    revisions = {name for pairs in found for follows, name in pairs if not follows}
    return next(iter(revisions - {name for pairs in found for follows, name in pairs if follows}), None)


def is_up_to_date(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == newest())


def _config(engine: Engine | None = None) -> "Config":
    from alembic.config import Config

    config = Config(attributes={"engine": engine} if engine else {})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
