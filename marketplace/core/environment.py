"""Typed settings out of environment variables: each a field of a dataclass, its name in capitals the variable.

Our own, and small: the libraries for it take 8 MB of every process (docs/adr/0033-what-a-web-process-carries.md)."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_type_hints

T = TypeVar("T")
TRUTH: Final = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that shows itself only to whoever asks for it by name; never in a log, a traceback or an error."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret(…)" if self._value else "Secret()"

    __str__ = __repr__


def setting(
    default: T, description: str, *, least: int | None = None, most: int | None = None, pattern: str = "", choices: str = ""
) -> T:
    """A field of settings: what it is when nobody says, what it means, what it may be; `choices` says a pattern in words."""
    rules = {"description": description, "least": least, "most": most, "pattern": pattern, "choices": choices or pattern}
    return field(default=default, metadata=rules)


def read(kind: type, given: Mapping[str, Any], wrong: list[str]) -> dict[str, Any]:
    """The values of the fields of `kind`: what is given, else the environment's, else the default.

    What cannot be read adds a sentence to `wrong`, which names the variable and never shows its value."""
    environment = {name.lower(): value for name, value in os.environ.items()}
    types, values = get_type_hints(kind), dict[str, Any]()
    for one in fields(kind):
        raw = given.get(one.name, environment.get(one.name, MISSING))
        if raw is MISSING:
            values[one.name] = one.default
            continue
        try:
            values[one.name] = converted(raw, types[one.name])
        except ValueError as error:
            wrong.append(f"{one.name.upper()} must be {error}")
            continue
        wrong += [f"{one.name.upper()} must be {rule}" for rule in broken_rules(one, values[one.name])]
    return values


def converted(raw: Any, kind: Any) -> Any:
    """As the type that the field has. Raises ValueError, which says what it must be."""
    kind = next((part for part in get_args(kind) if part is not type(None)), kind)
    if isinstance(raw, kind) or raw is None:
        return raw
    convert = CONVERTERS.get(kind) or (chosen(kind) if issubclass(kind, StrEnum) else kind)
    return convert(str(raw))


def whole_number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ValueError("a whole number")
    return int(text)


def truth(text: str) -> bool:
    if text.strip().lower() not in TRUTH:
        raise ValueError("true or false")
    return TRUTH[text.strip().lower()]


def chosen(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def choose(text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"one of {', '.join(kind)}") from None

    return choose


CONVERTERS: Final[dict[type, Callable[[str], Any]]] = {int: whole_number, bool: truth, Path: Path, Secret: Secret}


def broken_rules(one: "Field[Any]", value: Any) -> Iterator[str]:
    rules = one.metadata
    if rules["least"] is not None and value < rules["least"]:
        yield f"at least {rules['least']}"
    if rules["most"] is not None and value > rules["most"]:
        yield f"at most {rules['most']}"
    if rules["pattern"] and not re.fullmatch(rules["pattern"], value):
        yield str(rules["choices"])
