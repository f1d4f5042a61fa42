"""When a year is over in Shanxi, whoever wants one receipt for it gets that one; the gifts' own are voided.

What joins a year later (a guest's gift that is claimed, a refund that came back) makes its receipt anew."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ReceiptState
from crowdfund.campaigns.yearly import issuing
from crowdfund.campaigns.yearly.models import YearlyChoice
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import Columns
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

LET_ARRIVE: Final = timedelta(minutes=10)  # what was received in the last second may not be committed at midnight


def close_one_due(session: Session) -> bool:
    """One giver's year with one organisation; True if one was due."""
    over = clock.start_of(date(clock.local(clock.now() - LET_ARRIVE).year, 1, 1))
    first = session.execute(due(over).limit(1)).first()
    if first is None:
        return False
    year = clock.local(first.received_at).year
    mine: dict[str, Any] = {"person": first.person_id, "organisation": first.organisation_code, "book": first.book}
    gifts = gifts_of(session, over=over, year=year, **mine)
    if gifts:
        number = issuing.bring_together(session, year=year, gifts=gifts, **mine)
        tell(session, person=first.person_id, year=year, number=number)
    return True


def due(over: datetime) -> Columns:
    """SQL: gifts received before `over` that stand on receipts of their own, though their givers want one a year."""
    mine = select(Contribution.id, Contribution.person_id, Contribution.book, Contribution.received_at)
    mine = mine.add_columns(Campaign.organisation_code).join(Campaign, Campaign.id == Contribution.campaign_id)
    mine = mine.join(YearlyChoice, YearlyChoice.person_id == Contribution.person_id)
    mine = mine.join(Receipt, Receipt.contribution_id == Contribution.id).where(Receipt.state == ReceiptState.ISSUED)
    mine = mine.where(Contribution.received_at >= YearlyChoice.since, Contribution.received_at < over)
    return mine.order_by(Contribution.id)


def gifts_of(session: Session, *, person: int, organisation: str, book: str, over: datetime, year: int) -> Sequence[int]:
    """Those of one giver, organisation and year, locked; one that goes back at this moment is waited for, and left out."""
    here = due(min(over, clock.start_of(date(year + 1, 1, 1)))).where(Contribution.person_id == person)
    here = here.where(Contribution.book == book, Campaign.organisation_code == organisation)
    here = here.where(Contribution.received_at >= clock.start_of(date(year, 1, 1)))
    found = session.scalars(here.with_for_update(of=Contribution, key_share=True)).all()
    valid = select(Receipt.contribution_id).where(Receipt.contribution_id.in_(found), Receipt.state == ReceiptState.ISSUED)
    still = set(session.scalars(valid))
    return [gift for gift in found if gift in still]


def tell(session: Session, *, person: int, year: int, number: str) -> None:
    """In the language in which they gave last."""
    giver = session.get_one(Person, person)
    receipt = session.scalars(select(Receipt).where(Receipt.public_id == number)).one()
    spoken = select(Contribution.language).where(Contribution.person_id == person).order_by(Contribution.id.desc()).limit(1)
    with speaking(session.scalars(spoken).one()):
        url = links.absolute(f"/account/gifts/years/{year}")
        told = {"year": year, "number": number, "sum": yuan(receipt.fen), "url": url}
        text = _(
            "Your receipt for %(year)s is ready: %(number)s, %(sum)s. It takes the place of those that its gifts stood on "
            "until now. All gifts of the year: %(url)s",
            **told,
        )
    messages.tell(session, giver, fact=f"yearly_receipt:{number}", text=text, kind=MessageKind.GIFTS)
