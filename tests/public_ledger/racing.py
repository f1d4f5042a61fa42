"""Several people at the same moment, each in a thread and with a database session of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from flask import Flask, current_app

from marketplace.core.db import db


def race(deeds: Sequence[Callable[[], Any]]) -> list[Exception | None]:
    """Let all begin together; what each was refused with, None for who got through."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    db.session.remove()
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Exception | None:
        with app.app_context():
            gate.wait()
            try:
                deed()
            except Exception as error:
                return error
            finally:
                db.session.remove()
        return None

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))
