"""The way of a bank transfer that a person has written down. Pure."""

from enum import StrEnum
from typing import Final

BANK: Final = "bank"  # the gateway of payments that no gateway took: people are


class BankTransferState(StrEnum):
    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"  # written down by mistake


S = BankTransferState
BANK_TRANSFER: Final[dict[BankTransferState, frozenset[BankTransferState]]] = {
    S.RECORDED: frozenset({S.CONFIRMED, S.WITHDRAWN}),
    S.CONFIRMED: frozenset(),
    S.WITHDRAWN: frozenset(),
}


class Way(StrEnum):
    IN = "in"
    OUT = "out"  # a refund of what came in
