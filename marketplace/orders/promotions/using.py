"""An order's use of promotions: reserved when it is placed, spent when it is paid, given back when it never is.

On account that is a month later, with its statement: a promotion that ends meanwhile leaves its part of the money there.

Budget and number of uses are guarded as stock is: one conditional UPDATE, and a CHECK behind it."""

from collections.abc import Sequence

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from marketplace.core import clock, ids
from marketplace.core.db import add_row
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.orders.models import Order
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.promotions.ending import FUNDING, GRANT, end
from marketplace.orders.promotions.models import Promotion, PromotionUse
from marketplace.orders.promotions.states import Kind, PromotionState as S, UseState
from marketplace.orders.quoting import Reduction


def reserve(session: Session, *, order: str, reductions: Sequence[Reduction], buyer: Buyer) -> None:
    """Hold what these take off the order, in the order of the promotions' ids. Raises UsedUp, UsedByYou."""
    for each in sorted(reductions, key=lambda one: one.promotion_id):
        take(session, each.promotion_id, each.fen, each.platform_fen, order=order, buyer=buyer)
        row = {"public_id": ids.public_id(), "promotion_id": each.promotion_id, "order_number": order}
        add_row(session, PromotionUse, {**row, "discount_fen": each.fen, "platform_fen": each.platform_fen})
        mine = PromotionUse(public_id=row["public_id"])
        leave_trace(session, mine, None, UseState.RESERVED, actor="system", why=f"order:{order}")


def take(session: Session, promotion: int, fen: int, platform_fen: int, *, order: str, buyer: Buyer) -> None:
    """Of the budget, if it is there: two orders at once never take more than it has. Raises UsedUp, UsedByYou."""
    now = clock.now()
    there = update(Promotion).where(Promotion.id == promotion, Promotion.state == S.LIVE)
    there = there.where(
        Promotion.starts_at <= now, Promotion.ends_at > now, Promotion.used_fen + fen <= Promotion.budget_fen
    )
    there = there.where(or_(Promotion.uses_most.is_(None), Promotion.uses < Promotion.uses_most))
    taken = {
        "used_fen": Promotion.used_fen + fen,
        "platform_used_fen": Promotion.platform_used_fen + platform_fen,
        "uses": Promotion.uses + 1,
    }
    row = session.execute(there.values(**taken).returning(Promotion.uses_each)).one_or_none()
    if row is None:
        raise choosing.UsedUp(str(promotion))
    if choosing.is_used_by(session, promotion, row.uses_each, buyer, but=order):  # the row is ours now: no two count at once
        raise buyer.used_already


def of_order(session: Session, number: str, state: UseState) -> Sequence[PromotionUse]:
    wanted = select(PromotionUse).where(PromotionUse.order_number == number, PromotionUse.state == state)
    return session.scalars(wanted.order_by(PromotionUse.promotion_id).execution_options(populate_existing=True)).all()


def spend(session: Session, number: str) -> None:
    """The order is paid. A promotion of which nothing useful is left ends."""
    for use in of_order(session, number, UseState.RESERVED):
        transition(session, use, UseState.SPENT, expected=UseState.RESERVED, actor="system", why="paid")
        spent = update(Promotion).where(Promotion.id == use.promotion_id)
        session.execute(spent.values(spent_fen=Promotion.spent_fen + use.discount_fen))
        row = session.get_one(Promotion, use.promotion_id, populate_existing=True)
        if row.state in {S.LIVE, S.PAUSED} and is_exhausted(session, row):
            end(session, row, actor="system", why="used up")


def is_exhausted(session: Session, row: Promotion) -> bool:
    """Nobody can use it any more, and nothing that is reserved could come back."""
    if row.spent_fen != row.used_fen:
        return False
    smallest = row.amount_fen if row.kind is Kind.AMOUNT else 1
    return row.budget_fen - row.used_fen < smallest or (row.uses_most is not None and row.uses >= row.uses_most)


def give_back(session: Session, number: str) -> None:
    """The order will not be paid: others may use what it held. Of one that was paid nothing is held any more.

    `promotion_out:<promotion>:<use>`: of one that has ended meanwhile the province has its part back."""
    for use in of_order(session, number, UseState.RESERVED):
        transition(session, use, UseState.RETURNED, expected=UseState.RESERVED, actor="system", why="never paid")
        less = {
            "used_fen": Promotion.used_fen - use.discount_fen,
            "platform_used_fen": Promotion.platform_used_fen - use.platform_fen,
            "uses": Promotion.uses - 1,
        }
        session.execute(update(Promotion).where(Promotion.id == use.promotion_id).values(**less))
        row = session.get_one(Promotion, use.promotion_id, populate_existing=True)
        if row.state is S.ENDED and use.platform_fen:
            part = Money(use.platform_fen)
            key = f"promotion_out:{row.public_id}:{use.public_id}"
            books.post(session, key=key, book=row.book, reference=row.public_id, lines={FUNDING: part, GRANT: -part})


def reserve_again(session: Session, order: Order) -> None:
    """For money that came late. Raises UsedUp, UsedByYou: whoever calls undoes what was taken before."""
    for use in of_order(session, order.number, UseState.RETURNED):
        buyer = Buyer(order.buyer_id, order.phone)
        take(session, use.promotion_id, use.discount_fen, use.platform_fen, order=order.number, buyer=buyer)
        transition(session, use, UseState.RESERVED, expected=UseState.RETURNED, actor="system", why="late money")
