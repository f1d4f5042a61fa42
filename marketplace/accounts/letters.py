"""What this floor needs of the one that sends messages; app.py puts it in, since imports only go down."""

from collections.abc import Sequence
from typing import Any, Protocol

from flask import current_app
from sqlalchemy.orm import Session


class Letters(Protocol):
    def send(self, session: Session, /, *, fact: str, address: str, text: str, person_id: int | None = None) -> None:
        """Tell `address` a fact, once, when this transaction is committed."""

    def text_of(self, session: Session, fact: str) -> str | None:
        """What was told of a fact; for the demonstration, whose pages show it."""

    def of_person(self, session: Session, person_id: int, limit: int = 20, *, before: str = "") -> Sequence[Any]:
        """What a person was told, latest first: things with `public_id`, `text` and `created_at`.

        `before`: earlier than the one with this id."""


def letters() -> Letters:
    found: Letters = current_app.extensions["letters"]
    return found
