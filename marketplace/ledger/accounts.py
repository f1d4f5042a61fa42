"""The kinds of account that the books have, and on which side each stands. Pure."""

from typing import Final

ASSETS: Final = frozenset({"gateway_clearing", "dispute_receivable", "cash_desk"})
LIABILITIES: Final = frozenset(
    (
        *("buyer_clearing", "seller_held", "seller_payable", "station_held", "station_payable", "promotion_funding"),
        *("restricted", "matching", "presale_escrow", "refund_in_transit", "payout_in_transit", "suspense"),
    )
)
COSTS: Final = frozenset({"gateway_fee", "chargeback_loss", "dispute_fee"})
OTHERS: Final = frozenset({"operating_grant", "fx_conversion"})
KINDS: Final = ASSETS | LIABILITIES | COSTS | OTHERS
