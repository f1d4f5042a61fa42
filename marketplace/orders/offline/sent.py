"""What a phone sends: a handful of acts, each with a key of its own."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from marketplace.orders.offline.steps import STEPS

MOST_ACTS: Final = 100
END_OF_TIME: Final = 253_402_300_799_000  # milliseconds: the last second of the year 9999
LARGEST: Final = 2**31 - 1
KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PARCEL: Final = re.compile(r"[0-9a-f]{16}")
UNWRITABLE: Final = re.compile("[\0\ud800-\udfff]")  # neither UTF-8 nor PostgreSQL can hold these
Rules = Mapping[str, Callable[[Any], bool]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent at once. Each act is read on its own, so that one that cannot be read holds up no other.

    Moments are milliseconds since 1970 by the phone's clock, whatever that says."""

    client: str
    owner: str
    sent_at: int
    acts: list[Any]


@dataclass(frozen=True, slots=True)
class SentAct:
    key: str
    sequence: int
    step: str
    parcel: str
    after: int
    at: int
    entered: dict[str, str]

    @property
    def written_at(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.at)

    @property
    def digest(self) -> str:
        """Of all that the phone wrote: the same key with other content is another act."""
        content = {name: value for name, value in asdict(self).items() if name not in ("key", "sequence")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and not UNWRITABLE.search(value)


def written_as(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def whole(most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 0 <= value <= most


def is_entered(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 4 and all(text(200)(each) for each in (*value, *value.values()))


BATCH: Final[Rules] = {
    "client": written_as(KEY),
    "owner": text(64),
    "sent_at": whole(END_OF_TIME),
    "acts": lambda value: isinstance(value, list) and len(value) <= MOST_ACTS,
}
ACT: Final[Rules] = {
    "key": written_as(KEY),
    "sequence": whole(LARGEST),
    "step": text(40),
    "parcel": written_as(PARCEL),
    "after": whole(LARGEST),
    "at": whole(END_OF_TIME),
    "entered": is_entered,
}


def keeps(document: Any, rules: Rules) -> bool:
    """It has these fields, all of them and no other, and each is as its rule says."""
    return (
        isinstance(document, dict) and document.keys() == rules.keys() and all(rules[name](document[name]) for name in rules)
    )


def read_batch(document: Any) -> Batch | None:
    return Batch(**document) if keeps(document, BATCH) else None


def read_act(document: Any) -> SentAct | None:
    return SentAct(**document) if keeps(document, ACT) else None


def understood(step: str, entered: Mapping[str, str]) -> dict[str, Any] | None:
    """What was entered, read by the same form as at the desk; None where that would have refused it."""
    known = STEPS.get(step)
    if known is None:
        return None
    form = known.form(MultiDict(entered))
    return dict(form.data) if form.validate() else None
