"""What the pages of settling show: a fixed number of statements, and of an account number its last four digits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Person
from marketplace.core.errors import NotFound
from marketplace.ledger import books, queries as ledger_queries
from marketplace.orders import disputed
from marketplace.orders.batches import at_gateway
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.owed import OPEN, Owner, payable, why_not
from marketplace.orders.batches.states import BatchState as B, LeftOut, LineState
from marketplace.orders.models import OrderLine, Parcel
from marketplace.payments.transfers.models import GatewayPayee
from marketplace.payments.transfers.states import PayeeState
from marketplace.stations.models import Seller, Station

MOST: Final = 100
FIRST: Final = case(
    {B.DRAFTED: 0, B.APPROVED: 1, B.SENT: 2}, value=SettlementBatch.state, else_=3
)  # what waits for somebody


@dataclass(frozen=True, slots=True)
class StationOwed:
    """A station at which somebody is owed something; `ready_fen` is what a batch drafted now would pay."""

    code: str
    name_zh: str
    name_en: str
    payees: int
    owed_fen: int
    ready_fen: int


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch with the names that belong to it."""

    row: SettlementBatch
    station_zh: str
    station_en: str
    drafter: str
    approver: str | None
    payments: int
    fen: int


@dataclass(frozen=True, slots=True)
class ShownPayee:
    row: PayoutAccount
    name: str
    station_zh: str
    at_gateway: GatewayPayee | None

    @property
    def waits(self) -> bool:
        """To be verified, for the first time or because the gateway knows them since then."""
        return self.row.verified_at is None or at_gateway.waits_for_the_province(self.row, self.at_gateway)


def stations_owed(session: Session, book: str) -> list[StationOwed]:
    """Where somebody is owed something, the most first. Six statements."""
    owed = positive_balances(session, book)
    names = {row.code: row for row in session.execute(select(Station.code, Station.name_zh, Station.name_en))}
    accounts = {(row.owner_kind, row.owner): row for row in session.scalars(select(PayoutAccount))}
    blocked = open_owners(session, book)
    found = []
    for station, owners in owners_by_station(session, owed).items():
        ready = [o for o in owners if o not in blocked and why_not(accounts.get(o), owed[o]) is LeftOut.NO]
        sums = (sum(owed[owner] for owner in owners), sum(owed[owner] for owner in ready))
        found.append(StationOwed(station, names[station].name_zh, names[station].name_en, len(owners), *sums))
    return sorted(found, key=lambda each: (-each.ready_fen, -each.owed_fen, each.code))


def positive_balances(session: Session, book: str) -> dict[Owner, int]:
    kinds = {payable(kind): kind for kind in ("seller", "station")}
    rows = ledger_queries.balances(session, book=book, kinds=list(kinds))
    owed = {(kinds[kind], owner): -int(fen) for kind, owner, commodity, fen in rows if fen < 0 and commodity == "CNY"}
    stopped = disputed.frozen(session, book=book)
    return {owner: fen - stopped.get(owner, 0) for owner, fen in owed.items() if fen > stopped.get(owner, 0)}


def owners_by_station(session: Session, owners: Any) -> dict[str, list[Owner]]:
    """Each station with itself and the sellers whose goods it has sent."""
    sellers = [owner for kind, owner in owners if kind == "seller"]
    pairs = select(Parcel.station_code, OrderLine.seller_public_id).join(OrderLine, OrderLine.parcel_id == Parcel.id)
    pairs = pairs.where(OrderLine.seller_public_id.in_(sellers)).distinct()
    found: dict[str, list[Owner]] = defaultdict(list)
    for station, seller in session.execute(pairs):
        found[station].append(("seller", seller))
    for kind, owner in owners:
        if kind == "station":
            found[owner].append((kind, owner))
    return found


def open_owners(session: Session, book: str) -> set[Owner]:
    wanted = select(BatchLine.owner_kind, BatchLine.owner).where(BatchLine.book == book, BatchLine.left_out == LeftOut.NO)
    return {(kind, owner) for kind, owner in session.execute(wanted.where(BatchLine.state.in_(OPEN)))}


def select_batches() -> Any:
    drafter, approver = aliased(Person), aliased(Person)
    mine = (BatchLine.batch_id == SettlementBatch.id) & (BatchLine.left_out == LeftOut.NO)
    lines = select(func.count(), func.coalesce(func.sum(BatchLine.fen), 0)).where(mine)
    count, total = (select(column).where(mine).scalar_subquery() for column in lines.selected_columns)
    wanted: Any = select(SettlementBatch, Station.name_zh, Station.name_en, drafter.name, approver.name, count, total)
    wanted = wanted.join(Station, Station.code == SettlementBatch.station_code)
    wanted = wanted.join(drafter, drafter.id == SettlementBatch.drafter_id)
    return wanted.outerjoin(approver, approver.id == SettlementBatch.approver_id)


def batches(session: Session) -> list[ShownBatch]:
    """What waits for somebody first, then the newest. One statement."""
    rows = session.execute(select_batches().order_by(FIRST, SettlementBatch.id.desc()).limit(MOST))
    return [ShownBatch(*row) for row in rows]


def get_batch(session: Session, batch: str) -> ShownBatch:
    """Raises NotFound."""
    row = session.execute(select_batches().where(SettlementBatch.public_id == batch)).first()
    if row is None:
        raise NotFound(batch)
    return ShownBatch(*row)


def lines_of(session: Session, batch: SettlementBatch) -> Sequence[BatchLine]:
    """Its lines: those that pay first, in the order of their names."""
    mine = select(BatchLine).where(BatchLine.batch_id == batch.id)
    return session.scalars(mine.order_by(BatchLine.left_out != LeftOut.NO, BatchLine.owner_kind.desc(), BatchLine.id)).all()


def get_line(session: Session, batch: SettlementBatch, line: str) -> BatchLine:
    """One that pays. Raises NotFound."""
    mine = select(BatchLine).where(BatchLine.batch_id == batch.id, BatchLine.public_id == line)
    found = session.scalar(mine.where(BatchLine.left_out == LeftOut.NO, BatchLine.state != LineState.DUE))
    if found is None:
        raise NotFound(line)
    return found


def select_payees() -> Any:
    """Every account with whose it is: a seller's name and station, or the station's."""
    own, home = aliased(Station), aliased(Station)
    name = func.coalesce(own.name_zh, Seller.name_zh, "")
    wanted: Any = select(PayoutAccount, name, func.coalesce(home.name_zh, ""), GatewayPayee)
    is_seller = (PayoutAccount.owner_kind == "seller") & (Person.public_id == PayoutAccount.owner)
    wanted = wanted.outerjoin(Person, is_seller).outerjoin(Seller, Seller.person_id == Person.id)
    wanted = wanted.outerjoin(own, (PayoutAccount.owner_kind == "station") & (own.code == PayoutAccount.owner))
    gateway, book = at_gateway.here()
    there = at_gateway.SAME_OWNER & (GatewayPayee.gateway == gateway) & (GatewayPayee.book == book)
    return wanted.outerjoin(home, home.code == Seller.station_code).outerjoin(GatewayPayee, there)


def payees(session: Session) -> list[ShownPayee]:
    """Those that wait to be verified first, then the frozen, then the latest. One statement."""
    waits = case((needs_a_look(), 0), (PayoutAccount.frozen_because != "", 1), else_=2)
    rows = session.execute(select_payees().order_by(waits, PayoutAccount.changed_at.desc()).limit(MOST))
    return [ShownPayee(*row) for row in rows]


def needs_a_look() -> Any:
    is_known = GatewayPayee.state == PayeeState.VERIFIED
    return PayoutAccount.verified_at.is_(None) | (is_known & (PayoutAccount.verified_at < GatewayPayee.changed_at))


def get_payee(session: Session, account: str) -> ShownPayee:
    """Raises NotFound."""
    row = session.execute(select_payees().where(PayoutAccount.public_id == account)).first()
    if row is None:
        raise NotFound(account)
    return ShownPayee(*row)


def account_of(session: Session, owner: Owner) -> PayoutAccount | None:
    kind, whose = owner
    return session.scalar(select(PayoutAccount).where(PayoutAccount.owner_kind == kind, PayoutAccount.owner == whose))


def owed_fen(session: Session, owner: Owner, book: str) -> int:
    kind, whose = owner
    return -books.balance(session, payable(kind), whose, book=book)
