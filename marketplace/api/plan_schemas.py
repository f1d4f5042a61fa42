"""What programs send and are answered when their person gives every month."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from marketplace.api.gift_schemas import NewGift, Sum
from marketplace.api.schemas import Face
from marketplace.api.writing_schemas import Body

PLAN: Final = "^[0-9a-f]{16}$"


class NewPlan(NewGift):
    """A gift of the token's person every month, beginning with a first one, of which honour, team and message are. Every
    charge is told to `contact`, or else to the account. `sure_of_fen` repeats an unusually large sum."""


class PlanMade(Face):
    """It begins with `gift`, which waits for its money: `POST /gifts/<gift>/payment` says where the cashier is."""

    plan: str
    gift: str
    campaign: str
    state: Literal["active"]
    fen: int
    currency: str
    is_test: bool


class NewSum(Body):
    """From the next month on; what was asked for already stays as it is. `sure_of_fen` repeats an unusually large sum."""

    fen: Sum
    sure_of_fen: Sum | None = None


class PlanItem(Face):
    """`next_on` is null before the first gift has arrived, while it is paused, and when it is over. `is_charged` says
    whether the card that is kept is charged by itself; else a link is sent each month."""

    plan: str
    campaign: str
    state: Literal["active", "paused", "stopped"]
    fen: int
    currency: str
    is_test: bool
    first_on: date
    next_on: date | None
    is_charged: bool
    card_ends_on: date | None
    stop_reason: str


class PlanMonth(Face):
    """One month's gift; `period` is the day on which it fell due."""

    period: date
    gift: str
    fen: int
    state: Literal["intent", "pending", "received", "lapsed"]


class PlanAnswer(PlanItem):
    """With its months, the latest first, two years at most."""

    months: list[PlanMonth]


class PlansQuery(Face):
    """A page goes on below the plan that the page before gave as `next_before`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 50


class PlansAnswer(Face):
    plans: list[PlanItem]
    next_before: str | None
