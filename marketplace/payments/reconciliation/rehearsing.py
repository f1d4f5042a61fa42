"""A dry run: everything that a run would find, found by the same code in a transaction that is undone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.payments.gateway_news import Movement
from marketplace.payments.gateways import GatewayError, PaymentGateway
from marketplace.payments.models import Attempt
from marketplace.payments.reconciliation import running
from marketplace.payments.reconciliation.models import GatewayMovement, ReconciliationRun
from marketplace.payments.reconciliation.proof import Standing, prove
from marketplace.payments.reconciliation.states import CHARGES
from marketplace.payments.reconciliation.taking_in import decide, take_in


class Rehearsed(Exception):
    """The end of a rehearsal, which undoes it."""

    def __init__(self, standing: Standing) -> None:
        super().__init__("rehearsed")
        self.standing = standing


def rehearse(gateway: PaymentGateway, *, actor: str, whole: bool = False, tell: running.Tell = running.silent) -> Standing:
    """What `reconcile` would find. Nothing is booked, and the gateway is told nothing; only the run itself is noted.

    Outside any transaction. What is new is held in memory. Raises GatewayError where the gateway does not answer."""
    run = in_transaction(running.begin, gateway=gateway.name, actor=actor, whole=whole, dry=True)
    new = {movement.remote_id: movement for movement in unseen(gateway, run.since, tell)}
    held = gateway.balance()
    new |= {movement.remote_id: movement for movement in unseen(gateway, run.began_at - running.CLOCKS_DIFFER, tell)}
    movements = sorted(new.values(), key=lambda movement: (movement.at, movement.remote_id))
    known_as = {movement.remote_id: name_of(gateway, movement) for movement in movements}
    try:
        in_transaction(play, run=run.id, gateway=gateway, movements=movements, known_as=known_as, held=held)
    except Rehearsed as over:
        in_transaction(running.note, run=run.id, standing=over.standing, new=len(movements))
        return over.standing
    raise AssertionError("unreachable")


def unseen(gateway: PaymentGateway, since: datetime, tell: running.Tell) -> Iterator[Movement]:
    for page in running.pages(gateway.movements(since)):
        known = in_transaction(ids_we_have, gateway=gateway.name, page=page)
        tell(f"movements up to {page[-1].at:%Y-%m-%d %H:%M} read")
        yield from (movement for movement in page if movement.remote_id not in known)


def ids_we_have(session: Session, *, gateway: str, page: Sequence[Movement]) -> set[str]:
    wanted = select(GatewayMovement.remote_id).where(GatewayMovement.gateway == gateway)
    return set(session.scalars(wanted.where(GatewayMovement.remote_id.in_([movement.remote_id for movement in page]))))


def name_of(gateway: PaymentGateway, movement: Movement) -> str:
    """The id under which we know what it was made for; the gateway is asked where that is none of ours."""
    if movement.type not in CHARGES or in_transaction(is_known, gateway=gateway.name, remote_id=movement.source_id):
        return movement.source_id
    try:
        return gateway.fetch_payment(movement.source_id).remote_id
    except GatewayError:
        return movement.source_id


def is_known(session: Session, *, gateway: str, remote_id: str) -> bool:
    mine = select(Attempt.id).where(Attempt.gateway == gateway, Attempt.remote_id == remote_id)
    return session.scalar(mine) is not None


def play(
    session: Session,
    *,
    run: int,
    gateway: PaymentGateway,
    movements: Sequence[Movement],
    known_as: Mapping[str, str],
    held: dict[str, int],
) -> None:
    """Raises Rehearsed, always."""
    before, _last = running.net_so_far(session, gateway=gateway.name)
    moved = [(movement.currency, movement.net) for movement in movements]
    gap = {currency: running.gap_of(currency, held, before, moved) for currency in held.keys() | before.keys()}
    take_in(session, gateway=gateway, page=movements)
    everything, last = session.get_one(ReconciliationRun, run).is_whole, 0
    while ids := running.ids_to_judge(session, gateway=gateway.name, everything=everything, after=last):
        for row in session.scalars(select(GatewayMovement).where(GatewayMovement.id.in_(ids))):
            row.known_as = known_as.get(row.remote_id, row.known_as)
            decide(session, row, pays_out=gateway.pays_out)
        last = ids[-1]
    raise Rehearsed(prove(session, gateway, gap=gap))
