"""Whether the worker may reconcile by itself, and whether money may be sent out."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import Refusal, StaleState
from marketplace.payments.reconciliation.models import ReconciliationRun, ReconciliationSwitch


def position(session: Session) -> ReconciliationSwitch | None:
    """The last time it was switched; None where nobody ever did, and it is on."""
    return session.scalar(select(ReconciliationSwitch).order_by(ReconciliationSwitch.id.desc()).limit(1))


def is_on(session: Session) -> bool:
    last = position(session)
    return last is None or last.is_on


def turn(session: Session, *, on: bool, actor: str, why: str) -> None:
    """Stop the worker's runs, or let them begin again. Raises StaleState where it stands like that already."""
    if is_on(session) is on:
        raise StaleState("reconciliation")
    session.add(ReconciliationSwitch(is_on=on, actor=actor, why=why))
    audit.record(session, actor=actor, action="reconciliation.switched", subject="reconciliation", why=why, is_on=on)


class PayoutsAreClosed(Refusal):
    message = _l("Reconciliation has found what nobody can explain yet. Nothing is paid out before that is cleared up.")


def refuse_closed_payouts(session: Session) -> None:
    """Raises PayoutsAreClosed."""
    if not payouts_are_open(session):
        raise PayoutsAreClosed


def payouts_are_open(session: Session) -> bool:
    """False from a run that found what nobody can explain until one that finds nothing of the kind.

    Where no run has ended yet nothing speaks against paying out."""
    return not any(run.is_red for run in last_runs(session))


def last_runs(session: Session) -> list[ReconciliationRun]:
    """The last run of each gateway that has ended and counts."""
    ended = select(ReconciliationRun).where(ReconciliationRun.ended_at.is_not(None), ~ReconciliationRun.is_dry)
    runs: dict[str, ReconciliationRun] = {}
    for run in session.scalars(ended.order_by(ReconciliationRun.id.desc()).limit(50)):
        runs.setdefault(run.gateway, run)
    return list(runs.values())
