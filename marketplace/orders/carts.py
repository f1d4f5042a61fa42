"""Carts: a stranger's is found by the token in a cookie, a person's by who they are. Setting a quantity is repeatable."""

from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.db import insert_or_ignore
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.orders.models import Cart, CartItem

MOST_LINES: Final = 60
MOST_OF_ONE: Final = 9999


class CartFull(Refusal):
    message = _l("The cart is full. Please order what is in it first.")


@dataclass(frozen=True)
class CartOwner:
    """Whose cart: a person's, else that of whoever holds the token."""

    person_id: int | None
    token: str | None

    def find(self, session: Session) -> Cart | None:
        if self.person_id is not None:
            return session.scalar(select(Cart).where(Cart.person_id == self.person_id))
        if not self.token:
            return None
        return session.scalar(select(Cart).where(Cart.token_hash == token_hash(self.token)))

    def open(self, session: Session) -> Cart:
        """The cart, made where there is none; of two requests side by side one makes it."""
        cart = self.find(session)
        if cart is None:
            hashed = token_hash(self.token) if self.person_id is None and self.token else None
            insert_or_ignore(session, Cart, {"person_id": self.person_id, "token_hash": hashed, "touched_at": clock.now()})
            cart = self.find(session)
            assert cart is not None
        return cart


def put(session: Session, *, owner: CartOwner, variant: str, quantity: int) -> int:
    """Set how many of a pack are in the cart; returns the quantity that is in it now, at least the pack's minimum.

    Raises NotFound for a pack that is not offered, CartFull."""
    offer = offers.find(session, [variant]).get(variant)
    if offer is None or not offer.is_published:
        raise NotFound(variant)
    cart = owner.open(session)
    cart.touched_at = clock.now()
    wanted = min(max(quantity, offer.minimum_quantity), MOST_OF_ONE)
    here = {"cart_id": cart.id, "variant_code": variant}
    asked = {"quantity": wanted, "seen_price_fen": offer.price_for(wanted)}
    if session.get(CartItem, (cart.id, variant)) is None:
        lines = session.scalar(select(func.count()).select_from(CartItem).where(CartItem.cart_id == cart.id)) or 0
        if lines >= MOST_LINES:
            raise CartFull(variant)
        if insert_or_ignore(session, CartItem, {**here, **asked, "added_at": clock.now()}):
            return wanted
    session.execute(update(CartItem).filter_by(**here).values(**asked))
    return wanted


def remove(session: Session, *, owner: CartOwner, variant: str) -> int:
    """Take a pack out; returns how many there were, 0 if there were none."""
    cart = owner.find(session)
    if cart is None:
        return 0
    gone = delete(CartItem).where(CartItem.cart_id == cart.id, CartItem.variant_code == variant)
    return session.scalar(gone.returning(CartItem.quantity)) or 0


def merge(session: Session, person_id: int, token: str | None) -> None:
    """At sign-in: what the stranger had joins what the person had; of the same pack the larger quantity stays."""
    stranger = CartOwner(None, token).find(session)
    if stranger is None or session.scalar(select(Cart.id).where(Cart.id == stranger.id).with_for_update()) is None:
        return  # nothing to bring, or another sign-in of the same browser was faster
    mine = CartOwner(person_id, None).open(session)
    known = {item.variant_code: item for item in session.scalars(select(CartItem).where(CartItem.cart_id == mine.id))}
    for item in session.scalars(select(CartItem).where(CartItem.cart_id == stranger.id)).all():
        if item.variant_code in known:
            known[item.variant_code].quantity = max(known[item.variant_code].quantity, item.quantity)
        elif len(known) < MOST_LINES:
            copied = CartItem(cart_id=mine.id, variant_code=item.variant_code, quantity=item.quantity)
            copied.seen_price_fen = item.seen_price_fen
            session.add(copied)
        session.delete(item)
    session.flush()
    session.delete(stranger)


def fit(session: Session, *, owner: CartOwner) -> int:
    """Bring the cart to what can be had now: fewer where fewer are left, none of what is not for sale. Lines that stay."""
    cart = owner.find(session)
    items = session.scalars(select(CartItem).where(CartItem.cart_id == cart.id)).all() if cart else ()
    found = offers.find(session, [item.variant_code for item in items])
    stays = 0
    for item in items:
        offer = found.get(item.variant_code)
        if offer is None or not offer.allows(offer.minimum_quantity):
            session.delete(item)
            continue
        item.quantity = max(offer.minimum_quantity, min(item.quantity, offer.available))
        stays += 1
    return stays


def contents(session: Session, owner: CartOwner) -> list[tuple[str, int, int]]:
    """(variant, quantity, price seen), in the order they were put in."""
    cart = owner.find(session)
    if cart is None:
        return []
    items = select(CartItem.variant_code, CartItem.quantity, CartItem.seen_price_fen).where(CartItem.cart_id == cart.id)
    rows = session.execute(items.order_by(CartItem.added_at, CartItem.variant_code))
    return [(row.variant_code, row.quantity, row.seen_price_fen) for row in rows]


def take_out(session: Session, *, owner: CartOwner, variants: list[str]) -> bool:
    """What was ordered leaves the cart. False if another order took some of it at the same moment."""
    cart = owner.find(session)
    if cart is None:
        return False
    mine = delete(CartItem).where(CartItem.cart_id == cart.id, CartItem.variant_code.in_(variants))
    return session.connection().execute(mine).rowcount == len(variants)


def count(session: Session, owner: CartOwner) -> int:
    """Packs in the cart, for the number beside the word."""
    whose = Cart.person_id == owner.person_id if owner.person_id else Cart.token_hash == token_hash(owner.token or "")
    total = select(func.coalesce(func.sum(CartItem.quantity), 0)).join(Cart, Cart.id == CartItem.cart_id)
    return int(session.scalar(total.where(whose)) or 0)
