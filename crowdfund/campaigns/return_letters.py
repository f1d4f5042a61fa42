"""Whoever left an address with a gift that goes back is told why, and when it is there, in their own language."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from crowdfund.campaigns import returning
from crowdfund.campaigns.cash import drawers
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.states import CampaignState, ContributionState
from crowdfund.campaigns.thanking import ENGLISH
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.payments.models import Attempt, Refund
from marketplace.stations.models import Station

Words = Callable[[Row[Any], dict[str, str]], str]


def tell(*, refund: str) -> None:
    """The listener of `gift.returned`: it is on its way."""
    in_transaction(write, refund=refund, words=on_its_way, fact="returned")


def did_not_arrive(*, refund: str) -> None:
    """The listener of `gift.not_returned`, perhaps after they were told that it had arrived."""
    in_transaction(write, refund=refund, words=not_there, fact="not_returned")


def arrived(*, purpose: str, reference: str, refund: str) -> None:
    """The listener of `refund.succeeded`, which tells of orders as well: also of money that came too late."""
    if purpose in returning.PURPOSES:
        in_transaction(write, refund=refund, words=there, fact="refunded")


def waits_in_cash(*, gift: str) -> None:
    """The listener of `gift.waits_in_cash`."""
    in_transaction(write_of_cash, gift=gift)


def write_of_cash(session: Session, *, gift: str) -> None:
    """Nothing once it was given back. What is at the bank comes to the drawer first (`banking.depositing`)."""
    wanted = (
        columns()
        .add_columns(Contribution.fen, Station.name_zh, Station.name_en, Station.phone)
        .add_columns(drawers.is_deposited().label("is_at_the_bank"))
        .join(CashGift, CashGift.gift == Contribution.public_id)
        .join(Station, Station.code == CashGift.station_code)
        .where(Contribution.public_id == gift, CashGift.returned_at.is_(None))
    )
    row = session.execute(wanted).first()
    if row is not None and row.is_at_the_bank:
        send(session, row, f"gift_at_the_bank:{gift}", by_way_of_the_bank)
    elif row is not None:
        send(session, row, f"gift_returned:{gift}", over_the_counter)


def write(session: Session, *, refund: str, words: Words, fact: str) -> None:
    wanted = (
        columns()
        .add_columns(Refund.fen)
        .join(Attempt, Attempt.reference == Contribution.public_id)
        .join(Refund, Refund.attempt_id == Attempt.id)
        .where(Refund.public_id == refund)
    )
    row = session.execute(wanted).first()
    if row is not None:
        send(session, row, f"gift_{fact}:{refund}", words)


def columns() -> Any:
    """SQL of gifts whose giver left an address."""
    wanted: Any = select(Contribution.public_id, Contribution.contact, Contribution.person_id, Contribution.language)
    wanted = wanted.add_columns(Campaign.public_id.label("campaign"), Campaign.title_zh, Campaign.title_en, Campaign.state)
    wanted = wanted.add_columns(Contribution.state.label("gift_state"))
    return wanted.join(Campaign, Campaign.id == Contribution.campaign_id).where(Contribution.contact.is_not(None))


def send(session: Session, row: Row[Any], fact: str, words: Words) -> None:
    with speaking(row.language):
        title = row.title_en if row.language.startswith(ENGLISH) and row.title_en else row.title_zh
        url = links.absolute(f"/campaigns/{row.campaign}/gifts/{link_token(row.public_id)}")
        text = words(row, {"sum": yuan(row.fen), "title": title, "url": url})
    about = {"person_id": row.person_id, "kind": MessageKind.GIFTS}
    messages.send(session, fact=fact, address=row.contact, text=text, **about)


def on_its_way(gift: Row[Any], told: dict[str, str]) -> str:
    if gift.state is CampaignState.CANCELLED:
        return str(_("“%(title)s” was called off. Your %(sum)s goes back to where it came from: %(url)s", **told))
    return str(
        _("“%(title)s” was over when the bank released your %(sum)s, so it goes back to where it came from: %(url)s", **told)
    )


def there(gift: Row[Any], told: dict[str, str]) -> str:
    if gift.gift_state is ContributionState.RECEIVED:
        return str(_("Your %(sum)s for “%(title)s” was refunded to where it came from: %(url)s", **told))
    return str(_("Your %(sum)s for “%(title)s” came too late, and was refunded to where it came from: %(url)s", **told))


def not_there(gift: Row[Any], told: dict[str, str]) -> str:
    return str(
        _(
            "“%(title)s”: your %(sum)s did not arrive where it was sent back to. We look into it and send it again: %(url)s",
            **told,
        )
    )


def over_the_counter(gift: Row[Any], told: dict[str, str]) -> str:
    words = _(
        "“%(title)s” was called off. Your %(sum)s waits for you in cash at %(station)s, %(phone)s: %(url)s",
        **at_station(gift),
        **told,
    )
    return str(words)


def by_way_of_the_bank(gift: Row[Any], told: dict[str, str]) -> str:
    words = _(
        "“%(title)s” was called off. Your %(sum)s in cash was paid into the bank and comes back to %(station)s, %(phone)s. "
        "We write once it is there: %(url)s",
        **at_station(gift),
        **told,
    )
    return str(words)


def at_station(gift: Row[Any]) -> dict[str, str]:
    return {"station": gift.name_en if gift.language.startswith(ENGLISH) else gift.name_zh, "phone": gift.phone}
