"""What the pages of settling show: a fixed number of statements, and of an account number its last four digits."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts.models import Person
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.paging import Page, cut
from marketplace.core.records import slim_record
from marketplace.ledger import books, queries as ledger_queries
from marketplace.orders import disputed
from marketplace.orders.batches import at_gateway
from marketplace.orders.batches.models import BatchLine, PayoutAccount, SettlementBatch
from marketplace.orders.batches.owed import OPEN, Owner, payable, why_not
from marketplace.orders.batches.searching import EVERYTHING, Asked, filtered
from marketplace.orders.batches.states import BatchState as B, LeftOut, LineState
from marketplace.orders.models import OrderLine, Parcel
from marketplace.payments.transfers.models import GatewayPayee
from marketplace.payments.transfers.states import PayeeState
from marketplace.stations.models import Seller, Station

PAGE: Final = 50
FIRST: Final = case(
    {B.DRAFTED: 0, B.APPROVED: 1, B.SENT: 2}, value=SettlementBatch.state, else_=3
)  # what waits for somebody


@slim_record
class StationOwed:
    """A station at which somebody is owed something; `ready_fen` is what a batch drafted now would pay."""

    code: str
    name_zh: str
    name_en: str
    payees: int
    owed_fen: int
    ready_fen: int

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)


@slim_record
class ShownBatch:
    """A batch with the names that belong to it."""

    row: SettlementBatch
    station_zh: str
    station_en: str
    drafter: str
    approver: str | None
    payments: int
    fen: int

    @property
    def station(self) -> str:
        return in_language(self.station_zh, self.station_en)


@slim_record
class ShownPayee:
    """An account and whose it is: a seller of a station, or a station itself, which has none."""

    row: PayoutAccount
    name_zh: str
    name_en: str
    station_zh: str
    station_en: str
    at_gateway: GatewayPayee | None

    @property
    def name(self) -> str:
        return in_language(self.name_zh, self.name_en)

    @property
    def station(self) -> str:
        return in_language(self.station_zh, self.station_en)

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


def batches(session: Session, asked: Asked = EVERYTHING) -> Page[ShownBatch]:
    """What waits for somebody first, then the newest. One statement."""
    wanted = filtered(select_batches(), asked)
    if asked.before:
        first, number = edge(SettlementBatch, asked.before, FIRST, SettlementBatch.id)
        wanted = wanted.where(or_(first < FIRST, (first == FIRST) & (SettlementBatch.id < number)))
    rows = session.execute(wanted.order_by(FIRST, SettlementBatch.id.desc()).limit(PAGE + 1))
    return cut([ShownBatch(*row) for row in rows], PAGE, attrgetter("row.public_id"))


def edge(kind: Any, public_id: str, *columns: Any) -> list[Any]:
    """These columns of the row that ended the page before, as SQL; nothing is beyond a row that is not there."""
    return [select(column).where(kind.public_id == public_id).correlate(None).scalar_subquery() for column in columns]


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


def names_of(session: Session, lines: Iterable[BatchLine]) -> dict[str, str]:
    """By line: what its owner is called, in the reader's language where somebody wrote that down. Two statements."""
    kept = list(lines)
    shops = select(Person.public_id, Seller.name_en).join(Seller, Seller.person_id == Person.id)
    shops = shops.where(Person.public_id.in_([line.owner for line in kept if line.owner_kind == "seller"]))
    stations = select(Station.code, Station.name_en)
    stations = stations.where(Station.code.in_([line.owner for line in kept if line.owner_kind == "station"]))
    english = {("seller", owner): name for owner, name in session.execute(shops)}
    english |= {("station", owner): name for owner, name in session.execute(stations)}
    return {line.public_id: in_language(line.owner_name, english.get((line.owner_kind, line.owner), "")) for line in kept}


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
    names = (func.coalesce(own.name_zh, Seller.name_zh, ""), func.coalesce(own.name_en, Seller.name_en, ""))
    stations = (func.coalesce(home.name_zh, ""), func.coalesce(home.name_en, ""))
    wanted: Any = select(PayoutAccount, *names, *stations, GatewayPayee)
    is_seller = (PayoutAccount.owner_kind == "seller") & (Person.public_id == PayoutAccount.owner)
    wanted = wanted.outerjoin(Person, is_seller).outerjoin(Seller, Seller.person_id == Person.id)
    wanted = wanted.outerjoin(own, (PayoutAccount.owner_kind == "station") & (own.code == PayoutAccount.owner))
    gateway, book = at_gateway.here()
    there = at_gateway.SAME_OWNER & (GatewayPayee.gateway == gateway) & (GatewayPayee.book == book)
    return wanted.outerjoin(home, home.code == Seller.station_code).outerjoin(GatewayPayee, there)


def payees(session: Session, before: str = "") -> Page[ShownPayee]:
    """Those that wait to be verified first, then the frozen, then the latest; after the account `before`. One statement."""
    wanted, changed, urgency = select_payees(), PayoutAccount.changed_at, urgency_of_payees()
    if before:
        waits, at, number = edge(PayoutAccount, before, urgency, changed, PayoutAccount.id)
        later = or_(changed < at, (changed == at) & (PayoutAccount.id < number))
        wanted = wanted.where(or_(waits < urgency, (waits == urgency) & later))
    rows = session.execute(wanted.order_by(urgency, changed.desc(), PayoutAccount.id.desc()).limit(PAGE + 1))
    return cut([ShownPayee(*row) for row in rows], PAGE, attrgetter("row.public_id"))


def urgency_of_payees() -> Any:
    """SQL: what waits for the province comes first, then what it has stopped."""
    gateway, book = at_gateway.here()
    known = exists().where(at_gateway.SAME_OWNER, GatewayPayee.gateway == gateway, GatewayPayee.book == book)
    known = known.where(GatewayPayee.state == PayeeState.VERIFIED, PayoutAccount.verified_at < GatewayPayee.changed_at)
    waits = PayoutAccount.verified_at.is_(None) | known.correlate(PayoutAccount)
    return case((waits, 0), (PayoutAccount.frozen_because != "", 1), else_=2)


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
