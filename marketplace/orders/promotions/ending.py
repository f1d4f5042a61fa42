"""The life of a promotion: submitted, approved by another person, paused, ended; and the province's money for it.

`promotion_in:<promotion>` when it goes live, `promotion_out:<promotion>` when it ends: the province's part of the budget,
less what orders have taken. What refunds give back goes to the province itself (`remaining.given_back`): the account never
holds more than what runs may still take, and what is held for orders that are not paid yet."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.transitions import transition
from marketplace.ledger import books
from marketplace.orders.promotions.models import Promotion
from marketplace.orders.promotions.states import PromotionState as S
from marketplace.payments.reconciliation.fees import PROVINCE

FUNDING: Final[books.Account] = ("promotion_funding", PROVINCE)
GRANT: Final[books.Account] = ("operating_grant", PROVINCE)


class OwnPromotion(Refusal):
    status = 403
    message = _l("Whoever made it does not approve it. Ask a colleague.")


class TooLate(Refusal):
    message = _l("Its last day is over, so it cannot start any more.")


def get(session: Session, promotion: str, *, seller: str | None) -> Promotion:
    """Locked. `seller`: whose own it has to be; None: the province's. Raises NotFound."""
    wanted = select(Promotion).where(Promotion.public_id == promotion, Promotion.seller_public_id == (seller or ""))
    row = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(promotion)
    return row


def submit(session: Session, *, promotion: str, seller: str | None, person_id: int) -> None:
    """A seller's own goes live at once: it costs nobody else anything. The province's waits for another person.

    Raises NotFound, IllegalTransition, StaleState, TooLate."""
    row = get(session, promotion, seller=seller)
    actor = f"person:{person_id}"
    transition(session, row, S.SUBMITTED, expected=row.state, actor=actor, why="submitted")
    if seller is not None:
        go_live(session, row, actor=actor, why="their own")


def approve(session: Session, *, promotion: str, person_id: int) -> None:
    """Raises NotFound, OwnPromotion, TooLate, IllegalTransition."""
    row = get(session, promotion, seller=None)
    if row.made_by == person_id:
        raise OwnPromotion(promotion)
    row.approved_by = person_id
    go_live(session, row, actor=f"person:{person_id}", why="approved")


def go_live(session: Session, row: Promotion, *, actor: str, why: str) -> None:
    """From now on it counts; the province's part of it is set aside. Raises TooLate once its time is over."""
    if row.ends_at <= clock.now():
        raise TooLate(row.public_id)
    transition(session, row, S.LIVE, expected=row.state, actor=actor, why=why)
    if row.platform_budget_fen:
        part = Money(row.platform_budget_fen)
        key = f"promotion_in:{row.public_id}"
        books.post(session, key=key, book=row.book, reference=row.public_id, lines={GRANT: part, FUNDING: -part})
    record(session, row, "promotion.live", actor, why)


def send_back(session: Session, *, promotion: str, person_id: int, why: str) -> None:
    """To whoever made it. Raises NotFound, OwnPromotion, IllegalTransition."""
    row = get(session, promotion, seller=None)
    if row.made_by == person_id:
        raise OwnPromotion(promotion)
    transition(session, row, S.DRAFT, expected=row.state, actor=f"person:{person_id}", why=why)


def pause(session: Session, *, promotion: str, seller: str | None, person_id: int) -> None:
    """New orders do not have it for now. Raises NotFound, IllegalTransition."""
    row = get(session, promotion, seller=seller)
    transition(session, row, S.PAUSED, expected=row.state, actor=f"person:{person_id}", why="paused")


def resume(session: Session, *, promotion: str, seller: str | None, person_id: int) -> None:
    """Raises NotFound, IllegalTransition, TooLate."""
    row = get(session, promotion, seller=seller)
    if row.ends_at <= clock.now():
        raise TooLate(promotion)
    if row.state is not S.PAUSED:
        transition(session, row, S.SUBMITTED, expected=row.state, actor="", why="")  # no way leads there: says so
    transition(session, row, S.LIVE, expected=S.PAUSED, actor=f"person:{person_id}", why="resumed")


def stop(session: Session, *, promotion: str, seller: str | None, person_id: int) -> None:
    """For good. Raises NotFound, IllegalTransition."""
    end(session, get(session, promotion, seller=seller), actor=f"person:{person_id}", why="ended")


def end(session: Session, row: Promotion, *, actor: str, why: str) -> None:
    """Orders that have it already keep it. The province has back what none of them took."""
    transition(session, row, S.ENDED, expected=row.state, actor=actor, why=why)
    rest = Money(row.platform_budget_fen - row.platform_used_fen)
    if rest:
        key = f"promotion_out:{row.public_id}"
        books.post(session, key=key, book=row.book, reference=row.public_id, lines={FUNDING: rest, GRANT: -rest})
    record(session, row, "promotion.ended", actor, why)


def end_due(session: Session) -> bool:
    """The worker's step: one whose last day is over; True if there was one."""
    over = select(Promotion).where(Promotion.state.in_((S.LIVE, S.PAUSED)), Promotion.ends_at <= clock.now())
    row = session.scalar(over.order_by(Promotion.ends_at).limit(1).with_for_update(skip_locked=True))
    if row is None:
        return False
    end(session, row, actor="system", why="its last day is over")
    return True


def record(session: Session, row: Promotion, action: str, actor: str, why: str) -> None:
    subject = f"promotion:{row.public_id}"
    audit.record(session, actor=actor, action=action, subject=subject, why=why, fen=row.platform_budget_fen)
