"""How institutions, checks and statements stand, in words."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.orders.institutions.states import CheckState, InstitutionState, StatementState
from marketplace.payments.by_bank.states import BankTransferState

INSTITUTIONS: Final[dict[InstitutionState, LazyString]] = {
    InstitutionState.APPLIED: _l("waiting for an answer"),
    InstitutionState.ACTIVE: _l("may order on account"),
    InstitutionState.PAUSED: _l("paused"),
    InstitutionState.REFUSED: _l("not admitted"),
    InstitutionState.CLOSED: _l("closed"),
}
CHECKS: Final[dict[CheckState, LazyString]] = {
    CheckState.ACCEPTED: _l("all accepted"),
    CheckState.CLAIMED: _l("the station has not answered yet"),
    CheckState.AGREED: _l("taken off the bill"),
    CheckState.REJECTED: _l("the station does not agree"),
}
TRANSFERS: Final[dict[BankTransferState, LazyString]] = {
    BankTransferState.RECORDED: _l("waits for a second person"),
    BankTransferState.CONFIRMED: _l("confirmed by two people"),
    BankTransferState.WITHDRAWN: _l("withdrawn"),
}
STATEMENTS: Final[dict[StatementState, LazyString]] = {
    StatementState.OPEN: _l("to be paid"),
    StatementState.OVERDUE: _l("overdue"),
    StatementState.PAID: _l("paid in full"),
    StatementState.VOID: _l("nothing left to pay"),
}
