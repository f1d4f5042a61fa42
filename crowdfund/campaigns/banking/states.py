"""The way of cash that is paid into the bank. Pure."""

from enum import StrEnum
from typing import Final


class DepositState(StrEnum):
    PAID_IN = "paid_in"  # by the station's word and its slip
    DIFFERS = "differs"  # the bank says another sum
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"  # written down by mistake: the cash is in the drawer


S = DepositState
DEPOSIT: Final[dict[DepositState, frozenset[DepositState]]] = {
    S.PAID_IN: frozenset({S.CONFIRMED, S.DIFFERS, S.WITHDRAWN}),
    S.DIFFERS: frozenset({S.CONFIRMED, S.WITHDRAWN}),
    S.CONFIRMED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
ON_ITS_WAY: Final = (S.PAID_IN, S.DIFFERS)
