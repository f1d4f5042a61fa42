"""The tables beside this file, as rows ready for the database."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.core.settings import settings

HERE: Final = Path(__file__).parent

Row = dict[str, str]


class OnlyForDemonstrations(RuntimeError):
    """Invented people with a password that everybody knows have no place where business is done in earnest."""


def refuse_in_earnest() -> None:
    """Raises OnlyForDemonstrations in production."""
    if settings().is_production:
        raise OnlyForDemonstrations(f"The demonstration is not for APP_ENV={settings().app_env}; nothing was loaded.")


def read(name: str) -> list[Row]:
    """The rows of `name`.csv, in their order."""
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_true(word: str) -> bool:
    return word == "true"


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def add_missing(session: Session, key: InstrumentedAttribute[Any], rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Insert the rows whose `key` the table does not have; returns the keys that are new. What is there stays as it is."""
    known = set(session.scalars(select(key)))
    missing = [dict(row) for row in rows if row[key.key] not in known]
    if missing:
        session.execute(insert(key.class_), missing)
    return [row[key.key] for row in missing]
