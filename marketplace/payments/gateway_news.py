"""What a gateway tells us that we did not begin, in our own words: disputes, hints, what moved in its balance."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.payments.disputes.states import DisputeState

if TYPE_CHECKING:
    from marketplace.payments.gateways import Book


@record
class RemoteDispute:
    """A dispute as the gateway has it: `is_withdrawn`, `is_reinstated` say what it has done with the money so far, `fee` and
    `fee_back` what it has taken for that, and given again; they are in the currency that the payment was settled in."""

    remote_id: str
    attempt: str
    amount: Money
    fee: Money
    fee_back: Money
    status: DisputeState
    raw_status: str
    reason: str
    answer_by: datetime | None
    is_withdrawn: bool
    is_reinstated: bool
    book: "Book"


@record
class Notice:
    """A verified webhook: a hint about one object, whose truth is fetched."""

    event_id: str
    type: str
    concerns: Literal["payment", "refund", "dispute", "payee", "nothing we know"]
    remote_id: str
    book: "Book"


@record
class Movement:
    """Money that moved at the gateway: what its balance is made of, one by one.

    Signed as it changes the balance: a charge is positive, a refund negative; `net` is `gross` less `fee`.
    `source_id` is what it was made for there (a payment, a refund, the key of a payout), `ours` our own id of that, where
    the gateway knows it. What was settled in another currency than it was paid in says that too: `presented` is what the
    payer saw, `rate` the gateway's own word for how many units of `currency` it gave for one of theirs."""

    remote_id: str
    type: str  # the gateway's own word: charge, refund, refund_failure, payout, ...
    source_id: str
    ours: str
    gross: int
    fee: int
    net: int
    currency: str
    at: datetime
    presented: int | None = None
    presented_currency: str | None = None
    rate: str | None = None
