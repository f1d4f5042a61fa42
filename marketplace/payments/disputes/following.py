"""Bring a dispute to what the gateway says is true, and its money into the books (who bears a loss: adr/0016).

taken     dispute:<id>       dispute_receivable + dispute_fee   from gateway_clearing
returned  dispute_won:<id>   gateway_clearing                   from dispute_receivable
lost      dispute_lost:<id>  whoever bears it                   from dispute_receivable"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.payments import refunds
from marketplace.payments.disputes import netting
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.standing import LOSS
from marketplace.payments.disputes.states import DISPUTE, OPEN, DisputeState
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.models import Attempt
from marketplace.payments.outcomes import Unmatched
from marketplace.payments.states import AttemptState

FEE: Final[books.Account] = ("dispute_fee", "")

bearers: dict[str, Callable[..., Mapping[books.Account, Money]]] = {}
"""purpose -> called with session, reference, dispute and amount when it is lost, in that transaction: whose money it was, at
most so much. What nobody bears is the province's loss."""

contested: dict[str, Callable[..., None]] = {}
"""purpose -> called with session and reference whenever a bank disputes some of its money or has decided, in that
transaction."""

regained: dict[str, Callable[..., None]] = {}
"""purpose -> called with session, reference and dispute when what was lost came back on appeal, in that transaction."""


def apply(session: Session, *, remote: RemoteDispute, gateway: str, why: str) -> DisputeState:
    """Known or new. Raises outcomes.Unmatched for a payment that we do not know."""
    found = select(Attempt).where(Attempt.gateway == gateway, Attempt.public_id == remote.attempt)
    attempt = session.scalar(found.with_for_update())
    if attempt is None:
        raise Unmatched(remote.remote_id)
    if remote.book != attempt.book or remote.amount.currency != attempt.currency:
        raise ValueError(f"dispute {remote.remote_id}: {remote.book} money, {remote.amount.currency}")
    row = session.scalar(select(Dispute).where(Dispute.gateway == gateway, Dispute.remote_id == remote.remote_id))
    if row is None:
        row = begin(session, remote, attempt, why)
    elif remote.status in DISPUTE[row.state] and not is_old_news(row, remote):
        transition(session, row, remote.status, expected=row.state, actor=gateway, why=why)
    row.raw_status, row.answer_by = remote.raw_status, remote.answer_by
    move_money(session, row, attempt, remote)
    if attempt.purpose in contested:
        contested[attempt.purpose](session, reference=attempt.reference)
    return row.state


def is_old_news(row: Dispute, remote: RemoteDispute) -> bool:
    """Fetched before the bank decided, and come after it: only an appeal opens again what was lost."""
    is_opened_again = remote.status in OPEN and row.state is DisputeState.LOST
    return is_opened_again and not remote.raw_status.startswith("appeal_")


def begin(session: Session, remote: RemoteDispute, attempt: Attempt, why: str) -> Dispute:
    row = Dispute(gateway=attempt.gateway, remote_id=remote.remote_id, attempt_id=attempt.id, state=remote.status)
    row.fen, row.currency, row.reason = remote.amount.fen, remote.amount.currency, remote.reason[:200]
    session.add(row)
    session.flush()
    leave_trace(session, row, None, remote.status, actor=attempt.gateway, why=why)
    subject, who = f"dispute:{row.public_id}", attempt.gateway
    audit.record(session, actor=who, action="dispute.opened", subject=subject, why=row.reason, fen=row.fen)
    return row


def move_money(session: Session, row: Dispute, attempt: Attempt, remote: RemoteDispute) -> None:
    """Each step once, in whatever order the news came: what is told is how it stands, not what happened."""
    amount = Money(row.fen, row.currency)
    receivable: books.Account = ("dispute_receivable", attempt.gateway)
    clearing: books.Account = ("gateway_clearing", attempt.gateway)
    if remote.is_withdrawn and not is_posted(session, row, "dispute"):
        row.fee_fen = remote.fee.fen
        row.fee_currency = remote.fee.currency if remote.fee.currency != row.currency else None
        taken = [(receivable, amount), (clearing, -amount), (FEE, remote.fee), (clearing, -remote.fee)]
        post(session, row, attempt, "dispute", taken)
    if not is_posted(session, row, "dispute"):
        return
    if remote.is_reinstated and not is_posted(session, row, "dispute_won"):
        take_the_loss_back(session, row, attempt)
        back = [(clearing, amount), (receivable, -amount), (clearing, remote.fee_back), (FEE, -remote.fee_back)]
        post(session, row, attempt, "dispute_won", back)
    elif row.state is DisputeState.LOST and not (is_posted(session, row, "dispute_lost") or remote.is_reinstated):
        post(session, row, attempt, "dispute_lost", {**borne(session, row, attempt), receivable: -amount})


def borne(session: Session, row: Dispute, attempt: Attempt) -> dict[books.Account, Money]:
    """By whom, together all of it."""
    amount = Money(row.fen, row.currency)
    if netting.is_nobodys(session, attempt):  # what waits in suspense bears it first
        waits = min(amount.fen, netting.of(session, attempt).waits_fen)
        shares = {netting.SUSPENSE: Money(waits, row.currency)} if waits > 0 else {}
    else:
        asked = None if attempt.is_surplus else bearers.get(attempt.purpose)
        given = {"reference": attempt.reference, "dispute": row.public_id, "amount": amount}
        shares = dict(asked(session, **given)) if asked else {}
    rest = amount.fen - sum(share.fen for share in shares.values())
    if rest < 0:
        raise ValueError(f"dispute {row.public_id}: more is borne than was lost")
    return shares | ({LOSS: Money(rest, row.currency)} if rest else {})


def take_the_loss_back(session: Session, row: Dispute, attempt: Attempt) -> None:
    """An appeal was won after all: whoever bore the loss has it again."""
    lost = books.lines_of(session, f"dispute_lost:{row.public_id}")
    if lost:
        back = {account: -money for account, money in lost.items()}
        is_nobodys = netting.is_nobodys(session, attempt)
        post(session, row, attempt, "dispute_appealed", [*back.items(), *kept_before(session, attempt, lost, is_nobodys)])
        asked = None if attempt.is_surplus or is_nobodys else regained.get(attempt.purpose)
        if asked:
            asked(session, reference=attempt.reference, dispute=row.public_id)
        if is_nobodys and attempt.state is AttemptState.SUCCEEDED:
            send_again(session, row, attempt)
        audit.record(session, actor=attempt.gateway, action="dispute.appealed", subject=f"dispute:{row.public_id}")


def kept_before(
    session: Session, attempt: Attempt, lost: Mapping[books.Account, Money], is_nobodys: bool
) -> list[tuple[books.Account, Money]]:
    """What had waited in suspense and lessened this loss before it was won back: it waits there again."""
    if not is_nobodys:
        return []
    kept = lost.get(LOSS, Money(0, attempt.currency)).fen - netting.of(session, attempt).lost_fen
    again = Money(max(kept, 0), attempt.currency)
    return [(LOSS, again), (netting.SUSPENSE, -again)]


def send_again(session: Session, row: Dispute, attempt: Attempt) -> None:
    """What came twice or too late goes back by itself, also once a bank has brought it again."""
    left = Money(refunds.left_in_suspense(session, attempt), attempt.currency)
    if left.fen > 0:
        key, shares = f"surplus:{row.public_id}", {netting.SUSPENSE: left}
        refunds.request_for(session, attempt, reason_key=key, shares=shares, reason="surplus", is_surplus=True)


def is_posted(session: Session, row: Dispute, kind: str) -> bool:
    return books.is_posted(session, f"{kind}:{row.public_id}")


def post(session: Session, row: Dispute, attempt: Attempt, kind: str, lines: books.Lines) -> None:
    books.post(session, key=f"{kind}:{row.public_id}", book=attempt.book, reference=attempt.reference, lines=lines)
