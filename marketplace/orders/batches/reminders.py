"""Nothing is paid by itself: who pays is told, once a week, what could be paid, and once of a batch that lies about."""

from datetime import timedelta
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Grant, Person
from marketplace.core import clock
from marketplace.core.formats import yuan
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.batches import queries
from marketplace.orders.batches.models import SettlementBatch
from marketplace.orders.batches.states import BatchState as B
from marketplace.payments.gateways import current_book, gateways

ROLE: Final = "finance_operator"
WAITS: Final = timedelta(days=1)  # for approval, or to be sent
UNANSWERED: Final = timedelta(days=3)  # by the bank


def remind(session: Session) -> None:
    """The worker's hourly step: each fact is told to each of them once."""
    if not gateways().chosen:
        return
    ready = sum(each.ready_fen for each in queries.stations_owed(session, current_book()))
    url = f"{settings().base_url}/operator/settlements"
    if ready:
        week = clock.today().strftime("%G-W%V")
        words = _("%(sum)s can be paid out to stations and sellers: %(url)s", sum=yuan(ready), url=url)
        tell(session, fact=f"settlement:{week}", text=words)
    for batch in left_lying(session):
        tell(session, fact=f"settlement:{batch}", text=_("A batch is waiting for somebody: %(url)s", url=f"{url}/{batch}"))


def left_lying(session: Session) -> list[str]:
    now = clock.now()
    is_idle = SettlementBatch.state.in_((B.DRAFTED, B.APPROVED)) & (SettlementBatch.drafted_at <= now - WAITS)
    is_unanswered = (SettlementBatch.state == B.SENT) & (SettlementBatch.sent_at <= now - UNANSWERED)
    found = select(SettlementBatch.public_id).where(or_(is_idle, is_unanswered)).order_by(SettlementBatch.id)
    return list(session.scalars(found))


def tell(session: Session, *, fact: str, text: str) -> None:
    payers = select(Person).join(Grant, Grant.person_id == Person.id).where(Grant.role == ROLE, Person.is_active)
    for person in session.scalars(payers.distinct().order_by(Person.id)):
        if address := person.email or person.phone:
            told = {"fact": f"{fact}:{person.public_id}", "address": address, "text": text}
            messages.send(session, **told, person_id=person.id, kind=MessageKind.SELLING)
