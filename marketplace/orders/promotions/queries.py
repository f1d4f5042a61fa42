"""Promotions as pages show them: a fixed number of statements."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound
from marketplace.core.records import slim_record
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Order
from marketplace.orders.promotions.models import Promotion, PromotionUse
from marketplace.orders.promotions.states import UseState

MOST = 100
MOST_ORDERS = 30


@slim_record
class Discount:
    """What one promotion took off an order, in fen."""

    name_zh: str
    name_en: str
    code: str | None
    fen: int
    platform_fen: int

    @property
    def seller_fen(self) -> int:
        return self.fen - self.platform_fen


def of_order(session: Session, order: Order) -> list[Discount]:
    wanted = select(
        Promotion.name_zh, Promotion.name_en, Promotion.code, PromotionUse.discount_fen, PromotionUse.platform_fen
    )
    wanted = wanted.join(Promotion, Promotion.id == PromotionUse.promotion_id)
    rows = session.execute(wanted.where(PromotionUse.order_number == order.number).order_by(PromotionUse.id))
    return [Discount(*row) for row in rows]


def listed(session: Session, seller: str | None) -> Sequence[Promotion]:
    """A seller's own, or all (None), the latest first."""
    wanted = select(Promotion).order_by(Promotion.id.desc()).limit(MOST)
    return session.scalars(wanted if seller is None else wanted.where(Promotion.seller_public_id == seller)).all()


def one(session: Session, promotion: str, seller: str | None) -> Promotion:
    """Raises NotFound, also for another seller's."""
    wanted = select(Promotion).where(Promotion.public_id == promotion)
    row = session.scalar(wanted if seller is None else wanted.where(Promotion.seller_public_id == seller))
    if row is None:
        raise NotFound(promotion)
    return row


def spent(session: Session, promotion: int) -> list[tuple[str, int]]:
    """The latest orders that were paid with it, and what it took off them."""
    wanted = select(PromotionUse.order_number, PromotionUse.discount_fen).where(PromotionUse.promotion_id == promotion)
    wanted = wanted.where(PromotionUse.state == UseState.SPENT).order_by(PromotionUse.id.desc()).limit(MOST_ORDERS)
    return [(row.order_number, row.discount_fen) for row in session.execute(wanted)]


def steps(session: Session, promotion: str) -> Sequence[EventRow]:
    wanted = select(EventRow).where(EventRow.subject == f"promotion:{promotion}").order_by(EventRow.id)
    return session.scalars(wanted).all()
