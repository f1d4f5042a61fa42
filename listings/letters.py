"""What a seller is told of the station's decisions on their goods, and of the province's: which, and why.

A listener of the outbox. An account does not say which language it reads; who sells here reads Chinese."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core import ids, outbox
from marketplace.core.db import in_transaction
from marketplace.core.languages import DEFAULT, speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.stations.models import Station

DECIDED: Final = "listing.decided"  # the outbox's topic
TEXTS: Final[dict[str, LazyString]] = {
    "published": _l("“%(title)s” is on sale now: %(url)s"),
    "rejected": _l("The station could not put “%(title)s” on sale yet. Reason: %(why)s. Mend it here: %(url)s"),
    "edit_accepted": _l("The station accepted your edit of “%(title)s”: %(url)s"),
    "edit_rejected": _l("The station did not accept your edit of “%(title)s”, so it stays as it was. Reason: %(why)s"),
    "suspended": _l(
        "The province took “%(title)s” off sale. Reason: %(why)s. Mend it and ask to be looked at again here: %(url)s"
    ),
    "kept_off_sale": _l("The province has looked at “%(title)s” again and keeps it off sale. Reason: %(why)s. See: %(url)s"),
    "cleared": _l("“%(title)s” is no longer kept off sale. Reason: %(why)s. See how it stands: %(url)s"),
}
SUSPENSION: Final = "/seller/listings/%s/suspension"
PLACES: Final = {"published": "/listings/%s", "edit_accepted": "/listings/%s"} | dict.fromkeys(
    ("suspended", "kept_off_sale"), SUSPENSION
)
OWN: Final = "/seller/listings/%s"
WELCOME: Final = _l("%(station)s has opened a shop for you. Sign in with this number and list what you grow: %(url)s")


def announce_decision(session: Session, *, code: str, decision: str, why: str = "") -> None:
    """Written with the decision: `decision` is one of TEXTS. Its name makes a fact of it, so that it is told once."""
    outbox.put(session, DECIDED, code=code, decision=decision, why=why, name=ids.public_id())


def decided(*, code: str, decision: str, why: str, name: str) -> None:
    """The listener of DECIDED."""
    in_transaction(tell, code=code, decision=decision, why=why, name=name)


def tell(session: Session, *, code: str, decision: str, why: str, name: str) -> None:
    wanted = select(Listing.title_zh, Person).join(Person, Person.id == Listing.seller_id).where(Listing.code == code)
    title, seller = session.execute(wanted).one()
    url = settings().base_url + PLACES.get(decision, OWN) % code
    with speaking(DEFAULT):
        text = str(TEXTS[decision]) % {"title": title, "why": why, "url": url}
    messages.tell(session, seller, fact=f"listing_{decision}:{name}", text=text, kind=MessageKind.SELLING)


def welcome(session: Session, seller: Person, station: str) -> None:
    """Whom their station has let sell: nobody does so unknown to themselves."""
    name = session.scalars(select(Station.name_zh).where(Station.code == station)).one()
    with speaking(DEFAULT):
        text = str(WELCOME) % {"station": name, "url": settings().base_url + "/seller"}
    messages.tell(session, seller, fact=f"seller_enrolled:{seller.public_id}", text=text, kind=MessageKind.SELLING)
