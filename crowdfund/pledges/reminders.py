"""What must not be forgotten: the outbox asks again when a time is over, and tells whoever has to know."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import Assignment, ChildCase, Device, Pledge, Programme
from crowdfund.pledges.states import DeviceState as D, PledgeState as P
from crowdfund.pledges.steps import move
from marketplace.accounts.models import Grant, Person
from marketplace.core import audit, clock, outbox
from marketplace.core.db import in_transaction
from marketplace.core.settings import settings
from marketplace.core.transitions import subject_of
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

UNANSWERED: Final = "pledge.unanswered"  # the outbox's topics
UNCOLLECTED: Final = "pledge.uncollected"
CHILD_GONE: Final = "pledge.child_gone"
BANK_HAS: Final = timedelta(days=10)
SILENT: Final = "no word from the bank"  # why a pledge waits for a person
RELATED: Final = "may be related"


def ask_when_unanswered(session: Session, pledge: Pledge) -> None:
    outbox.put(session, UNANSWERED, after=BANK_HAS, pledge=pledge.public_id)


def unanswered(session: Session, *, pledge: str) -> None:
    """Ten days without the bank: the pledge waits for a person of the programme office, and goes no way by itself."""
    row = session.scalar(select(Pledge).where(Pledge.public_id == pledge).with_for_update())
    if row is None or row.state is not P.PROVISIONAL:
        return
    move(session, row, P.PROVISIONAL, P.ON_HOLD, actor="system", why=SILENT)
    words = _("The bank has said nothing about a voucher for ten days. Please decide: %(url)s", url=address("/programme"))
    tell_role(session, "programme_officer", fact=f"unanswered:{pledge}", text=words)


def last_day(arrived: datetime, pickup_days: int) -> date:
    """Until the end of which, in Shanxi, a device may be fetched."""
    return clock.local(arrived).date() + timedelta(days=pickup_days)


def ask_when_uncollected(session: Session, assignment: Assignment, programme: Programme) -> None:
    over = clock.start_of(last_day(clock.now(), programme.pickup_days) + timedelta(days=1))
    outbox.put(session, UNCOLLECTED, after=over - clock.now(), assignment=assignment.public_id)


def uncollected(session: Session, *, assignment: str) -> None:
    """The days of fetching are over and it still lies there: the children's officer calls the guardian."""
    wanted = (
        select(Assignment, ChildCase)
        .join(ChildCase, ChildCase.id == Assignment.case_id)
        .join(Device, Device.id == Assignment.device_id)
        .where(Assignment.public_id == assignment, Assignment.released_at.is_(None), Device.state == D.AT_STATION)
    )
    found = session.execute(wanted.with_for_update(of=Assignment)).first()
    if found is None or found[0].overdue_at is not None:
        return
    found[0].overdue_at = clock.now()
    audit.record(session, actor="system", action="device.uncollected", subject=subject_of(found[1]))
    url = address(f"/children/{found[1].public_id}")
    words = _("A phone-watch was not fetched in time. Please call the guardian: %(url)s", url=url)
    tell_role(session, "children_officer", fact=f"uncollected:{assignment}", text=words)


def child_gone(session: Session, *, pledge: str) -> None:
    """The child of a pledge is no longer on the list: who has an account is told at once, everybody on the page itself."""
    row = session.scalars(select(Pledge).where(Pledge.public_id == pledge)).one()
    saver = session.get(Person, row.saver_id) if row.saver_id else None
    if saver is None or not saver.is_active:
        return
    name, url = row.label["alias_zh"], address(f"/pledges/{row.tracking_code}")
    words = _("%(name)s, whom you chose, is no longer on the list. How it goes on stands here: %(url)s", name=name, url=url)
    tell(session, saver, fact=f"child_gone:{pledge}", text=words)


def tell_role(session: Session, role: str, *, fact: str, text: str) -> None:
    wanted = select(Person).join(Grant, Grant.person_id == Person.id).where(Grant.role == role, Person.is_active)
    for person in session.scalars(wanted.distinct().order_by(Person.id)):
        tell(session, person, fact=f"{fact}:{person.public_id}", text=text)


def tell(session: Session, person: Person, *, fact: str, text: str) -> None:
    where = person.email or person.phone
    if where:
        messages.send(
            session, fact=f"pledge_{fact}", address=where, text=text, person_id=person.id, kind=MessageKind.PLEDGES
        )


def address(path: str) -> str:
    return f"{settings().base_url}{path}"


def hear(command: Callable[..., None]) -> Callable[..., None]:
    """As a listener of the outbox."""
    return partial(in_transaction, command)


LISTENERS: Final = {UNANSWERED: hear(unanswered), UNCOLLECTED: hear(uncollected), CHILD_GONE: hear(child_gone)}
