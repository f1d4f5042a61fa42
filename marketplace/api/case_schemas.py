"""What programs send and are answered about goods that were not as they should be, as types. Sums are whole fen."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from marketplace.api.schemas import Code, Face
from marketplace.api.writing_schemas import ORDER, Body
from marketplace.orders.carts import MOST_OF_ONE
from marketplace.orders.cases.rules import MOST_PICTURES

CASE: Final = "^[0-9a-f]{16}$"
MOST_GRAMS: Final = 1_000_000_000  # as many as four bytes hold
MOST_PIECES: Final = 1_000_000
File = Annotated[str, Field(json_schema_extra={"format": "binary"})]


class NewCase(Body):
    """So many packs of one line, `sku`, of an order that has arrived. Damage needs a picture: send a form instead of JSON.

    `exchange` is for goods that are damaged or wrong. With `spoiled_grams`, of what is sold by weight, or `spoiled_pieces`,
    of what is sold by the piece, a refund for damage is the price of so much."""

    order: Annotated[str, Field(pattern=ORDER)]
    sku: Code
    quantity: Annotated[int, Field(ge=1, le=MOST_OF_ONE)]
    kind: Literal["damaged", "wrong", "missing", "unwanted"]
    wish: Literal["refund", "exchange"] = "refund"
    spoiled_grams: Annotated[int | None, Field(ge=1, le=MOST_GRAMS)] = None
    spoiled_pieces: Annotated[int | None, Field(ge=1, le=MOST_PIECES)] = None
    words: Annotated[str, Field(min_length=1, max_length=1000)]


class NewCaseWithPictures(NewCase):
    """The same as a form, with JPEG, PNG or WebP pictures of at most 10 MB each; `pictures` repeats."""

    pictures: Annotated[list[File], Field(max_length=MOST_PICTURES)] = Field(default_factory=list)


class CaseAnswer(Face):
    """How a case stands. `refunded_fen` is what goes back, which small damage with pictures has at once."""

    case: str
    order: str
    sku: str
    quantity: int
    spoiled_grams: int | None
    spoiled_pieces: int | None
    kind: str
    wish: str
    state: str
    pictures: int
    refunded_fen: int
    opened_at: datetime
    decide_by: Annotated[datetime, Field(description="until when the station answers what waits for it")]
    answer: Annotated[str, Field(description="what the station or the province wrote last")]
    url: str
