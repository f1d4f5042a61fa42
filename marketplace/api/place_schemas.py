"""What programs send and are answered when they buy ahead of a harvest."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from marketplace.api.schemas import Code, Face
from marketplace.api.writing_schemas import Body, Fen, Line, RecipientBody

PLACE: Final = "^[0-9a-f]{16}$"
PlaceWord = Literal["held", "lapsed", "confirmed", "ordered", "refunded"]


class NewPlace(Body):
    """A place in a tier, for the token's person. `fen` is what they agree to pay; another sum is refused. `contact`, a phone
    or an e-mail, is told how it goes on; left out, that of their account is."""

    tier: Annotated[str, Field(pattern=PLACE)]
    fen: Fen
    contact: Annotated[str, Field(max_length=100)] = ""


class PlaceAddress(Body):
    """Where to, once the goal is reached. `sku` is one of the packs of the tier's weight; left out, the tier's own."""

    recipient: RecipientBody
    sku: Code | None = None
    note: Line = ""


class PlaceAnswer(Face):
    """A place of one's own. `held` waits for its money until `pay_by`; `confirmed` is paid; when the harvest is in and
    `is_address_known`, it is `ordered`, and `order` says under which number. What has not left its station by `send_by`
    goes back by itself."""

    place: str
    presale: str
    tier: str
    state: PlaceWord
    fen: int
    currency: str
    is_test: bool
    pay_by: datetime
    is_asked: Annotated[bool, Field(description="where to is asked for now")]
    is_address_known: bool
    send_by: date
    order: str | None


class PlacesQuery(Face):
    """A page goes on below the place that the page before gave as `next_before`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 50


class PlacesAnswer(Face):
    places: list[PlaceAnswer]
    next_before: str | None


class PlacePaymentAnswer(Face):
    """Where a person pays."""

    place: str
    state: str
    fen: int
    currency: str
    is_test: bool
    url: str
