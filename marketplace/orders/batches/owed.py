"""Who is paid by a station's batch, and what they are owed at this moment, while their accounts are held."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import exists, func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.ledger.models import LedgerAccount, Line
from marketplace.orders import disputed
from marketplace.orders.batches.models import BatchLine, PayoutAccount
from marketplace.orders.batches.states import LeftOut, LineState
from marketplace.orders.models import OrderLine, Parcel
from marketplace.stations.models import Seller, Station

Owner = tuple[str, str]  # "seller" and a public id, or "station" and a code
OPEN: Final = (LineState.DUE, LineState.SENT)


def payable(owner_kind: str) -> str:
    """The account kind in which this kind of owner is owed."""
    return f"{owner_kind}_payable"


def payees_of(session: Session, station: str, book: str) -> dict[Owner, str]:
    """The station and the sellers whose goods it has sent, in the order in which they are locked; with their names."""
    sent_here = (
        exists()
        .where(OrderLine.seller_public_id == LedgerAccount.owner, OrderLine.parcel_id == Parcel.id)
        .where(Parcel.station_code == station)
    )
    sellers = (
        select(LedgerAccount.owner, Seller.name_zh, Person.name)
        .join(Person, Person.public_id == LedgerAccount.owner)
        .outerjoin(Seller, Seller.person_id == Person.id)
        .where(LedgerAccount.kind == payable("seller"), LedgerAccount.book == book, sent_here)
    )
    names: dict[Owner, str] = {("seller", owner): shop or person for owner, shop, person in session.execute(sellers)}
    own = session.scalar(select(Station.name_zh).where(Station.code == station))
    return dict(sorted(names.items())) | ({("station", station): own} if own else {})


def hold_accounts(session: Session, owners: Iterable[Owner]) -> dict[Owner, PayoutAccount]:
    """Their bank accounts, locked in a fixed order: whoever else pays or changes one of them waits."""
    wanted = select(PayoutAccount).where(tuple_(PayoutAccount.owner_kind, PayoutAccount.owner).in_(list(owners)))
    held = wanted.order_by(PayoutAccount.owner_kind, PayoutAccount.owner).with_for_update()
    found = session.scalars(held.execution_options(populate_existing=True))
    return {(account.owner_kind, account.owner): account for account in found}


def owed_to(session: Session, owners: Iterable[Owner], book: str) -> dict[Owner, int]:
    """Fen that each is owed by the books less what a payer's bank disputes; below zero after a refund of what was paid."""
    kinds = {(payable(kind), owner): (kind, owner) for kind, owner in owners}
    total = select(LedgerAccount.kind, LedgerAccount.owner, -func.sum(Line.amount))
    total = total.join(Line, Line.account_id == LedgerAccount.id).where(LedgerAccount.book == book, Line.commodity == "CNY")
    total = total.where(tuple_(LedgerAccount.kind, LedgerAccount.owner).in_(list(kinds)))
    by_account = session.execute(total.group_by(LedgerAccount.kind, LedgerAccount.owner))
    owed = {kinds[kind, owner]: int(fen) for kind, owner, fen in by_account}
    stopped = disputed.frozen(session, book=book)
    return {owner: owed.get(owner, 0) - stopped.get(owner, 0) for owner in kinds.values()}


def under_way(session: Session, owners: Iterable[Owner], book: str) -> set[Owner]:
    """Those to whom a payment was drafted or sent that is not answered yet."""
    owner = tuple_(BatchLine.owner_kind, BatchLine.owner)
    wanted = select(BatchLine.owner_kind, BatchLine.owner).where(owner.in_(list(owners)), BatchLine.book == book)
    rows = session.execute(wanted.where(BatchLine.state.in_(OPEN), BatchLine.left_out == LeftOut.NO))
    return {(kind, whose) for kind, whose in rows}


def why_not(account: PayoutAccount | None, fen: int) -> LeftOut:
    """What forbids paying `fen` here: only what is owed is paid, only to an account that is verified and not stopped."""
    if fen <= 0:
        return LeftOut.NOTHING_OWED
    if account is None or account.verified_at is None:
        return LeftOut.UNVERIFIED
    return LeftOut.FROZEN if account.frozen_because else LeftOut.NO


def why_no_more(line: BatchLine, accounts: Mapping[Owner, PayoutAccount], owed: Mapping[Owner, int]) -> LeftOut:
    """What has happened since a line was drafted that forbids paying it."""
    owner = (line.owner_kind, line.owner)
    account = accounts.get(owner)
    if (why := why_not(account, owed[owner])) is not LeftOut.NO:
        return why
    if account is None or account.revision != line.account_revision:
        return LeftOut.CHANGED
    return LeftOut.SMALLER if owed[owner] < line.fen else LeftOut.NO
