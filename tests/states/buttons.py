"""What each button of parcels, orders, cases and goods does: through which states it leads, from which, and for whom."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from listings.states import LISTING, ListingState as L
from marketplace.orders.cases.states import CASE, CaseState as C
from marketplace.orders.states import ORDER, PARCEL, OrderState as O, ParcelState as S

Way = tuple[Any, ...]
CODE: Final = "042137"


@dataclass(frozen=True)
class Event:
    """A button: its address, what is typed, and by state the states that whoever may press it leads through.

    `whose` says to whom its subject has to belong, station, buyer or seller; where it is empty, a role is enough."""

    path: str
    whose: str
    ways: Mapping[Any, Way]
    typed: Mapping[str, str] = field(default_factory=dict)
    delivery: str = "courier"


def one(here: Any, there: Any) -> dict[Any, Way]:
    return {here: (there,)}


DESK: Final = "/station/parcels/{parcel}/"
REFUSED: Final = {state: (S.REFUSED,) for state, ways in PARCEL.items() if S.REFUSED in ways}
PARCELS: Final = {
    "acceptance": Event(DESK + "acceptance", "station", one(S.AWAITING_ACCEPTANCE, S.ACCEPTED)),
    "collection": Event(DESK + "collection", "station", one(S.ACCEPTED, S.COLLECTING)),
    "packing": Event(DESK + "packing", "station", one(S.COLLECTING, S.PACKED), {"shelf": "A"}),
    "dispatch": Event(
        DESK + "dispatch", "station", one(S.PACKED, S.SHIPPED), {"carrier": "邮政", "tracking_number": "123456"}
    ),
    "shelving": Event(DESK + "shelving", "station", one(S.PACKED, S.READY_FOR_PICKUP), delivery="pickup"),
    "pickup": Event(DESK + "pickup", "station", one(S.READY_FOR_PICKUP, S.PICKED_UP), {"code": CODE}, delivery="pickup"),
    "delivery": Event(DESK + "delivery", "station", one(S.SHIPPED, S.DELIVERED)),
    "no-show": Event(DESK + "no-show", "station", one(S.READY_FOR_PICKUP, S.UNCOLLECTED), delivery="pickup"),
    "second-shelving": Event(DESK + "second-shelving", "station", one(S.UNCOLLECTED, S.READY_FOR_PICKUP), delivery="pickup"),
    "refusal": Event(DESK + "refusal", "station", REFUSED, {"reason": "雹灾"}),
    "return": Event(DESK + "return", "station", one(S.UNCOLLECTED, S.RETURNED_TO_SELLER), delivery="pickup"),
    "loss": Event(DESK + "loss", "station", {S.SHIPPED: (S.LOST, S.SETTLED)}, {"reason": "车翻了"}),
    "confirmation": Event(
        "/orders/{number}/parcels/{parcel}/confirmation",
        "buyer",
        {S.SHIPPED: (S.DELIVERED, S.SETTLED), S.DELIVERED: (S.SETTLED,), S.PICKED_UP: (S.SETTLED,)},
    ),
    "part": Event("/orders/{number}/parcels/{parcel}/cancellation", "buyer", {}),  # of several only: test_undelivered.py
    "withdrawal": Event(
        "/orders/{number}/withdrawal",
        "buyer",
        {state: (S.CANCELLED,) for state, ways in PARCEL.items() if S.CANCELLED in ways},
    ),
}
ORDERS: Final = {
    "cancellation": Event("/orders/{number}/cancellation", "buyer", one(O.PENDING_PAYMENT, O.CANCELLED)),
    "withdrawal": Event(
        "/orders/{number}/withdrawal", "buyer", dict.fromkeys((O.PAID, O.PLACED_ON_ACCOUNT), (O.CANCELLED,))
    ),
}
BACK: Final = {"return-quantity": "1", "return-condition": "bad", "return-why": "看过"}
AT_CASES: Final = "/station/cases/{case}/"
CASES: Final = {
    "approval": Event(AT_CASES + "approval", "station", one(C.REQUESTED, C.APPROVED), {"approval-why": "看过"}),
    "refund": Event(
        AT_CASES + "refund", "station", {state: (C.REFUNDED,) for state, ways in CASE.items() if C.REFUNDED in ways}
    ),
    "rejection": Event(AT_CASES + "rejection", "station", one(C.REQUESTED, C.REJECTED), {"rejection-why": "看过"}),
    "return": Event(AT_CASES + "return", "station", one(C.APPROVED, C.GOODS_RETURNED), BACK),
    "cancellation": Event(AT_CASES + "cancellation", "station", one(C.APPROVED, C.CANCELLED), {"cancellation-why": "看过"}),
    "exchange": Event(AT_CASES + "exchange", "station", one(C.GOODS_RETURNED, C.EXCHANGED)),
    "calling off": Event("/orders/{number}/cases/{case}/cancellation", "buyer", one(C.APPROVED, C.CANCELLED)),
    "judgement": Event("/operator/cases/{case}/judgement", "", {}, {"decision": "each", "why": "看过"}),  # nobody asked
}
OWN: Final = "/seller/listings/{code}/"
SEEN: Final = {"decision": "accept", "origin_seen": "1", "goods_seen": "1", "price_sane": "1"}
GOODS: Final = {
    "submission": Event(OWN + "submission", "seller", {L.DRAFT: (L.SUBMITTED,), L.REJECTED: (L.DRAFT, L.SUBMITTED)}),
    "removal": Event(
        OWN + "removal", "seller", {state: (L.ARCHIVED,) for state, ways in LISTING.items() if L.ARCHIVED in ways}
    ),
    "pause": Event(OWN + "pause", "seller", one(L.PUBLISHED, L.PAUSED)),
    "resumption": Event(OWN + "resumption", "seller", one(L.PAUSED, L.PUBLISHED)),
    "acceptance": Event("/station/listings/{code}/review", "station", one(L.SUBMITTED, L.PUBLISHED), SEEN),
    "rejection": Event(
        "/station/listings/{code}/review", "station", one(L.SUBMITTED, L.REJECTED), {"decision": "reject", "reason": "价高"}
    ),
    "suspension": Event(
        "/operator/listings/{code}/suspension",
        "",
        {L.PUBLISHED: (L.SUSPENDED,), L.PAUSED: (L.SUSPENDED,)},
        {"reason": "有疑"},
    ),
    "giving up": Event(OWN + "suspended-removal", "seller", one(L.SUSPENDED, L.ARCHIVED)),
    "clearance": Event("/operator/listings/{code}/clearance", "", one(L.SUSPENDED, L.PUBLISHED), {"reason": "查清了"}),
}
OF_THE_HOUSE: Final[dict[str, set[tuple[Any, Any]]]] = {
    "parcel": {(S.AWAITING_GROUP, S.AWAITING_ACCEPTANCE)},  # the last of its group has paid
    "order": {
        *((O.PENDING_PAYMENT, each) for each in (O.PAID, O.EXPIRED)),  # the gateway's word, and time
        *((late, O.PAID) for late in (O.EXPIRED, O.CANCELLED)),
        (O.PAID, O.COMPLETED),  # with its last parcel
        (O.PLACED_ON_ACCOUNT, O.PAID),  # with its institution's statement
    },
}
"""What nobody presses a button for."""
LIVES: Final[dict[str, tuple[Mapping[Any, Collection[Any]], Mapping[str, Event]]]] = {
    "parcel": (PARCEL, PARCELS),
    "order": (ORDER, ORDERS),
    "case": (CASE, CASES),
    "listing": (LISTING, GOODS),
}
