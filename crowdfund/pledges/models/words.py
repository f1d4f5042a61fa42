"""Lists of words as SQL, for checks and partial indexes."""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint


def listed(words: Iterable[str | int]) -> str:
    """`'a', 'b'`, in a fixed order: what migrations compare."""
    return ", ".join(f"'{word}'" if isinstance(word, str) else str(word) for word in sorted(words, key=str))


def one_of(column: str, words: Iterable[str | int]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({listed(words)})", f"known_{column}")
