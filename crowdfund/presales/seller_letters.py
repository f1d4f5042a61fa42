"""What a seller is told of their presale, each turn once: reached or short, the harvest, and how it ended."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import grace
from crowdfund.presales.models import Presale
from crowdfund.presales.states import PresaleState as P
from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.formats import full_date
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

WORDS: Final[dict[P, LazyString]] = {
    P.SUCCESSFUL: _l(
        "Your presale “%(title)s” has reached its goal. All of it has to leave your station by %(day)s, else it is refunded."
    ),
    P.FAILED: _l("Your presale “%(title)s” fell short of its goal. Everybody gets everything back; you owe nothing."),
    P.DELIVERING: _l(
        "The harvest of “%(title)s” is in, and its orders are with your station. What has not left by %(day)s is refunded."
    ),
    P.DEFAULTED: _l("Not all of your presale “%(title)s” was sent in time. What was not sent goes back to its buyers."),
    P.CLOSED: _l(
        "Nothing of your presale “%(title)s” is left to be sent. Each parcel is paid to you once its buyer has it."
    ),
}


def moved(*, presale: str, state: str, at: str) -> None:
    """The listener of `presale.moved`."""
    if P(state) in WORDS:
        in_transaction(tell, presale=presale, state=P(state))


def tell(session: Session, *, presale: str, state: P) -> None:
    row = session.scalars(select(Presale).where(Presale.public_id == presale)).one()
    with speaking("zh_CN"):
        text = str(WORDS[state] % {"title": row.title_zh, "day": full_date(grace.last_day(row), "zh")})
    person = session.get_one(Person, row.seller_id)
    messages.tell(session, person, fact=f"presale_{state}:{presale}", text=text, kind=MessageKind.SELLING)
