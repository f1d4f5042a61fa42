"""Records are frozen dataclasses: nobody who has one can tell the difference."""

from dataclasses import FrozenInstanceError, dataclass, field
from functools import cached_property
from typing import Any

import pytest

from marketplace.core.records import record, slim_record


@dataclass(frozen=True)
class Plain:
    name: str
    fen: int = 0
    tags: tuple[str, ...] = field(default_factory=tuple)


@record
class Shared:
    name: str
    fen: int = 0
    tags: tuple[str, ...] = field(default_factory=tuple)

    @cached_property
    def shout(self) -> str:
        return self.name.upper()


@slim_record
class Slim:
    name: str
    fen: int = 0
    tags: tuple[str, ...] = field(default_factory=tuple)


@record
class Secret:
    word: str

    def __repr__(self) -> str:
        return "Secret(…)"


@pytest.mark.parametrize("kind", [Shared, Slim])
def test_it_is_what_a_frozen_dataclass_is(kind: Any) -> None:
    one, same, other = kind("a", 5, ("x",)), kind(name="a", fen=5, tags=("x",)), kind("a", 6)
    plain = Plain("a", 5, ("x",))
    assert one == same != other and len({one, same, other}) == 2
    assert hash(one) == hash(plain) and one != plain
    assert repr(one).partition("(")[2] == repr(plain).partition("(")[2]
    assert kind("b") == kind("b", 0, ())
    for name in ("fen", "more"):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, 7)
    with pytest.raises(FrozenInstanceError):
        del one.fen
    assert one == same


def test_what_is_worked_out_once_is_kept_and_a_slim_one_has_no_dictionary() -> None:
    one = Shared("a")
    assert one.shout is one.shout == "A" and one == Shared("a")
    assert not hasattr(Slim("a"), "__dict__")


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Secret("mother")) == "Secret(…)" and Secret("a") == Secret("a") != Secret("b")
