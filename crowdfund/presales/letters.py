"""What backers and sellers are told, in their own language, each fact once."""

from collections.abc import Callable
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import delivering, grace, releasing, returning, reviewing
from crowdfund.presales.backing import CONFIRMED, PURPOSE, link_token
from crowdfund.presales.models import Backing, Presale
from crowdfund.presales.states import BackingState as B, PresaleState as P
from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.formats import full_date, yuan
from marketplace.core.languages import speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.models import RefundLine
from marketplace.payments.models import Refund

ENGLISH: Final = "en"


def confirmed(*, backing: str) -> None:
    """The listener of `backing.confirmed`."""
    in_transaction(write, backing=backing, fact="confirmed")


def succeeded(*, backing: str) -> None:
    """The listener of `backing.succeeded`."""
    in_transaction(write, backing=backing, fact="succeeded")


def returned(*, backing: str) -> None:
    """The listener of `backing.returned`."""
    in_transaction(write, backing=backing, fact="returned")


def asked(*, backing: str) -> None:
    """The listener of `backing.asked`."""
    in_transaction(write, backing=backing, fact="asked")


def refunded(*, purpose: str, reference: str, refund: str) -> None:
    """The listener of `refund.succeeded`: of a place, not of an order that it became."""
    if purpose == PURPOSE:
        in_transaction(write_refunded, backing=reference, refund=refund)


def write_refunded(session: Session, *, backing: str, refund: str) -> None:
    if session.scalar(select(RefundLine.refund_public_id).where(RefundLine.refund_public_id == refund).limit(1)) is None:
        fen = session.scalars(select(Refund.fen).where(Refund.public_id == refund)).one()
        write(session, backing=backing, fact="refunded", of=refund, fen=fen)


def write(session: Session, *, backing: str, fact: str, of: str = "", fen: int = 0) -> None:
    """`of`: the refund that is told of, and its `fen`; else all of the place."""
    wanted = select(Backing, Presale).join(Presale, Presale.id == Backing.presale_id).where(Backing.public_id == backing)
    row, presale = session.execute(wanted).one()
    if fact == "asked" and (row.state is not B.CONFIRMED or row.answered_at is not None):
        return  # said meanwhile
    with speaking(row.language):
        is_english = row.language.startswith(ENGLISH)
        title = presale.title_en if is_english and presale.title_en else presale.title_zh
        told = {"title": title, "sum": yuan(fen or row.fen), "url": url_of(presale.public_id, backing)}
        text = words(
            why_back(row, presale) if fact == "returned" else fact,
            told | {"day": full_date(grace.last_day(presale), ENGLISH if is_english else "zh")},
        )
    about: dict[str, Any] = {"person_id": row.person_id, "kind": MessageKind.ORDERS}
    messages.send(session, fact=f"backing_{fact}:{of or backing}", address=row.contact, text=text, **about)


def words(fact: str, told: dict[str, str]) -> str:
    if fact == "confirmed":
        return str(
            _("Your place in “%(title)s” is paid: %(sum)s. If it falls short, you get everything back. %(url)s", **told)
        )
    if fact == "succeeded":
        return str(_("“%(title)s” has reached its goal. Tell us where to send yours: %(url)s", **told))
    if fact == "asked":
        return str(
            _(
                "The harvest of “%(title)s” is in, but we do not know where to send yours. Say so by %(day)s: "
                "after that your %(sum)s goes back. %(url)s",
                **told,
            )
        )
    if fact == "refunded":
        return str(_("Your %(sum)s for “%(title)s” was refunded to where it came from: %(url)s", **told))
    return back(fact, told)


def why_back(row: Backing, presale: Presale) -> str:
    if presale.state is P.FAILED:
        return "fell_short"
    if presale.state in (P.LIVE, P.WAITING_FUNDS, P.SUCCESSFUL):  # its buyer's own choice
        return "returned"
    return "not_sent" if row.answered_at else "never_asked_for"


def back(why: str, told: dict[str, str]) -> str:
    if why == "fell_short":
        return str(_("“%(title)s” fell short. Your %(sum)s goes back to where it came from. %(url)s", **told))
    if why == "not_sent":
        return str(_("“%(title)s” was not sent in time. Your %(sum)s goes back to where it came from. %(url)s", **told))
    if why == "never_asked_for":
        return str(
            _(
                "Nobody told us where to send yours of “%(title)s”. Your %(sum)s goes back to where it came from. %(url)s",
                **told,
            )
        )
    return str(_("Your %(sum)s for “%(title)s” goes back to where it came from. %(url)s", **told))


def url_of(presale: str, backing: str) -> str:
    return f"{settings().base_url.rstrip('/')}/presales/{presale}/backings/{link_token(backing)}"


def reviewed(*, presale: str) -> None:
    """The listener of `presale.reviewed`: its seller is told."""
    in_transaction(tell_seller, presale=presale)


def tell_seller(session: Session, *, presale: str) -> None:
    row = session.scalars(select(Presale).where(Presale.public_id == presale)).one()
    with speaking("zh_CN"):
        if row.state is P.REJECTED:
            text = _("The station did not open your presale “%(title)s”. Why stands on its page.", title=row.title_zh)
        else:
            text = _("Your presale “%(title)s” is open.", title=row.title_zh)
    person = session.get_one(Person, row.seller_id)
    messages.tell(session, person, fact=f"presale_reviewed:{presale}", text=text, kind=MessageKind.SELLING)


LISTENERS: Final[dict[str, Callable[..., None]]] = {
    CONFIRMED: confirmed,
    releasing.SUCCEEDED: succeeded,
    delivering.ASKED: asked,
    returning.TOLD: returned,
    reviewing.REVIEWED: reviewed,
}
