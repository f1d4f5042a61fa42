"""What the JSON face says of groups that buy together, as types."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from marketplace.api.schemas import Face

Packs = Annotated[int, Field(ge=0)]


class GroupAnswer(Face):
    """A group that buys together. Of its members only the packs are told."""

    id: str
    sku: str
    variant: str
    title: str
    unit: str
    state: Annotated[
        Literal["open", "prolonged", "reached", "ordered", "failed"],
        Field(description="`reached`: complete, and can still be joined; `ordered`: complete and closed."),
    ]
    price_fen: Annotated[int, Field(description="Of one pack, for every member.")]
    alone_price_fen: Annotated[int, Field(description="Of one pack, bought alone now.")]
    threshold_packs: Annotated[int, Field(ge=2, description="So many paid packs make the group complete.")]
    paid_packs: Packs
    left_packs: Annotated[Packs, Field(description="Places that nobody has.")]
    most_per_member: Packs
    closes_at: datetime
    can_be_joined: bool
    url: str


class GroupsAnswer(Face):
    """The groups of a listing that can be joined, the nearest to its goal first."""

    total: int
    items: list[GroupAnswer]
