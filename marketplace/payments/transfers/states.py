"""The ways of a payee at a gateway, of a transfer to one and of what is taken back of it. Pure."""

from enum import StrEnum
from typing import Final


class PayeeState(StrEnum):
    OPENING = "opening"  # the gateway was asked and has not answered
    INCOMPLETE = "incomplete"  # it wants to know who they are
    VERIFIED = "verified"
    RESTRICTED = "restricted"  # it pays them nothing any more


P = PayeeState
TOLD: Final = frozenset({P.INCOMPLETE, P.VERIFIED, P.RESTRICTED})
PAYEE: Final[dict[PayeeState, frozenset[PayeeState]]] = {
    P.OPENING: TOLD,
    P.INCOMPLETE: TOLD - {P.INCOMPLETE},
    P.VERIFIED: TOLD - {P.VERIFIED},
    P.RESTRICTED: TOLD - {P.RESTRICTED},
}


class TransferState(StrEnum):
    """Of a transfer, and of a reversal."""

    REQUESTED = "requested"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


T = TransferState
TRANSFER: Final[dict[TransferState, frozenset[TransferState]]] = {
    T.REQUESTED: frozenset({T.SUBMITTING}),
    T.SUBMITTING: frozenset({T.SUCCEEDED, T.FAILED, T.UNKNOWN}),
    T.UNKNOWN: frozenset({T.SUCCEEDED, T.FAILED}),  # resolved by asking the gateway, never by guessing
    T.SUCCEEDED: frozenset(),
    T.FAILED: frozenset(),
}
OPEN: Final = frozenset({T.REQUESTED, T.SUBMITTING, T.UNKNOWN})
ASKED_BEFORE: Final = frozenset({T.SUBMITTING, T.UNKNOWN})
