"""A draft of a promotion, new or changed: a seller's own for their own goods, all theirs to bear; or the province's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from listings.models import Category, Listing
from marketplace.accounts.models import Person
from marketplace.core import audit, clock, ids
from marketplace.core.db import add_row
from marketplace.core.errors import Refusal
from marketplace.core.records import slim_record
from marketplace.core.transitions import leave_trace
from marketplace.orders.promotions import ending
from marketplace.orders.promotions.choosing import code_of
from marketplace.orders.promotions.models import WHOLE_BPS, Promotion
from marketplace.orders.promotions.states import Kind, PromotionState, Scope
from marketplace.payments.gateways import current_book
from marketplace.stations.models import Station


class CodeIsTaken(Refusal):
    status = 422
    message = _l("Another promotion has this code. Please choose a different one.")


class NotThere(Refusal):
    """Something in the scope does not exist, or is not theirs."""

    status = 422
    message = _l("Some of these goods or places are not known. Please check what you entered.")

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(", ".join(missing))
        self.message = _l("Not known here: %(names)s. Please check.", names=", ".join(missing))


class NoDraft(Refusal):
    message = _l("Only a draft can be changed. End this one and make a new one.")


@slim_record
class Terms:
    """Sums in fen; days in Shanxi's calendar, the last one included."""

    name_zh: str
    name_en: str
    code: str
    kind: Kind
    budget_fen: int
    first_day: date
    last_day: date
    amount_fen: int = 0
    percent: int = 0
    most_fen: int | None = None
    threshold_fen: int = 0
    scope: Scope = Scope.ALL
    scope_values: Sequence[str] = ()
    uses_most: int | None = None
    uses_each: int | None = 1
    platform_bps: int = WHOLE_BPS


def make(session: Session, *, terms: Terms, person_id: int, seller: str | None = None) -> str:
    """Returns its public id. `seller`: the public id of whoever makes it for their own goods.

    Raises CodeIsTaken, NotThere."""
    public_id = ids.public_id()
    row = {"public_id": public_id, "book": current_book(), "seller_public_id": seller or "", "made_by": person_id}
    row |= checked(session, terms, seller)
    with refusing_taken_codes(session, terms):
        add_row(session, Promotion, row)
    mine = Promotion(public_id=public_id)
    leave_trace(session, mine, None, PromotionState.DRAFT, actor=f"person:{person_id}", why="made")
    return public_id


def change(session: Session, *, promotion: str, terms: Terms, person_id: int, seller: str | None) -> None:
    """Write a draft anew, which nobody can have used; whoever does that has made it, and does not approve it.

    Raises NotFound, NoDraft, CodeIsTaken, NotThere."""
    row = ending.get(session, promotion, seller=seller)
    if row.state is not PromotionState.DRAFT:
        raise NoDraft(promotion)
    wanted = checked(session, terms, seller, but=row.id)
    with refusing_taken_codes(session, terms):
        for name, value in {**wanted, "made_by": person_id}.items():
            setattr(row, name, value)
        session.flush()
    subject = f"promotion:{promotion}"
    audit.record(session, actor=f"person:{person_id}", action="promotion.changed", subject=subject, fen=row.budget_fen)


@contextmanager
def refusing_taken_codes(session: Session, terms: Terms) -> Iterator[None]:
    """Two may choose the same code at once: the database lets one in."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        raise CodeIsTaken(terms.code) from None


def checked(session: Session, terms: Terms, seller: str | None, *, but: int | None = None) -> dict[str, Any]:
    """The columns that say it. Raises CodeIsTaken, NotThere."""
    code = code_of(terms.code) or None
    if code and session.scalar(select(Promotion.id).where(Promotion.code == code, Promotion.id != (but or 0))) is not None:
        raise CodeIsTaken(code)
    values = list(dict.fromkeys(terms.scope_values))
    if missing := sorted(set(values) - known(session, terms.scope, values, seller)):
        raise NotThere(missing)
    same = ("name_zh", "name_en", "kind", "budget_fen", "amount_fen", "percent", "most_fen", "threshold_fen", "scope")
    platform_bps = 0 if seller else terms.platform_bps
    return {
        "code": code,
        **{name: getattr(terms, name) for name in (*same, "uses_most", "uses_each")},
        "scope_values": values,
        "starts_at": clock.start_of(terms.first_day),
        "ends_at": clock.start_of(terms.last_day + timedelta(days=1)),
        "platform_bps": platform_bps,
        "seller_bps": WHOLE_BPS - platform_bps,
    }


def known(session: Session, scope: Scope, values: Sequence[str], seller: str | None) -> set[str]:
    """Which of these there are; of listings a seller's own alone."""
    if scope is Scope.ALL:
        return set(values)
    columns = {Scope.STATION: Station.code, Scope.SELLER: Person.public_id, Scope.CATEGORY: Category.code}
    if scope is not Scope.LISTINGS:
        return set(session.scalars(select(columns[scope]).where(columns[scope].in_(values))))
    wanted = select(Listing.code).where(Listing.code.in_(values))
    if seller is not None:
        wanted = wanted.join(Person, Person.id == Listing.seller_id).where(Person.public_id == seller)
    return set(session.scalars(wanted))
