"""Which promotions an order has: the best of those that come by themselves, and the one whose code was typed, beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from listings.models import Category
from marketplace.core import clock
from marketplace.core.db import Instant
from marketplace.core.encryption import fingerprint
from marketplace.core.errors import Refusal
from marketplace.core.formats import language, short_date, yuan
from marketplace.core.forms import tidy
from marketplace.orders.institutions.models import AccountOrder, Institution, InstitutionMember
from marketplace.orders.models import Order
from marketplace.orders.promotions import reducing
from marketplace.orders.promotions.models import Promotion, PromotionUse
from marketplace.orders.promotions.reducing import Rule
from marketplace.orders.promotions.states import PromotionState as S, Scope, UseState
from marketplace.orders.quoting import Quote, Reduction
from marketplace.orders.shipping import TooHeavy
from marketplace.payments.gateways import current_book

LONGEST_CODE: Final = 24


class CouponRefused(Refusal):
    """Said by the code's field."""

    status = 422
    message = _l("We do not know this code. Please check it.")


class NotYet(CouponRefused):
    def __init__(self, starts_at: datetime) -> None:
        super().__init__()
        self.message = _l("This code can be used from %(day)s on.", day=short_date(clock.local(starts_at), language()))


class Over(CouponRefused):
    message = _l("This code is no longer valid.")


class NotForThese(CouponRefused):
    message = _l("This code is not for the goods in your cart.")


class BelowThreshold(CouponRefused):
    def __init__(self, missing_fen: int) -> None:
        super().__init__()
        self.message = _l("Buy %(sum)s more of the goods it is for, then this code can be used.", sum=yuan(missing_fen))


class UsedUp(CouponRefused):
    message = _l("This code has been used up.")


class UsedByYou(CouponRefused):
    message = _l("You have used this code already.")


class UsedByInstitution(UsedByYou):
    message = _l("Your institution has used this code already.")


class TakesNothingOff(CouponRefused):
    message = _l("This code takes nothing more off this order.")


@dataclass(frozen=True, slots=True)
class Buyer:
    """By whom uses are counted: the account, the phone number, whichever is known; or the institution on whose account it
    is, whoever of its people orders and whatever they order for themselves. Who is none of its people, learns nothing of
    what it used."""

    person_id: int | None
    phone: str = ""
    institution: str = ""

    @property
    def is_known(self) -> bool:
        return self.person_id is not None or bool(self.phone or self.institution)

    @property
    def used_already(self) -> "UsedByYou":
        return UsedByInstitution() if self.institution else UsedByYou()

    def orders(self) -> ColumnElement[bool]:
        """SQL about an order beside its row of an account, if it has one: it is this buyer's."""
        if self.institution:
            member = exists().where(InstitutionMember.institution_id == Institution.id)
            is_theirs = member.where(InstitutionMember.person_id == self.person_id)
            return (Institution.public_id == self.institution) & is_theirs
        theirs = [Order.buyer_id == self.person_id] if self.person_id is not None else []
        if self.phone:
            theirs.append(Order.phone_fingerprint == fingerprint(self.phone, "order.phone"))
        return or_(*theirs) & Institution.id.is_(None)


def reduced(session: Session, quoted: Quote, *, code: str, buyer: Buyer) -> Quote:
    """The quote with what comes off it. Raises CouponRefused; without a code nothing.

    What cannot be ordered as it stands is not reduced."""
    if quoted.has_trouble or not quoted.parcels:
        return quoted
    try:
        return with_promotions(session, quoted, code_of(code), buyer)
    except TooHeavy:
        return quoted


def with_promotions(session: Session, quoted: Quote, wanted: str, buyer: Buyer) -> Quote:
    """Raises CouponRefused, TooHeavy."""
    known = found(session, wanted)
    automatic = reducing.best(usable(session, (row for row in known if row.code is None), buyer), quoted)
    quoted = reducing.reduced(quoted, automatic) if automatic else quoted
    if not wanted:
        return quoted
    coupon = next((row for row in known if row.code == wanted), None)
    if coupon is None or coupon.state in {S.DRAFT, S.SUBMITTED}:
        raise CouponRefused(wanted)
    return reducing.reduced(quoted, reduction_of(session, coupon, quoted, buyer))


def code_of(typed: str) -> str:
    """As codes are kept: upper case, nothing between the letters."""
    return "".join(tidy(typed).upper().split())[:LONGEST_CODE]


def reduction_of(session: Session, coupon: Promotion, quoted: Quote, buyer: Buyer) -> Reduction:
    """What this coupon takes off, or why nothing. Raises CouponRefused, TooHeavy."""
    now = clock.now()
    if coupon.state is S.LIVE and now < coupon.starts_at:
        raise NotYet(coupon.starts_at)
    if coupon.state is S.ENDED and coupon.spent_fen and coupon.ends_at > now:
        raise UsedUp(coupon.code)
    if coupon.state is not S.LIVE or now >= coupon.ends_at:
        raise Over(coupon.code)
    (rule,) = rules(session, [coupon])
    goods_fen = rule.goods_fen(quoted)
    if not goods_fen:
        raise NotForThese(coupon.code)
    if goods_fen < coupon.threshold_fen:
        raise BelowThreshold(coupon.threshold_fen - goods_fen)
    if coupon.uses_most is not None and coupon.uses >= coupon.uses_most:
        raise UsedUp(coupon.code)
    if is_used_by(session, coupon.id, coupon.uses_each, buyer):
        raise buyer.used_already
    made = reducing.reduction(rule, quoted)
    if not made.fen:
        raise TakesNothingOff(coupon.code)
    if made.fen > rule.left_fen:
        raise UsedUp(coupon.code)
    return made


def found(session: Session, code: str) -> Sequence[Promotion]:
    """What comes by itself now, and the one of this code, whatever its state: one statement."""
    asked = {"book": current_book(), "now": clock.now()} | ({"typed": code} if code else {})
    return session.scalars(running(bool(code)), asked).all()


@cache
def running(with_code: bool) -> Select[Promotion]:
    """SQL, prepared once: every look at a cart asks it."""
    now = bindparam("now", type_=Instant)
    by_itself = Promotion.code.is_(None) & (Promotion.state == S.LIVE)
    by_itself &= (Promotion.starts_at <= now) & (Promotion.ends_at > now)
    wanted = select(Promotion).where(Promotion.book == bindparam("book"))
    wanted = wanted.where(or_(by_itself, Promotion.code == bindparam("typed")) if with_code else by_itself)
    return wanted.order_by(Promotion.id).execution_options(populate_existing=True)


def usable(session: Session, rows: Iterable[Promotion], buyer: Buyer) -> list[Rule]:
    """Those that are not used up, nor by this buyer."""
    there = [row for row in rows if row.uses_most is None or row.uses < row.uses_most]
    return rules(session, [row for row in there if not is_used_by(session, row.id, row.uses_each, buyer)])


def is_used_by(session: Session, promotion: int, uses_each: int | None, buyer: Buyer, *, but: str = "") -> bool:
    """Whether this buyer has had it as often as anyone may; `but`: an order that does not count."""
    if uses_each is None or not buyer.is_known:
        return False
    counted = select(func.count(PromotionUse.id)).join(Order, Order.number == PromotionUse.order_number)
    counted = counted.outerjoin(AccountOrder, AccountOrder.order_id == Order.id)
    counted = counted.outerjoin(Institution, Institution.id == AccountOrder.institution_id)
    counted = counted.where(PromotionUse.promotion_id == promotion, PromotionUse.state != UseState.RETURNED)
    return int(session.scalar(counted.where(buyer.orders(), Order.number != but)) or 0) >= uses_each


def rules(session: Session, rows: Sequence[Promotion]) -> list[Rule]:
    """As far as sums need them; categories with what they belong to."""
    parents: dict[str, str | None] = {}
    if any(row.scope is Scope.CATEGORY for row in rows):
        parents = {row.code: row.parent_code for row in session.execute(select(Category.code, Category.parent_code))}
    same = [name for name in Rule.__dataclass_fields__ if hasattr(Promotion, name)]
    made = [Rule(**{name: getattr(row, name) for name in same}, left_fen=row.budget_fen - row.used_fen) for row in rows]
    return [replace(rule, parents=parents) for rule in made]
