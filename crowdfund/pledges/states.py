"""The lives of a voucher, a child's case, a pledge and a device, and the seven steps a saver follows.

Pure: anything not written here cannot happen."""

from enum import StrEnum
from typing import Final


class VoucherState(StrEnum):
    CLAIMED = "claimed"
    HELD = "held"
    VERIFIED = "verified"
    REDEEMED = "redeemed"
    REVERSED = "reversed"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    VOID = "void"


V = VoucherState
VOUCHER: Final[dict[VoucherState, frozenset[VoucherState]]] = {
    V.CLAIMED: frozenset({V.HELD, V.VERIFIED, V.VOID, V.DISPUTED}),
    V.HELD: frozenset({V.VERIFIED, V.CLAIMED, V.REVERSED, V.EXPIRED, V.DISPUTED}),
    V.VERIFIED: frozenset({V.HELD, V.REDEEMED, V.REVERSED, V.EXPIRED, V.DISPUTED}),
    V.REDEEMED: frozenset(),
    V.REVERSED: frozenset({V.DISPUTED}),
    V.EXPIRED: frozenset({V.DISPUTED}),
    V.VOID: frozenset({V.DISPUTED}),
    V.DISPUTED: frozenset({V.VERIFIED, V.VOID}),
}
FREE: Final = frozenset({V.CLAIMED, V.VERIFIED})
"""From which a voucher may be held for a child."""


class CaseState(StrEnum):
    NOMINATED = "nominated"
    CONSENTED = "consented"
    VERIFIED = "verified"
    LISTED = "listed"
    HELD = "held"
    MATCHED = "matched"
    READY = "ready"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    INELIGIBLE = "ineligible"
    DUPLICATE = "duplicate"
    MOVED = "moved"
    WITHDRAWN = "withdrawn"


C = CaseState
OUT: Final = frozenset({C.INELIGIBLE, C.DUPLICATE, C.MOVED, C.WITHDRAWN})
CLOSINGS: Final = (C.MOVED, C.INELIGIBLE, C.DUPLICATE)
"""How an officer takes a child off the list; withdrawing consent is the guardian's."""
CHILD_CASE: Final[dict[CaseState, frozenset[CaseState]]] = {
    C.NOMINATED: frozenset({C.CONSENTED}) | OUT,
    C.CONSENTED: frozenset({C.VERIFIED}) | OUT,
    C.VERIFIED: frozenset({C.LISTED}) | OUT,
    C.LISTED: frozenset({C.HELD, C.PAUSED}) | OUT,
    C.HELD: frozenset({C.MATCHED, C.LISTED, C.PAUSED}) | OUT,
    C.MATCHED: frozenset({C.READY, C.LISTED, C.PAUSED}) | OUT,
    C.READY: frozenset({C.DELIVERED}) | OUT,
    C.PAUSED: frozenset({C.LISTED}) | OUT,
    C.DELIVERED: frozenset({C.CONFIRMED}),
    C.CONFIRMED: frozenset(),
} | dict.fromkeys(OUT, frozenset())
COUNTED: Final = frozenset({C.LISTED, C.HELD, C.MATCHED, C.READY, C.DELIVERED, C.CONFIRMED})
"""Children among whom one card hides: those whose card is, or was, to be seen."""


class PledgeState(StrEnum):
    HELD = "held"
    PROVISIONAL = "provisional"
    ON_HOLD = "on_hold"
    CONFIRMED = "confirmed"
    ALLOCATED = "allocated"
    AT_STATION = "at_station"
    HANDED_OVER = "handed_over"
    VERIFIED = "verified"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    REASSIGNED = "reassigned"


P = PledgeState
PLEDGE: Final[dict[PledgeState, frozenset[PledgeState]]] = {
    P.HELD: frozenset({P.PROVISIONAL, P.CONFIRMED, P.EXPIRED, P.CANCELLED}),
    P.PROVISIONAL: frozenset({P.CONFIRMED, P.ON_HOLD, P.REVOKED, P.CANCELLED}),
    P.ON_HOLD: frozenset({P.CONFIRMED, P.REVOKED}),
    P.CONFIRMED: frozenset({P.ALLOCATED, P.CANCELLED, P.REVOKED}),
    P.ALLOCATED: frozenset({P.AT_STATION, P.REASSIGNED}),
    P.AT_STATION: frozenset({P.HANDED_OVER, P.REASSIGNED}),
    P.HANDED_OVER: frozenset({P.VERIFIED}),
} | dict.fromkeys((P.VERIFIED, P.EXPIRED, P.CANCELLED, P.REVOKED, P.REASSIGNED), frozenset())
ACTIVE: Final = frozenset(
    {P.HELD, P.PROVISIONAL, P.ON_HOLD, P.CONFIRMED, P.ALLOCATED, P.AT_STATION, P.HANDED_OVER, P.VERIFIED}
)
"""At most one such pledge for a voucher, and one for a child."""
PROMISED: Final = ACTIVE - {P.HELD, P.PROVISIONAL, P.ON_HOLD}
"""The bank has said yes."""
MAY_BE_CANCELLED: Final = frozenset({P.HELD, P.PROVISIONAL, P.ON_HOLD, P.CONFIRMED})
"""By the saver, who is not to notice that a pledge is held up: the reason may be whose phone number they typed."""


class DeviceState(StrEnum):
    COMMITTED = "committed"
    RECEIVED = "received"
    CHECKED = "checked"
    IN_TRANSIT = "in_transit"
    AT_STATION = "at_station"
    HANDED_OVER = "handed_over"
    FAULTY = "faulty"
    LOST = "lost"
    RETURNED = "returned"
    REPLACED = "replaced"


D = DeviceState
DEVICE: Final[dict[DeviceState, frozenset[DeviceState]]] = {
    D.COMMITTED: frozenset({D.RECEIVED}),
    D.RECEIVED: frozenset({D.CHECKED, D.FAULTY, D.LOST}),
    D.CHECKED: frozenset({D.IN_TRANSIT, D.FAULTY, D.LOST}),
    D.IN_TRANSIT: frozenset({D.AT_STATION, D.FAULTY, D.LOST}),
    D.AT_STATION: frozenset({D.HANDED_OVER, D.FAULTY, D.LOST}),
    D.HANDED_OVER: frozenset({D.FAULTY, D.RETURNED}),
    D.RETURNED: frozenset({D.CHECKED}),
    D.FAULTY: frozenset({D.REPLACED}),
    D.LOST: frozenset(),
    D.REPLACED: frozenset(),
}
PLACED: Final = (D.IN_TRANSIT.value, D.AT_STATION.value, D.HANDED_OVER.value)
"""Where a device is at a station, on its way to one, or handed over by one."""
RELEASES: Final = ("child", "lost", "faulty", "returned")
"""Why a device is no longer for the pledge it was for."""
REPLACED: Final = ("lost", "faulty")
"""After which of these the pledge gets another device."""

STEPS: Final = ("taken", "chosen", "confirmed", "reserved", "on_its_way", "at_station", "first_call")
STEP_OF: Final[dict[PledgeState, int]] = {  # how many steps are behind a pledge
    P.HELD: 1,
    P.PROVISIONAL: 2,
    P.ON_HOLD: 2,
    P.CONFIRMED: 3,
    P.ALLOCATED: 4,
    P.AT_STATION: 5,
    P.HANDED_OVER: 6,
    P.VERIFIED: 7,
}

BANDS: Final = ("10k", "30k", "50k", "100k")  # of deposits, in yuan, at least; never an amount
AGE_BANDS: Final = ("6-8", "9-11", "12-14")
TIERS: Final = (1, 2, 3)  # how urgent the need is, 1 the most
NEEDS: Final = ("call_parents", "call_grandparents", "way_to_school")
PURPOSES: Final = ("collect", "share_station", "share_telecom", "delivery_evidence", "story")
NEEDED: Final = frozenset(PURPOSES) - {"story"}
"""What a guardian must have allowed before a case is listed."""
RELATIONS: Final = ("mother", "father", "grandparent", "relative", "foster")
METHODS: Final = ("paper", "spoken")
MOST_REFRESHES: Final = 2
CARDS: Final = 3
