"""What the front page says of lending a hand: one campaign, one harvest sold ahead, the devices that banks promised, the
last rows of the public ledger."""

from typing import Final

from sqlalchemy.orm import Session

from crowdfund.campaigns import ledger_rows, queries as campaigns
from crowdfund.campaigns.ledger_rows import Asked, ShownRow
from crowdfund.campaigns.queries import Card
from crowdfund.pledges import queries as pledges
from crowdfund.presales import queries as presales
from crowdfund.presales.queries import Card as Presale
from marketplace.core.records import record
from marketplace.payments.gateways import current_book

ROWS: Final = 5


@record
class Devices:
    """What partners promised in all programmes together, and how much of it children have."""

    promised: int
    handed_over: int
    directed: int


@record
class Helping:
    """Each part is empty where there is nothing to say."""

    campaign: Card | None
    presale: Presale | None
    devices: Devices | None
    rows: tuple[ShownRow, ...]


def helping(session: Session) -> Helping:
    """The campaign and the presale that end first of those that are open."""
    open_now = [card for card in campaigns.group(session, "donation").open if card.is_open]
    page = ledger_rows.page(session, Asked(), book=current_book(), size=ROWS)
    latest = [*page.waiting, *page.rows]
    return Helping(open_now[0] if open_now else None, first_presale(session), devices(session), tuple(latest[:ROWS]))


def first_presale(session: Session) -> Presale | None:
    return next((card for card in presales.live(session) if card.is_open), None)


def devices(session: Session) -> Devices | None:
    running = pledges.programmes(session)
    if not running:
        return None
    return Devices(
        promised=sum(each.quota for each in running),
        handed_over=sum(each.handed_over for each in running),
        directed=sum(each.claimed for each in running),
    )
