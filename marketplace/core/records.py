"""Values that never change: `dataclass(frozen=True)`, whose methods all of them share.

The standard library compiles seven methods for each class; of hundreds of classes that is 2 MB of every process."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, Final, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """Two of one kind are the same when all their fields are."""
    return sharing(kind)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def slim_record(kind: type[T]) -> type[T]:
    """Of which there are many at a time: without a dictionary each."""
    return sharing(kind, slots=True)


def sharing(kind: type[T], **how: bool) -> type[T]:
    """What the class says itself stays."""
    own = set(vars(kind))
    made = dataclass(frozen=True, **how)(kind)
    for name in SHARED.keys() - own:
        setattr(made, name, SHARED[name])
    return made


def values(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in one.__match_args__)


def is_same(one: Any, other: object) -> bool:
    return values(one) == values(other) if other.__class__ is one.__class__ else NotImplemented


def hash_of(one: Any) -> int:
    return hash(values(one))


def said(one: Any) -> str:
    fields = ", ".join(f"{name}={getattr(one, name)!r}" for name in one.__match_args__)
    return f"{one.__class__.__qualname__}({fields})"


def refuse_change(_one: Any, name: str, _value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def refuse_loss(_one: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


SHARED: Final[dict[str, Callable[..., Any]]] = {
    "__eq__": is_same,
    "__hash__": hash_of,
    "__repr__": said,
    "__setattr__": refuse_change,
    "__delattr__": refuse_loss,
}
