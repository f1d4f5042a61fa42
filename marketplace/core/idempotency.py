"""The same form sent twice has one effect and gives the same answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Update, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import clock
from marketplace.core.db import Base, insert_or_ignore
from marketplace.core.errors import Refusal


class KeyReused(Refusal):
    """`answer` is what the form was answered when it came first; empty where nobody knows."""

    message = _l("This form was already sent with different content. Please open it again.")

    def __init__(self, key: str, answer: str = "") -> None:
        super().__init__(key)
        self.answer = answer


class IdempotencyKey(Base):
    """What a key was used for, and the answer it got. A refusal rolls it back with everything else."""

    __tablename__ = "idempotency_key"
    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    answer: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


def once(session: Session, command: Callable[..., str], /, *, idempotency: tuple[str, str, Any], **arguments: Any) -> str:
    """Run `command` unless this key already ran it; return its answer (a short text, such as an order number).

    `idempotency` is (scope, key, body): whose key it is, the key of the form, and the JSON-able content it came with.
    Raises KeyReused (409) when the key comes back with another body. To be called inside `in_transaction`."""
    scope, key, body = idempotency
    body_hash = hash_of(body)
    mine = {"scope": scope, "key": key, "body_hash": body_hash, "at": clock.now()}
    if insert_or_ignore(session, IdempotencyKey, mine):
        answer = command(session, **arguments)
        session.flush()
        session.connection().execute(answered(), {"whose": scope, "form": key, "answer": answer})
        return answer
    known = answer_of(session, idempotency=idempotency)
    if known is None:
        raise KeyReused(key)
    return known


def answer_of(session: Session, *, idempotency: tuple[str, str, Any]) -> str | None:
    """What this key was answered when it came first, for what asks others before it can answer. Raises KeyReused."""
    scope, key, body = idempotency
    this = (IdempotencyKey.scope == scope, IdempotencyKey.key == key)
    row = session.execute(select(IdempotencyKey.body_hash, IdempotencyKey.answer).where(*this)).first()
    if row is not None and row.body_hash != hash_of(body):
        raise KeyReused(key, row.answer or "")
    return row.answer if row else None


def is_known(session: Session, *, scope: str, key: str) -> bool:
    """Whether something was done under this key."""
    used = select(IdempotencyKey.key).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
    return session.scalar(used) is not None


def hash_of(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


@cache
def answered() -> Update:
    table: Any = IdempotencyKey.__table__
    return update(table).where(table.c.scope == bindparam("whose"), table.c.key == bindparam("form"))


def forget(session: Session, *, before: datetime) -> None:
    """Keys are for repeats of one form, not for ever."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.at < before))
