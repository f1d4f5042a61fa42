"""Who answers for a campaign is told before something is due, and once more when it is late: one message a fact."""

from datetime import date, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.plans.periods import day_of
from crowdfund.campaigns.reports import due, queries
from marketplace.accounts.models import Grant, Person
from marketplace.core import clock
from marketplace.core.formats import language, short_date
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.payments.gateways import current_book, gateways

ROLES: Final = ("charity_officer", "charity_approver")
LATE: Final = "late"
AHEAD: Final = (timedelta(days=14), timedelta(days=3))


def remind(session: Session) -> None:
    """The worker's hourly step; a day begins at nine. Nobody can switch these messages off: money waits for them."""
    home = settings().base_url.rstrip("/")
    for each in due.of(session, Campaign.id.is_not(None)):
        if stage := stage_of(each.due_on):
            late, soon = _("A report on “%(title)s” is overdue"), _("A report on “%(title)s” is due")
            words = (late if stage == LATE else soon) % {"title": each.title_zh}
            what = f"report:{each.campaign}:{each.kind}:{each.due_on}"
            tell(session, each.organisation, f"{what}:{stage}", words, each.due_on, f"{home}/charity/reports")
    if not gateways().chosen:
        return
    for payment in queries.evidence_due(session, None, current_book()):
        if stage := stage_of(payment.due_on):
            late = _("Evidence of a payment of “%(title)s” is overdue")
            soon = _("Evidence of a payment of “%(title)s” is due")
            words = (late if stage == LATE else soon) % {"title": payment.title_zh}
            place = f"{home}/charity/disbursements/{payment.public_id}"
            tell(session, payment.organisation, f"evidence:{payment.public_id}:{stage}", words, payment.due_on, place)


def stage_of(due_on: date) -> str:
    """Which letter is due by now: the last one that is; empty before the first."""
    today = day_of(clock.now())
    if today > due_on:
        return LATE
    near = [ahead.days for ahead in AHEAD if today >= due_on - ahead]
    return str(min(near)) if near else ""


def tell(session: Session, organisation: str, fact: str, words: str, due_on: date, url: str) -> None:
    day = short_date(due_on, language())
    is_late = fact.endswith(LATE)
    rest = (
        _("It was due by %(day)s. Until it is there, the campaign pays nothing out, and everybody reads that: %(url)s")
        if is_late
        else _("by %(day)s. After that day the campaign pays nothing out until it is there: %(url)s")
    )
    text = f"{words}{_(': ')}{rest % {'day': day, 'url': url}}"
    whose = (Grant.role.in_(ROLES), Grant.scope_kind == "organisation", Grant.scope_id == organisation)
    people = select(Person).join(Grant, Grant.person_id == Person.id).where(*whose, Person.is_active)
    for person in session.scalars(people.distinct().order_by(Person.id)):
        if address := person.email or person.phone:
            told: dict[str, Any] = {"fact": f"due_{fact}:{person.public_id}", "address": address, "text": text}
            messages.send(session, **told, person_id=person.id, kind=MessageKind.ACCOUNT)
