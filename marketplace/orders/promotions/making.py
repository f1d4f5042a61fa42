"""A new promotion, as a draft: a seller's own for their own goods, all of it theirs to bear; or the province's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from listings.models import Category, Listing
from marketplace.accounts.models import Person
from marketplace.core import clock, ids
from marketplace.core.db import add_row
from marketplace.core.errors import Refusal
from marketplace.core.transitions import leave_trace
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


@dataclass(frozen=True, slots=True)
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
    code = code_of(terms.code) or None
    if code and session.scalar(select(Promotion.id).where(Promotion.code == code)) is not None:
        raise CodeIsTaken(code)
    values = list(dict.fromkeys(terms.scope_values))
    if missing := sorted(set(values) - known(session, terms.scope, values, seller)):
        raise NotThere(missing)
    same = ("name_zh", "name_en", "kind", "budget_fen", "amount_fen", "percent", "most_fen", "threshold_fen", "scope")
    public_id = ids.public_id()
    platform_bps = 0 if seller else terms.platform_bps
    row = {
        "public_id": public_id,
        "book": current_book(),
        "code": code,
        **{name: getattr(terms, name) for name in (*same, "uses_most", "uses_each")},
        "scope_values": values,
        "starts_at": clock.start_of(terms.first_day),
        "ends_at": clock.start_of(terms.last_day + timedelta(days=1)),
        "platform_bps": platform_bps,
        "seller_bps": WHOLE_BPS - platform_bps,
        "seller_public_id": seller or "",
        "made_by": person_id,
    }
    add_row(session, Promotion, row)
    mine = Promotion(public_id=public_id)
    leave_trace(session, mine, None, PromotionState.DRAFT, actor=f"person:{person_id}", why="made")
    return public_id


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
