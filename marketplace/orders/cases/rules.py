"""What may be asked for, and until when: from the return rule that was frozen into the order. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CLAIM_WITHIN: Final = timedelta(hours=48)  # fresh goods: what was bad on arrival, with pictures
RETURN_WITHIN: Final = timedelta(days=7)
BRING_BACK_WITHIN: Final = timedelta(days=14)
DECIDE_WITHIN: Final = timedelta(hours=48)  # a station; then the province does
APPEAL_WITHIN: Final = timedelta(days=7)
MOST_PICTURES: Final = 6


class Kind(StrEnum):
    """What happened."""

    DAMAGED = "damaged"
    WRONG = "wrong"
    MISSING = "missing"
    UNWANTED = "unwanted"


class Wish(StrEnum):
    REFUND = "refund"
    EXCHANGE = "exchange"


class Condition(StrEnum):
    """How goods came back, as the station saw them."""

    AS_SOLD = "as_sold"
    OPENED = "opened"
    BAD = "bad"


class Bearer(StrEnum):
    """Who bears what goes back to the buyer. `each` gives back the share it had got."""

    EACH = "each"
    SELLER = "seller"
    STATION = "station"
    PLATFORM = "platform"


FAULTS: Final = (Kind.DAMAGED, Kind.WRONG, Kind.MISSING)
NO_REASON: Final = frozenset({"7d_no_reason", "7d_unopened"})
EXCHANGED: Final = frozenset({Kind.DAMAGED, Kind.WRONG})  # what is missing was never there, what is unwanted is so twice
COMES_BACK: Final = frozenset({Kind.DAMAGED, Kind.WRONG, Kind.UNWANTED})


def may_be_said_until(policy: str, kind: Kind, delivered_at: datetime) -> datetime | None:
    """None for what this return rule does not allow.

    Fresh goods: faults within 48 hours, nothing without a reason. Others: faults within seven days, and a change of mind
    where the rule says so; what is made to order is not taken back without a reason."""
    if kind is Kind.UNWANTED:
        return delivered_at + RETURN_WITHIN if policy in NO_REASON else None
    return delivered_at + (CLAIM_WITHIN if policy == "fresh_excluded" else RETURN_WITHIN)


def kinds_open(policy: str, delivered_at: datetime, now: datetime) -> list[Kind]:
    """What may be said now of goods that arrived then."""
    until = {kind: may_be_said_until(policy, kind, delivered_at) for kind in Kind}
    return [kind for kind, end in until.items() if end is not None and now <= end]
