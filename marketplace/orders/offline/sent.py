"""What a phone sends: a handful of acts, each with a key of its own."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.datastructures import MultiDict

from marketplace.orders.offline.steps import STEPS

MOST_ACTS: Final = 100
END_OF_TIME: Final = 253_402_300_799_000  # milliseconds: the last second of the year 9999
LARGEST: Final = 2**31 - 1
Key = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Moment = Annotated[int, Field(ge=0, le=END_OF_TIME)]
"""Milliseconds since 1970 by the phone's clock, whatever that says."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Batch(Strict):
    """What is sent at once. Each act is read on its own, so that one that cannot be read holds up no other."""

    client: Key
    owner: Annotated[str, Field(max_length=64)]
    sent_at: Moment
    acts: Annotated[list[Any], Field(max_length=MOST_ACTS)]


class SentAct(Strict):
    key: Key
    sequence: Annotated[int, Field(ge=0, le=LARGEST)]
    step: Annotated[str, Field(max_length=40)]
    parcel: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    after: Annotated[int, Field(ge=0, le=LARGEST)]
    at: Moment
    entered: Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(max_length=4)]

    @property
    def written_at(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.at)

    @property
    def digest(self) -> str:
        """Of all that the phone wrote: the same key with other content is another act."""
        content = self.model_dump(exclude={"key", "sequence"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_batch(document: Any) -> Batch | None:
    try:
        return Batch.model_validate(document)
    except ValidationError:
        return None


def read_act(document: Any) -> SentAct | None:
    try:
        act = SentAct.model_validate(document)
    except ValidationError:
        return None
    return None if any("\0" in text for text in (*act.entered, *act.entered.values(), act.step)) else act


def understood(step: str, entered: Mapping[str, str]) -> dict[str, Any] | None:
    """What was entered, read by the same form as at the desk; None where that would have refused it."""
    known = STEPS.get(step)
    if known is None:
        return None
    form = known.form(MultiDict(entered))
    return dict(form.data) if form.validate() else None
