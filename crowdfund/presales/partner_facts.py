"""What partners' machines hear of presales: how one stands is for whoever asked; of a place hear its buyer, the seller, the
station and the province, by public names alone."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales.models import Backing, Presale, PresaleTier
from crowdfund.presales.states import PUBLIC, PresaleState as P
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.notifications.endpoints import EventKind as K
from marketplace.notifications.publishing import Audience, is_anybody_listening, publish

EVERYBODY: Final = Audience(is_public=True)
OVER: Final = frozenset({P.FAILED, P.CLOSED, P.DEFAULTED})
NEWS: Final = "news:"


def presale_moved(*, presale: str, state: str, at: str) -> None:
    """The listener of `presale.moved`."""
    now = P(state)
    kind = K.PRESALE_OPENED if now is P.LIVE else K.PRESALE_CLOSED if now in OVER else K.PRESALE_UPDATED
    if now in PUBLIC:
        in_transaction(tell_of_presale, kind=kind, presale=presale, what=state, at=at)


def presale_told(*, presale: str, update: str, at: str) -> None:
    """The listener of `presale.told`: it has news."""
    in_transaction(tell_of_presale, kind=K.PRESALE_UPDATED, presale=presale, what=f"{NEWS}{update}", at=at)


def place_confirmed(*, backing: str) -> None:
    """The listener of `backing.confirmed`: it is paid."""
    in_transaction(tell_of_place, kind=K.PLACE_CONFIRMED, backing=backing, state="confirmed")


def place_ordered(*, backing: str) -> None:
    """The listener of `backing.ordered`."""
    in_transaction(tell_of_place, kind=K.PLACE_ORDERED, backing=backing, state="ordered")


def place_returned(*, backing: str) -> None:
    """The listener of `backing.returned`: its money goes back."""
    in_transaction(tell_of_place, kind=K.PLACE_REFUNDED, backing=backing, state="refunded")


def tell_of_presale(session: Session, *, kind: K, presale: str, what: str, at: str) -> None:
    if not is_anybody_listening(session):
        return
    row = session.scalars(select(Presale).where(Presale.public_id == presale)).one()
    is_news = what.startswith(NEWS)
    data: dict[str, Any] = {
        "presale": presale,
        "state": row.state.value if is_news else what,
        "county_code": row.station_code,
    }
    data |= {"update": what.removeprefix(NEWS) if is_news else None, "is_demo": row.is_demo}
    told: dict[str, Any] = {"fact": f"{kind}:{presale}:{what}:{at}", "at": datetime.fromisoformat(at)}
    publish(session, kind=kind, audience=EVERYBODY, data=data, **told)


def tell_of_place(session: Session, *, kind: K, backing: str, state: str) -> None:
    if not is_anybody_listening(session):
        return
    wanted = select(Backing, Presale, PresaleTier.public_id.label("tier")).join(Presale, Presale.id == Backing.presale_id)
    wanted = wanted.join(PresaleTier, PresaleTier.id == Backing.tier_id).where(Backing.public_id == backing)
    row, presale, tier = session.execute(wanted).one()
    people = {presale.seller_id} | ({row.person_id} if row.person_id is not None else set())
    data: dict[str, Any] = {"place": backing, "presale": presale.public_id, "tier": tier, "state": state, "fen": row.fen}
    data |= {"currency": row.currency, "is_test": row.book == "test"}
    data |= {"order": row.order_number if kind is K.PLACE_ORDERED else None}
    audience = Audience(frozenset(people), frozenset({presale.station_code}))
    publish(session, kind=kind, fact=f"{kind}:{backing}", at=clock.now(), audience=audience, data=data)
