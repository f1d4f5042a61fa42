"""What became of a movement when it was held against the books. Pure."""

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """It is judged anew as often as it takes; only what is matched is left alone, until everything is read again."""

    MATCHED = "matched"
    WAITING = "waiting"  # we know what it is; the books will have it when it is final
    AT_THE_BANK = "at_the_bank"  # the gateway paid our own bank account
    UNEXPLAINED = "unexplained"  # in the gateway, not in the books, and asking the gateway did not help
    DIFFERS = "differs"  # in both, with another amount, currency or fee


WRONG: Final = (Verdict.UNEXPLAINED, Verdict.DIFFERS)
OPEN: Final = (Verdict.WAITING, *WRONG)

CHARGES: Final = frozenset({"charge", "payment"})
REFUNDS: Final = frozenset({"refund", "payment_refund"})
RETURNED: Final = frozenset({"refund_failure", "payment_failure_refund"})
DISPUTES: Final = {"dispute": "dispute", "dispute_reversal": "dispute_won"}  # type of movement -> kind of entry
PAYOUTS: Final = frozenset({"payout", "payout_cancel", "payout_failure"})
FOLLOWING: Final = ("gwfee", "settled")  # kinds of entry that movements cause
TRANSFERS: Final = frozenset({"transfer"})
REVERSALS: Final = frozenset({"transfer_refund"})
PAID_OUT: Final = (
    "disburse_paid",
    "payout_paid",
    "payout_bounced",
    "repaid",  # a provider, to our bank
)  # by our bank, or by a transfer
