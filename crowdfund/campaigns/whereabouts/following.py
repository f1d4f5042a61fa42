"""The worker follows the money: what came first is spent first, row by row of the public ledger in the order of its seals.

What goes back to a giver comes out of what is not spent of their gift; if that is not enough, other money that is not spent
yet takes over the lines that theirs had paid. So a gift is always what is back, spent and not yet spent of it, and a line is
always paid in full (ADR 36), less what its provider paid back: what was spent on it last is not spent any more (ADR 53).
What was let in by mistake is spent again, like a payment of that moment (ADR 63)."""

import logging
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.ledger_rows import CORRECTION, PAYMENT, REPAYMENT
from crowdfund.campaigns.models import Campaign, Disbursement, PublicRow
from crowdfund.campaigns.public_ledger import SOURCE
from crowdfund.campaigns.repayments.models import RepaidLine, Repayment
from crowdfund.campaigns.whereabouts.models import BillLine, GivenMoney, MoneyFollowed, SpentMoney
from marketplace.core import page_cache
from marketplace.core.db import db, in_transaction, insert_or_ignore
from marketplace.ledger.models import Entry

PAGE: Final = 500
SEEN: Final = func.coalesce(select(MoneyFollowed.number).scalar_subquery(), 0)
NEWER: Final = select(SealedRow.number).where(SealedRow.number > SEEN).limit(1)
FOLLOW_QUIETLY: Final = frozenset({"gift", "match"})  # no page for strangers shows anything new


def follow() -> bool:
    """The worker's step: it reads first, so that nothing is locked where nothing is new."""
    session = db.session()
    newer = session.execute(NEWER).first()
    session.rollback()
    return newer is not None and in_transaction(follow_some)


def follow_some(session: Session) -> bool:
    """Some rows further; True while more are waiting."""
    insert_or_ignore(session, MoneyFollowed, {"id": 1, "number": 0})
    mine = select(MoneyFollowed).with_for_update().execution_options(populate_existing=True)
    place = session.scalars(mine).one()
    rows = session.execute(sealed_after(place.number)).all()
    for row in rows:
        FOLLOW[row.kind](session, row)
        place.number = row.number
    session.flush()
    if any(row.kind not in FOLLOW_QUIETLY for row in rows):
        page_cache.expire(session, "ledger")
    return len(rows) == PAGE


def sealed_after(number: int) -> Any:
    """The next rows; what each moved stands in the entry of its key."""
    wanted = select(SealedRow.number, SealedRow.kind, SealedRow.book, SealedRow.campaign_id, PublicRow.fen)
    wanted = wanted.add_columns(
        PublicRow.commitment, PublicRow.reference.label("key"), Entry.reference, Campaign.public_id.label("campaign")
    )
    wanted = wanted.join(PublicRow, PublicRow.id == SealedRow.row_id).join(Campaign, Campaign.id == SealedRow.campaign_id)
    wanted = wanted.outerjoin(Entry, Entry.key == PublicRow.reference)
    return wanted.where(SealedRow.number > number).order_by(SealedRow.number).limit(PAGE)


def come(session: Session, row: Any) -> None:
    new = GivenMoney(number=row.number, campaign_id=row.campaign_id, book=row.book, kind=row.kind, came_fen=row.fen)
    new.reference, new.back_fen, new.spent_fen = row.reference or row.key, 0, 0
    session.add(new)
    session.flush()


def go_back(session: Session, row: Any) -> None:
    source = source_of(session, row)
    if source is None:
        return
    free = min(-row.fen, source.left_fen)
    source.back_fen += free
    if rest := min(-row.fen - free, source.spent_fen):
        for line, fen in let_go(session, source, rest, by_payment=bool(row.commitment)):
            cover(session, row, line, fen)
    if free + rest < -row.fen:
        logging.getLogger(__name__).error("row %s sends back more than came", row.number)


def let_go(session: Session, source: GivenMoney, fen: int, *, by_payment: bool) -> list[tuple[int, int]]:
    """The lines, the latest first, that this money no longer pays, since it has gone back: (line, fen).

    `by_payment`: the latest that was paid, which anybody can tell (ADR 50); for rows from before, the latest asked for."""
    freed = []
    for part in session.scalars(paid_by_payment(source) if by_payment else paid_by_request(source)).all():
        taken = min(fen, part.fen)
        if not taken:
            break
        fen -= taken
        source.spent_fen -= taken
        source.back_fen += taken
        freed.append((part.bill_line_id, taken))
        take_from(session, part, taken)
        session.flush()
    return freed


def paid_by_request(source: GivenMoney) -> Any:
    return select(SpentMoney).where(SpentMoney.number == source.number).order_by(SpentMoney.bill_line_id.desc())


def paid_by_payment(source: GivenMoney) -> Any:
    paid = select(SpentMoney).join(BillLine, BillLine.id == SpentMoney.bill_line_id)
    paid = paid.join(Disbursement, Disbursement.id == BillLine.disbursement_id)
    paid = paid.join(PublicRow, PublicRow.reference == PAYMENT + Disbursement.public_id)
    paid = paid.join(SealedRow, SealedRow.row_id == PublicRow.id).where(SpentMoney.number == source.number)
    return paid.order_by(SealedRow.number.desc(), BillLine.position.desc())


def come_again(session: Session, row: Any) -> None:
    """A refund did not arrive: the gift is not spent as far as it is there again."""
    source = source_of(session, row)
    if source is not None:
        source.back_fen -= min(row.fen, source.back_fen)
        session.flush()


def pay(session: Session, row: Any) -> None:
    lines = select(BillLine.id, BillLine.fen).join(Disbursement, Disbursement.id == BillLine.disbursement_id)
    mine = lines.where(Disbursement.public_id == row.key.removeprefix(PAYMENT)).order_by(BillLine.position)
    for line in session.execute(mine).all():
        cover(session, row, line.id, line.fen)


def pay_back(session: Session, row: Any) -> None:
    """A provider paid back: on each line what was spent last is there again first."""
    for line in session.execute(lines_back(row.key.removeprefix(REPAYMENT))).all():
        uncover(session, row, line.bill_line_id, line.fen)


def correct(session: Session, row: Any) -> None:
    """It had not come back: its lines are paid again, with what came first and is left now."""
    for line in session.execute(lines_back(row.key.removeprefix(CORRECTION))).all():
        cover(session, row, line.bill_line_id, line.fen)


def lines_back(repayment: str) -> Any:
    lines = select(RepaidLine.bill_line_id, RepaidLine.fen).join(Repayment, Repayment.id == RepaidLine.repayment_id)
    return lines.where(Repayment.public_id == repayment).order_by(RepaidLine.bill_line_id)


def uncover(session: Session, row: Any, line: int, fen: int) -> None:
    """What paid `fen` of this line is not spent any more, the money that came last first."""
    parts = select(SpentMoney, GivenMoney).join(GivenMoney, GivenMoney.number == SpentMoney.number)
    parts = parts.where(SpentMoney.bill_line_id == line).order_by(SpentMoney.number.desc())
    while fen:
        found = session.execute(parts.limit(PAGE)).all()
        if not found:
            logging.getLogger(__name__).error("row %s pays back more than was paid", row.number)
            return
        for part, source in found:
            taken = min(fen, part.fen)
            if not taken:
                break
            fen -= taken
            source.spent_fen -= taken
            take_from(session, part, taken)
        session.flush()


def take_from(session: Session, part: SpentMoney, fen: int) -> None:
    if fen == part.fen:
        session.delete(part)
    else:
        part.fen -= fen


def cover(session: Session, row: Any, line: int, fen: int) -> None:
    """Pay `fen` of this line with what came first and is left."""
    left = select(GivenMoney).where(GivenMoney.campaign_id == row.campaign_id, GivenMoney.book == row.book)
    left = left.where(GivenMoney.back_fen + GivenMoney.spent_fen < GivenMoney.came_fen).order_by(GivenMoney.number)
    while fen:
        session.flush()
        found = session.scalars(left.limit(PAGE)).all()
        if not found:
            logging.getLogger(__name__).error("row %s pays more than is there", row.number)
            return
        for source in found:
            taken = min(fen, source.left_fen)
            fen -= taken
            source.spent_fen += taken
            add_to(session, source.number, line, taken)
            if not fen:
                break
    session.flush()


def add_to(session: Session, number: int, line: int, fen: int) -> None:
    known = session.get(SpentMoney, (number, line))
    if known:
        known.fen += fen
    else:
        session.add(SpentMoney(number=number, bill_line_id=line, fen=fen))


def source_of(session: Session, row: Any) -> GivenMoney | None:
    wanted = select(GivenMoney).where(GivenMoney.kind == SOURCE[row.kind], GivenMoney.reference == row.reference)
    found = session.scalar(wanted)
    if found is None:
        logging.getLogger(__name__).error("row %s moves money that never came", row.number)
    return found


FOLLOW: Final[dict[str, Callable[[Session, Any], None]]] = {
    "gift": come,
    "match": come,
    "refund": go_back,
    "unmatch": go_back,
    "return": come_again,
    "disbursement": pay,
    "repayment": pay_back,
    "correction": correct,
}
