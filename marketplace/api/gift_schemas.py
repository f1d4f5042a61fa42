"""What programs send and are answered when they give, and what everybody may read of gifts and of what they paid."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from crowdfund.campaigns.giving import LARGEST_FEN
from marketplace.api.schemas import Face
from marketplace.api.writing_schemas import Body

GIFT: Final = "^[0-9a-f]{16}$"
Words = Annotated[str, Field(max_length=200)]
Sum = Annotated[int, Field(ge=1, le=LARGEST_FEN)]


class NewHonour(Body):
    """Whom the gift honours. With an e-mail address they are sent a card, once the money is there."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    words: Words = ""
    email: Annotated[str, Field(max_length=100)] = ""


class NewGift(Body):
    """A gift of the token's person. `sure_of_fen` repeats the sum of an unusually large one: the answer to the question
    that a page would ask. `anonymity` says what the public ledger shows of `name` for ever."""

    fen: Sum
    name: Annotated[str, Field(max_length=20)] = ""
    anonymity: Literal["named", "masked", "anonymous"] = "anonymous"
    message: Annotated[str, Field(max_length=100)] = ""
    contact: Annotated[str, Field(max_length=100, description="a phone or an e-mail, for the receipt")] = ""
    honour: NewHonour | None = None
    team: Annotated[str, Field(max_length=64)] = ""
    sure_of_fen: Sum | None = None


class GiftMade(Face):
    """It waits for its money: `POST /gifts/<gift>/payment` says where the cashier is. After a day it lapses."""

    gift: str
    campaign: str
    state: Literal["pending"]
    fen: int
    currency: str
    is_test: bool


class GiftPart(Face):
    """Of a gift, what paid one line of an invoice."""

    fen: int
    what: str
    provider: str
    invoice_number: str
    disbursement: str


class GiftAnswer(Face):
    """A gift of one's own. `number` and `hash` are its row in the public ledger, null until that is sealed; `left_fen` is
    not spent yet. `shown_as` is empty for an anonymous one. `plan` is the monthly gift that it is a month of. `is_disputed`:
    the giver's bank asks the money back and has not decided; until then nothing more of it is spent."""

    gift: str
    campaign: str
    state: Literal["intent", "pending", "received", "lapsed"]
    fen: int
    currency: str
    is_test: bool
    plan: str | None
    shown_as: str
    created_at: datetime
    number: int | None
    hash: str | None
    receipt: str | None
    is_disputed: bool
    back_fen: int
    left_fen: int
    parts: list[GiftPart]
    url: str


class OwnGiftsQuery(Face):
    """A page goes on below the gift that the page before gave as `next_before`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 50


class OwnGift(Face):
    gift: str
    campaign: str
    state: str
    fen: int
    is_test: bool
    created_at: datetime


class OwnGiftsAnswer(Face):
    gifts: list[OwnGift]
    next_before: str | None


class GiftPaymentAnswer(Face):
    """Where a person pays."""

    gift: str
    state: str
    fen: int
    currency: str
    is_test: bool
    url: str


class PublicGift(Face):
    """What the public ledger says of a gift: `who` is empty for an anonymous giver."""

    number: int
    at: datetime
    who: str
    fen: int
    hash: str


class PublicGiftsAnswer(Face):
    """`next_before` is null on the last page."""

    campaign: str
    book: str
    gifts: list[PublicGift]
    next_before: int | None


class DisbursementsQuery(Face):
    """A page goes on below the payment that the page before gave as `next_before`."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    before: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 50


class InvoiceLine(Face):
    what: str
    fen: int


class EvidenceItem(Face):
    """`url` is null where the file is not for everybody; its hash always is."""

    kind: str
    words: str
    sha256: str
    at: datetime
    url: str | None


class RepaymentItem(Face):
    """What the provider paid back; `sha256` is of the bank's paper."""

    repayment: str
    fen: int
    received_on: date
    approved_at: datetime
    why: str
    sha256: str


class DisbursementItem(Face):
    """A payment to a provider; its lines add up to it, whatever came back of it later. `beyond_why` says why it took more
    than the budget had for its item, and is empty where it did not."""

    disbursement: str
    fen: int
    purpose: str
    budget_line: str
    beyond_why: str
    provider: str
    invoice_number: str
    paid_at: datetime | None
    evidence_due_on: date | None
    is_overdue: bool
    lines: list[InvoiceLine]
    evidence: list[EvidenceItem]
    repayments: list[RepaymentItem]
    url: str


class DisbursementsAnswer(Face):
    campaign: str
    book: str
    disbursements: list[DisbursementItem]
    next_before: str | None
