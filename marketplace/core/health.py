"""Two questions for whoever watches an installation. Neither asks who is visiting.

`/healthz`: is this process alive? `/readyz`: can it serve, and does the worker work?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from marketplace.core import clock, migrations, outbox
from marketplace.core.db import db
from marketplace.core.outbox import OutboxRow

ACTION: Final = "health.read"
WORKER_IS_LATE: Final = timedelta(minutes=5)
NOT_ASKED: Final = "not asked"


def install(app: Flask) -> None:
    for path, view in (("/healthz", healthz), ("/readyz", readyz)):
        view.action = ACTION  # type: ignore[attr-defined]
        app.add_url_rule(path, view_func=view)


def healthz() -> ResponseReturnValue:
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


def readyz() -> ResponseReturnValue:
    """200 with each check's word, or 503 if one of them says no. A late worker is told, but pages are served without it."""
    answers = {"database": check(database_answers), "schema": NOT_ASKED, "worker": NOT_ASKED}
    if answers["database"] == "ok":
        answers |= {"schema": check(schema_is_new), "worker": check(worker_is_in_time)}
    is_ready = answers["database"] == answers["schema"] == "ok"
    return jsonify(answers), 200 if is_ready else 503


def check(question: Callable[[], bool]) -> str:
    try:
        return "ok" if question() else "no"
    except SQLAlchemyError as error:
        db.session.rollback()
        return type(error).__name__


def database_answers() -> bool:
    return db.session.scalar(select(1)) == 1


def schema_is_new() -> bool:
    return migrations.is_up_to_date(db.session.connection())


def worker_is_in_time() -> bool:
    """Nothing that is due has waited long without being tried."""
    late = clock.now() - WORKER_IS_LATE
    waiting = select(OutboxRow.id).where(outbox.WAITING, OutboxRow.tries == 0, OutboxRow.next_at < late)
    return db.session.scalar(waiting.limit(1)) is None
