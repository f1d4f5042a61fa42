"""The kinds of account that the books have: on which side each stands, and whose it is. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from marketplace.core.records import record


class Side(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    COST = "cost"
    EQUITY = "equity"
    NEITHER = "neither"


@record
class AccountKind:
    """`owner` says what the owner of such an account is; nothing where there is only one of the kind."""

    side: Side
    owner: str = ""


KINDS: Final[Mapping[str, AccountKind]] = MappingProxyType(
    {
        "gateway_clearing": AccountKind(Side.ASSET, "gateway"),
        "dispute_receivable": AccountKind(Side.ASSET, "gateway"),
        "cash_desk": AccountKind(Side.ASSET, "station"),
        "cash_in_transit": AccountKind(Side.ASSET, "station"),  # paid into the bank by the station's word alone
        "bank_account": AccountKind(Side.ASSET),  # what came there in cash
        "buyer_clearing": AccountKind(Side.LIABILITY),
        "seller_held": AccountKind(Side.LIABILITY, "seller"),
        "seller_payable": AccountKind(Side.LIABILITY, "seller"),
        "station_held": AccountKind(Side.LIABILITY, "station"),
        "station_payable": AccountKind(Side.LIABILITY, "station"),
        "promotion_funding": AccountKind(Side.LIABILITY, "sponsor"),
        "restricted": AccountKind(Side.LIABILITY, "campaign"),
        "matching": AccountKind(Side.LIABILITY, "matching fund"),
        "presale_escrow": AccountKind(Side.LIABILITY, "presale"),
        "refund_in_transit": AccountKind(Side.LIABILITY),
        "payout_in_transit": AccountKind(Side.LIABILITY),
        "suspense": AccountKind(Side.LIABILITY),
        "gateway_fee": AccountKind(Side.COST, "book"),
        "chargeback_loss": AccountKind(Side.COST),
        "dispute_fee": AccountKind(Side.COST),
        "operating_grant": AccountKind(Side.EQUITY, "operator"),
        "fx_conversion": AccountKind(Side.NEITHER),
        # devices, in pieces of DEVICE:<model>: what a partner has promised, and where each piece is
        "device_quota": AccountKind(Side.EQUITY, "agreement"),
        "partner_committed": AccountKind(Side.ASSET, "agreement"),  # promised and not brought yet: the partner's debt
        "device_warehouse": AccountKind(Side.ASSET),
        "device_in_transit": AccountKind(Side.ASSET, "station"),
        "device_station": AccountKind(Side.ASSET, "station"),
        "device_faulty": AccountKind(Side.ASSET),
        "device_delivered": AccountKind(Side.COST, "station"),
        "device_lost": AccountKind(Side.COST),
    }
)
MAY_BE_OVERDRAWN: Final = frozenset({"seller_payable", "station_payable"})  # after a refund, until the next settlement
NEVER_IN_DEBIT: Final = frozenset(name for name, kind in KINDS.items() if kind.side is Side.LIABILITY) - MAY_BE_OVERDRAWN


def owned_by(owner: str) -> frozenset[str]:
    """The kinds that hold what belongs to sellers, to stations, ..."""
    return frozenset(name for name, kind in KINDS.items() if kind.side is Side.LIABILITY and kind.owner == owner)
