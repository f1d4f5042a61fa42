"""Movements are kept once and judged; where the books lag behind, the gateway is asked, as a webhook would have us do."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction, insert_or_ignore
from marketplace.payments import elsewhere, outcomes
from marketplace.payments.disputes import following
from marketplace.payments.gateway_news import Movement
from marketplace.payments.gateways import GatewayError, PaymentGateway
from marketplace.payments.reconciliation import converting, fees
from marketplace.payments.reconciliation.matching import judge
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.states import CHARGES, DISPUTES, REFUNDS, RETURNED, Verdict

FIGURES: Final = ("type", "gross", "fee", "net", "currency", "presented", "presented_currency", "rate")


def take_in(session: Session, *, gateway: PaymentGateway, page: Sequence[Movement]) -> int:
    """Keep what is new of a page, its fee with it; returns how many. What is told otherwise than before is judged anew."""
    return sum(keep(session, gateway, movement) for movement in page)


def keep(session: Session, gateway: PaymentGateway, movement: Movement) -> bool:
    is_new = insert_or_ignore(session, GatewayMovement, unjudged(gateway, movement))
    mine = select(GatewayMovement).where(GatewayMovement.gateway == gateway.name)
    row = session.scalars(mine.where(GatewayMovement.remote_id == movement.remote_id).with_for_update()).one()
    if is_new:
        fees.book_fee(session, row)
        decide(session, row, pays_out=gateway.pays_out)
    elif any(getattr(row, name) != getattr(movement, name) for name in FIGURES):
        for name in FIGURES:
            setattr(row, name, getattr(movement, name))
        decide(session, row, pays_out=gateway.pays_out)
    return is_new


def unjudged(gateway: PaymentGateway, movement: Movement) -> dict[str, Any]:
    """The columns of a movement that nobody has looked at."""
    whose = {"gateway": gateway.name, "book": gateway.book, "known_as": movement.source_id}
    return asdict(movement) | whose | {"verdict": Verdict.WAITING}


def decide(session: Session, row: GatewayMovement, *, pays_out: bool) -> Verdict:
    session.flush()
    found = judge(session, row, pays_out=pays_out)
    row.verdict, row.matched_entry, row.note = found.verdict, found.entry, found.note
    if row.verdict is Verdict.MATCHED:
        converting.book_conversion(session, row)
    return row.verdict


def look_at(gateway: PaymentGateway, movement: int) -> None:
    """Judge one again; where the books do not have it, have the gateway tell what it is about, and judge it once more.

    Outside any transaction."""
    if in_transaction(judge_again, movement=movement, pays_out=gateway.pays_out) is Verdict.MATCHED:
        return
    kind, source = in_transaction(source_of, movement=movement)
    try:
        known_as = ask_about(gateway, kind, source)
    except (GatewayError, outcomes.Unmatched) as error:
        logging.getLogger(__name__).warning("movement %s of %s: %r", movement, gateway.name, error)
    except Exception:
        logging.getLogger(__name__).exception("movement %s of %s", movement, gateway.name)
    else:
        in_transaction(judge_again, movement=movement, pays_out=gateway.pays_out, known_as=known_as)


def judge_again(session: Session, *, movement: int, pays_out: bool, known_as: str = "") -> Verdict:
    row = session.get_one(GatewayMovement, movement, with_for_update=True)
    row.known_as = known_as or row.known_as
    return decide(session, row, pays_out=pays_out)


def source_of(session: Session, *, movement: int) -> tuple[str, str]:
    row = session.get_one(GatewayMovement, movement)
    return row.type, row.source_id


def ask_about(gateway: PaymentGateway, kind: str, source: str) -> str:
    """The ordinary way of a payment or refund, never a posting of our own; returns the id under which we know it.

    Raises Unmatched, and GatewayError where there is no answer."""
    if kind in CHARGES:
        paid = gateway.fetch_payment(source)
        in_transaction(outcomes.apply_payment, remote=paid, gateway=gateway.name, why="reconciliation")
        return paid.remote_id
    if kind in REFUNDS | RETURNED:
        back = gateway.fetch_refund(source)
        of = elsewhere.payment_of(gateway, back)
        in_transaction(elsewhere.apply, remote=back, payment=of, gateway=gateway.name, why="reconciliation")
    if kind in DISPUTES:
        told = gateway.fetch_dispute(source)
        in_transaction(following.apply, remote=told, gateway=gateway.name, why="reconciliation")
    return source
