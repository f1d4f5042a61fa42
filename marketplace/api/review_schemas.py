"""What the JSON face takes and gives of customers' reviews, as types."""

from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from marketplace.api.schemas import Face


class ReviewsQuery(Face):
    """A page goes on behind the review that the page before named as `next_before`; empty begins with the latest."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[str, Field(max_length=40)] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 20


class ReviewItem(Face):
    """What one person says who received the goods, bought in the month that begins with `bought_in`. Of a hidden one stars
    and words are null, and `hidden_for` says why."""

    id: str
    name: str
    stars: int | None
    words: str | None
    unit: str
    bought_in: date
    written_at: datetime
    edited_at: datetime | None
    hidden_for: str | None
    seller_answer: str | None
    pictures: list[str]


class ReviewsAnswer(Face):
    """`average` ("4.3") and `by_stars` (from one star to five) are null while fewer than three have reviewed;
    `next_before` is null on the last page."""

    sku: str
    total: int
    hidden: int
    average: str | None
    by_stars: list[int] | None
    items: list[ReviewItem]
    next_before: str | None
    url: str
