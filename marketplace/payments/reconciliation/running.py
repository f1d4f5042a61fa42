"""One reconciliation of one gateway, from its first question to the proof. Repeated, or twice at once, it does no harm.

Interrupted anywhere, it goes on where it stood: what was kept is kept, and how far it has read is noted only at the end."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, page_cache
from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.payments.disputes import asking
from marketplace.payments.gateways import PaymentGateway
from marketplace.payments.reconciliation import telling
from marketplace.payments.reconciliation.models import UNMATCHED, GatewayCursor, GatewayMovement, ReconciliationRun
from marketplace.payments.reconciliation.proof import Standing, prove
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.reconciliation.taking_in import look_at, take_in

T = TypeVar("T")
PAGE: Final = 100
EVERY: Final = timedelta(minutes=10)
OVERLAP: Final = timedelta(hours=48)  # what a gateway lists late is still found
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER: Final = timedelta(minutes=10)
MOST_READINGS: Final = 3
WORKER: Final = "worker"

Tell = Callable[[str], object]


def silent(_words: str) -> None:
    """Nobody watches."""


def reconcile(gateway: PaymentGateway, *, actor: str, whole: bool = False, tell: Tell = silent) -> Standing:
    """Read what moved, the new or everything; bring the books to what is true; prove the balance.

    Outside any transaction. Raises GatewayError where the gateway does not answer: the next run begins at the same place."""
    run = in_transaction(begin, gateway=gateway.name, actor=actor, whole=whole)
    telling.hear_what_was_lost(gateway, since=run.events_since)
    telling.tell_what_was_paid_out(gateway)
    asking.ask_after_open(gateway)
    new = read_movements(gateway, run.since, tell)
    judge_open(gateway, everything=whole, tell=tell)
    gap, late = read_balance(gateway, run.began_at - CLOCKS_DIFFER)
    judge_open(gateway, after=late)
    return in_transaction(end, run=run.id, gateway=gateway, gap=gap, new=new)


class Begun:
    """What a run needs to know of its row."""

    def __init__(self, row: ReconciliationRun, reached: datetime | None) -> None:
        self.id, self.began_at = row.id, row.began_at
        is_whole = row.is_whole or reached is None
        self.since = BEGINNING if is_whole or reached is None else reached - OVERLAP
        self.events_since = self.began_at - OVERLAP if is_whole else self.since


def begin(session: Session, *, gateway: str, actor: str, whole: bool, dry: bool = False) -> Begun:
    cursor = cursor_of(session, gateway)
    row = ReconciliationRun(gateway=gateway, actor=actor, is_whole=whole, is_dry=dry)
    session.add(row)
    session.flush()
    if actor != WORKER:
        kind = f"{'everything' if whole else 'the new'}{', dry' if dry else ''}"
        audit.record(session, actor=actor, action="reconciliation.run", subject=f"gateway:{gateway}", why=kind)
    return Begun(row, cursor.reached)


def cursor_of(session: Session, gateway: str) -> GatewayCursor:
    """Its row, locked."""
    insert_or_ignore(session, GatewayCursor, {"gateway": gateway})
    return session.get_one(GatewayCursor, gateway, with_for_update=True)


def read_movements(gateway: PaymentGateway, since: datetime, tell: Tell = silent) -> int:
    """Returns how many were new."""
    read = new = 0
    for page in pages(gateway.movements(since)):
        new += in_transaction(take_in, gateway=gateway, page=page)
        read += len(page)
        tell(f"{read} movements read, {new} new")
    return new


def pages(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while page := list(islice(rest, PAGE)):
        yield page


def judge_open(gateway: PaymentGateway, *, everything: bool = False, after: int = 0, tell: Tell = silent) -> None:
    """Look again at what is not matched, or at all there is, by keyset."""
    judged = 0
    while ids := in_transaction(ids_to_judge, gateway=gateway.name, everything=everything, after=after):
        for movement in ids:
            look_at(gateway, movement)
        after, judged = ids[-1], judged + len(ids)
        tell(f"{judged} movements compared")


def ids_to_judge(session: Session, *, gateway: str, everything: bool, after: int) -> list[int]:
    wanted = select(GatewayMovement.id).where(GatewayMovement.gateway == gateway, GatewayMovement.id > after)
    if not everything:
        wanted = wanted.where(UNMATCHED, GatewayMovement.verdict != Verdict.AT_THE_BANK)
    return list(session.scalars(wanted.order_by(GatewayMovement.id).limit(PAGE)))


def read_balance(gateway: PaymentGateway, since: datetime) -> tuple[dict[str, int], int]:
    """By currency, what the gateway holds beyond its movements, which should be nothing; and the last id before that.

    Money moves while we ask: the balance may be that of any moment between two readings of the movements."""
    read_movements(gateway, since)
    for _reading in range(MOST_READINGS):
        before, last = in_transaction(net_so_far, gateway=gateway.name)
        held = gateway.balance()
        read_movements(gateway, since)
        moved = in_transaction(moved_after, gateway=gateway.name, last=last)
        gap = {currency: gap_of(currency, held, before, moved) for currency in held.keys() | before.keys()}
        if not any(gap.values()):
            break
    return gap, last


def net_so_far(session: Session, *, gateway: str) -> tuple[dict[str, int], int]:
    wanted = select(GatewayMovement.currency, func.sum(GatewayMovement.net), func.max(GatewayMovement.id))
    found = session.execute(wanted.where(GatewayMovement.gateway == gateway).group_by(GatewayMovement.currency)).all()
    return {row[0]: int(row[1]) for row in found}, max((row[2] for row in found), default=0)


def moved_after(session: Session, *, gateway: str, last: int) -> list[tuple[str, int]]:
    wanted = select(GatewayMovement.currency, GatewayMovement.net).where(GatewayMovement.gateway == gateway)
    found = session.execute(wanted.where(GatewayMovement.id > last).order_by(GatewayMovement.at, GatewayMovement.id))
    return [(row.currency, row.net) for row in found]


def gap_of(currency: str, held: dict[str, int], before: dict[str, int], moved: list[tuple[str, int]]) -> int:
    sums = [before.get(currency, 0)]
    for other, net in moved:
        if other == currency:
            sums.append(sums[-1] + net)
    balance = held.get(currency, 0)
    return 0 if balance in sums else balance - sums[-1]


def end(session: Session, *, run: int, gateway: PaymentGateway, gap: dict[str, int], new: int) -> Standing:
    standing = prove(session, gateway, gap=gap)
    row = note(session, run=run, standing=standing, new=new)
    page_cache.expire(session, "ledger")  # which says to everybody whether it agreed
    cursor = cursor_of(session, gateway.name)
    cursor.reached = max(cursor.reached or BEGINNING, row.began_at)
    cursor.next_at = clock.now() + EVERY
    if row.is_whole:
        cursor.whole_on = clock.local(row.began_at).date()
    if standing.is_red:
        logging.getLogger(__name__).error("reconciliation of %s found differences: %s", gateway.name, row.counts)
    return standing


def note(session: Session, *, run: int, standing: Standing, new: int) -> ReconciliationRun:
    """What a run has found."""
    row = session.get_one(ReconciliationRun, run)
    row.ended_at, row.is_red = clock.now(), standing.is_red
    row.counts = {**standing.counts, "new": new, "missing": standing.missing}
    row.proof = {currency: proof.as_json() for currency, proof in standing.proofs.items()}
    return row
