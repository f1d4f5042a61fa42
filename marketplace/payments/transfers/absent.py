"""A transfer of which the gateway never heard, and whose key is too old to be sent again: a person lets it go.

What it would have paid is then owed as before."""

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import subject_of
from marketplace.payments.gateways import unknown_unless_answered
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import Transfer
from marketplace.payments.transfers.states import TransferState


class StillBeingSent(Refusal):
    message = _l("This transfer is still being sent by itself.")


def let_go(*, reference: str, actor: str) -> TransferState:
    """Ask the gateway once more: what it has is booked, what it has not is given up; the state it is in then.

    Outside any transaction. Raises NotFound, StillBeingSent, and GatewayError where there is no answer."""
    row, asked = in_transaction(look, reference=reference)
    with unknown_unless_answered(asked.key):
        found = sending.look_for(asked)
    if found is not None:
        in_transaction(sending.arrive, kind=Transfer, row=row, remote=found, why="found")
        return TransferState.SUCCEEDED
    in_transaction(give_up, row=row, actor=actor)
    return TransferState.FAILED


def look(session: Session, *, reference: str) -> tuple[int, sending.Submission]:
    row = sending.of_reference(session, reference)
    if row is None:
        raise NotFound(reference)
    if not is_stuck(row):
        raise StillBeingSent(reference)
    return row.id, sending.submission(session, row)


def is_stuck(row: Transfer) -> bool:
    """Nothing more happens to it by itself."""
    return row.state is TransferState.UNKNOWN and not row.key_is_fresh


def give_up(session: Session, *, row: int, actor: str) -> None:
    held = session.get_one(Transfer, row, with_for_update=True, populate_existing=True)
    if not is_stuck(held):
        raise StillBeingSent(held.reference)
    audit.record(session, actor=actor, action="transfer.let_go", subject=subject_of(held))
    sending.fail(session, kind=Transfer, row=row, why=sending.NeverArrived.__name__)
