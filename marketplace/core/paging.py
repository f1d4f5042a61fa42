"""A page of a long list by keyset: what comes meanwhile moves no page. Pure."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from marketplace.core.records import record

T = TypeVar("T")


@record
class Page(Generic[T]):
    rows: Sequence[T]
    next: str  # names the last row, where more follow


def cut(found: Sequence[T], size: int, name: Callable[[T], str]) -> Page[T]:
    """`found` has one row more than a page where more follow; `name` is what the next page begins after."""
    shown = found[:size]
    return Page(shown, name(shown[-1]) if len(found) > size else "")
