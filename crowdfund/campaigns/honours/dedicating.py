"""A gift in honour of somebody: its card, and who is told of it.

The card says no more of the giver than the public ledger does, and nothing of the sum. It is there once the gift is, and
as long as something of it stays. An e-mail goes to the honoured person only where the giver asked for it."""

from typing import Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from crowdfund.campaigns import receipts
from crowdfund.campaigns.honours.models import Dedication
from crowdfund.campaigns.models import Campaign, Contribution, Organisation
from crowdfund.campaigns.plans import links
from marketplace.core import clock
from marketplace.core.db import add_rows, in_transaction
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.errors import NotFound
from marketplace.core.formats import in_language
from marketplace.core.languages import speaking
from marketplace.core.records import record
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

TELLS: Final = "gift.card"  # the outbox's topic
ENGLISH: Final = "en"


@record
class Honour:
    """Whom a gift honours; `contact` is their e-mail address where the giver asks us to write there."""

    name: str
    words: str = ""
    contact: str = ""


@record
class Card:
    """What a card says. `giver` is as in the public ledger: empty means anonymous."""

    honoured: str
    words: str
    giver: str
    campaign: str
    kind: str
    title: str
    purpose: str
    organisation: str
    drawings: tuple[str, ...]
    station_code: str
    book: str


def dedicate(session: Session, *, gift: str, honour: Honour) -> None:
    """With the gift itself."""
    row = {"gift": gift, "token_hash": token_hash(card_token(gift)), "honoured": honour.name, "words": honour.words}
    add_rows(session, Dedication, row | {"contact": honour.contact or None, "told_at": None})


def card_token(gift: str) -> str:
    """The secret part of the card's link: nobody finds the gift's own link by it."""
    return fingerprint(gift, "gift.card")


def is_to_be_told() -> ColumnElement[bool]:
    """SQL, beside `contribution`: its card is to be sent."""
    mine = select(Dedication.gift).where(Dedication.gift == Contribution.public_id, Dedication.contact.is_not(None))
    return mine.correlate(Contribution).exists()


def find(session: Session, campaign: str, token: str) -> Card:
    """By the card's secret link. Raises NotFound, alike for every wrong one and while the gift is not there."""
    wanted = (
        select(Dedication, Contribution.shown_as, Contribution.book, Campaign)
        .add_columns(Organisation.name_zh, Organisation.name_en)
        .join(Contribution, Contribution.public_id == Dedication.gift)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .join(Organisation, Organisation.code == Campaign.organisation_code)
        .where(Dedication.token_hash == token_hash(token), Campaign.public_id == campaign)
        .where(Contribution.state == "received")
    )
    row = session.execute(wanted).first()
    if row is None or receipts.fen_that_stayed(session, row.Dedication.gift) <= 0:
        raise NotFound(campaign)
    card, of = row.Dedication, row.Campaign
    return Card(
        honoured=card.honoured,
        words=card.words,
        giver=row.shown_as,
        campaign=campaign,
        kind=of.kind,
        title=in_language(of.title_zh, of.title_en),
        purpose=of.purpose_zh,
        organisation=in_language(row.name_zh, row.name_en),
        drawings=tuple(of.drawings),
        station_code=of.station_code,
        book=row.book,
    )


def of_gift(session: Session, gift: str) -> Dedication | None:
    """For its giver's own page."""
    return session.get(Dedication, gift)


def url_of(campaign: str, gift: str) -> str:
    return f"/campaigns/{campaign}/cards/{card_token(gift)}"


def tell(*, gift: str) -> None:
    """The outbox's listener of TELLS."""
    in_transaction(write, gift=gift)


def write(session: Session, *, gift: str) -> None:
    """Where the card is, in the giver's language, once; nothing of a gift that went back meanwhile. What the giver wrote
    stands on the card alone: no letter of ours carries a stranger's words."""
    wanted = (
        select(Dedication.contact, Contribution.shown_as, Contribution.language, Campaign.public_id)
        .add_columns(Campaign.title_zh, Campaign.title_en)
        .join(Contribution, Contribution.public_id == Dedication.gift)
        .join(Campaign, Campaign.id == Contribution.campaign_id)
        .where(Dedication.gift == gift, Dedication.contact.is_not(None), Dedication.told_at.is_(None))
    )
    row = session.execute(wanted).first()
    if row is None or receipts.fen_that_stayed(session, gift) <= 0:
        return
    with speaking(row.language):
        title = row.title_en if row.language.startswith(ENGLISH) and row.title_en else row.title_zh
        told = {"giver": row.shown_as or _("Somebody who wishes to stay anonymous"), "title": title}
        url = links.absolute(url_of(row.public_id, gift))
        text = _("%(giver)s gave to “%(title)s” in your honour. Your card is here: %(url)s", url=url, **told)
    messages.send(session, fact=f"gift_card:{gift}", address=row.contact, text=text, kind=MessageKind.GIFTS)
    session.execute(update(Dedication).where(Dedication.gift == gift).values(told_at=clock.now()))
