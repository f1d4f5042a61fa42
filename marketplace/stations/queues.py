"""What a station has to do besides parcels: each feature that gives it work adds its queue."""

from collections.abc import Callable
from typing import Final

from flask_babel import LazyString
from sqlalchemy.orm import Session

from marketplace.core.records import record


@record
class OtherQueue:
    """As the station's start page shows it."""

    url: str
    icon: str
    word: LazyString
    note: LazyString
    count: int


others: Final[dict[str, Callable[[Session, str], OtherQueue]]] = {}
"""By a name: called with session and station code, one statement each."""
