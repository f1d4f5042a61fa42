"""What the JSON face takes and gives of the public ledger, as types."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from marketplace.api.schemas import Face


class LedgerQuery(Face):
    """A page goes on below the number that the page before gave as `next_before`; 0 begins with the newest row."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[int, Field(ge=0, le=10**15)] = 0
    per_page: Annotated[int, Field(ge=1, le=100)] = 50


class LedgerRow(Face):
    """A sealed row. `who` is empty for an anonymous giver; `fen` is negative for what left the campaign's account."""

    number: int
    at: datetime
    kind: str
    who: str
    what: str
    fen: int
    balance_fen: int
    hash: str


class LedgerAnswer(Face):
    """`book` says whether this is live or test money; `next_before` is null on the last page."""

    campaign: str
    book: str
    balance_fen: int
    rows: list[LedgerRow]
    next_before: int | None
    url: str


class WholeLedgerQuery(LedgerQuery):
    """The same over all campaigns, of one kind of row where `kind` names it."""

    kind: Literal["", "gift", "match", "unmatch", "refund", "return", "disbursement", "repayment", "correction"] = ""


class AnyRow(Face):
    """A sealed row of any campaign, as docs/ledger.md says; `book_fen` is the balance of all campaigns after it."""

    number: int
    at: datetime
    kind: str
    campaign: str
    who: str
    what: str
    fen: int
    reference: str
    campaign_fen: int
    book_fen: int
    hash: str


class WholeLedgerAnswer(Face):
    """`book` says whether this is live or test money; `next_before` is null on the last page."""

    book: str
    balance_fen: int
    rows: list[AnyRow]
    next_before: int | None
    url: str
