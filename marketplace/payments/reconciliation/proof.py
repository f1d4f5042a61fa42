"""The balance proof: what the gateway holds, what its movements add up to, what the books say, and what stands between."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.ledger.models import Entry, LedgerAccount, Line
from marketplace.payments.gateways import PaymentGateway
from marketplace.payments.reconciliation.differences import SHOWN
from marketplace.payments.reconciliation.matching import ON_THE_WAY
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.states import FOLLOWING, PAID_OUT, WRONG, Verdict
from marketplace.payments.transfers.models import Transfer

VERDICTS: Final = frozenset(verdict.value for verdict in Verdict)


@dataclass
class Proof:
    """One currency, in its smallest unit. `movements` = `books` + `waiting` - `on_the_way` - `at_the_bank` + `unexplained`.

    `waiting` has moved at the gateway and is not final in the books, `on_the_way` is in the books and so new that the
    gateway may not have it. `at_the_bank` was paid into our own account by the gateway and not paid on by the bank."""

    gap: int = 0  # what the gateway holds beyond its own movements
    movements: int = 0
    books: int = 0
    waiting: int = 0
    on_the_way: int = 0
    missing: int = 0  # in the books, and by now the gateway should have it
    at_the_bank: int = 0

    @property
    def balance(self) -> int:
        return self.movements + self.gap

    @property
    def unexplained(self) -> int:
        return self.movements - self.books - self.waiting + self.on_the_way + self.at_the_bank

    @property
    def is_red(self) -> bool:
        return bool(self.unexplained or self.gap)

    def as_json(self) -> dict[str, int]:
        return asdict(self) | {"balance": self.balance, "unexplained": self.unexplained}


@dataclass(frozen=True)
class Standing:
    """The proofs by currency, and how many movements there are of each verdict; `missing` are entries."""

    proofs: dict[str, Proof]
    counts: dict[str, int]
    missing: int

    @property
    def is_red(self) -> bool:
        wrong = sum(self.counts.get(verdict, 0) for verdict in WRONG)
        return bool(wrong or self.missing) or any(proof.is_red for proof in self.proofs.values())


def prove(session: Session, gateway: PaymentGateway, *, gap: dict[str, int]) -> Standing:
    """One statement, so that all of it is of the same moment. `gap`: what the gateway holds beyond its movements."""
    proofs = {currency: Proof(gap=fen) for currency, fen in gap.items()}
    counts: dict[str, int] = {}
    missing = 0
    for term, currency, fen, number in session.execute(terms(gateway)):
        proof = proofs.setdefault(currency, Proof())
        if term in VERDICTS:
            counts[term] = counts.get(term, 0) + number
        if term == "missing":
            missing += number
        add(proof, term, int(fen))
    return Standing(proofs, counts, missing)


def add(proof: Proof, term: str, fen: int) -> None:
    match term:
        case Verdict.WAITING:
            proof.waiting += fen
        case Verdict.AT_THE_BANK | "paid_by_the_bank":
            proof.at_the_bank += fen if term == "paid_by_the_bank" else -fen
        case "net":
            proof.movements += fen
        case "books":
            proof.books += fen
        case "on_the_way":
            proof.on_the_way += fen
        case "missing":
            proof.missing += fen


def terms(gateway: PaymentGateway) -> Any:
    """(term, currency, sum, number): movements by verdict, their net, the books, and entries that no movement answers."""
    mine = GatewayMovement.gateway == gateway.name
    verdict = cast(GatewayMovement.verdict, String)
    gross = select(verdict, GatewayMovement.currency, func.sum(GatewayMovement.gross), func.count())
    net = select(literal("net"), GatewayMovement.currency, func.sum(GatewayMovement.net), func.count()).where(mine)
    entries: Columns = select(literal("books"), Line.commodity, func.sum(Line.amount), func.count())
    lonely = unanswered(gateway, clock.now() - ON_THE_WAY).subquery()
    alone = select(lonely.c.term, lonely.c.commodity, func.sum(lonely.c.amount), func.count())
    return union_all(
        gross.where(mine).group_by(verdict, GatewayMovement.currency),
        net.group_by(GatewayMovement.currency),
        on_account(entries, gateway).group_by(Line.commodity),
        alone.group_by(lonely.c.term, lonely.c.commodity),
    )


def unanswered(gateway: PaymentGateway, since: datetime) -> Columns:
    """What the books did to this gateway's account, and no movement answers to; fees and conversions follow movements."""
    term = case((Entry.at >= since, "on_the_way"), else_="missing")
    if not gateway.pays_out:
        term = case((by_the_bank(), "paid_by_the_bank"), (Entry.at >= since, "on_the_way"), else_="missing")
    wanted: Columns = select(
        term.label("term"), Line.commodity, Line.amount, Entry.key, Entry.at, Entry.reference, by_the_bank().label("by_bank")
    )
    answered = and_(GatewayMovement.matched_entry == Entry.key, GatewayMovement.gateway == gateway.name)
    wanted = on_account(wanted, gateway).outerjoin(GatewayMovement, answered)
    return wanted.where(Entry.kind.not_in(FOLLOWING), GatewayMovement.id.is_(None))


def by_the_bank() -> ColumnElement[bool]:
    """Our bank has paid it, and no transfer of the gateway's own."""
    paid = func.substr(Entry.key, len("payout_paid:") + 1)
    sent = select(Transfer.id).where(Transfer.reference == paid, Entry.kind == "payout_paid").correlate(Entry)
    return Entry.kind.in_(PAID_OUT) & ~sent.exists()


def on_account(wanted: Columns, gateway: PaymentGateway) -> Columns:
    wanted = wanted.select_from(Line).join(LedgerAccount, LedgerAccount.id == Line.account_id)
    wanted = wanted.join(Entry, Entry.id == Line.entry_id).where(LedgerAccount.kind == "gateway_clearing")
    return wanted.where(LedgerAccount.owner == gateway.name, LedgerAccount.book == gateway.book)


def missing_entries(session: Session, gateway: PaymentGateway) -> Sequence[Any]:
    """What the books have and the gateway does not, the oldest first: (key, reference, amount, commodity, at)."""
    lonely = unanswered(gateway, clock.now() - ON_THE_WAY).subquery()
    wanted = select(lonely.c.key, lonely.c.reference, lonely.c.amount, lonely.c.commodity, lonely.c.at)
    return session.execute(wanted.where(lonely.c.term == "missing").order_by(lonely.c.at, lonely.c.key).limit(SHOWN)).all()


def unpaid_out(session: Session, gateway: PaymentGateway, after: str, limit: int) -> Sequence[Any]:
    """Money that the bank paid and that the gateway has not been told of: (key, amount, commodity), by key."""
    lonely = unanswered(gateway, clock.now()).subquery()
    wanted = select(lonely.c.key, lonely.c.amount, lonely.c.commodity).where(lonely.c.by_bank)
    return session.execute(wanted.where(lonely.c.key > after).order_by(lonely.c.key).limit(limit)).all()
