"""Carts: a stranger's is found by the token in a cookie, a person's by who they are. Setting a quantity is repeatable."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Executable, Update, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from listings import offers
from listings.models import Category, Listing, Variant
from marketplace.core import clock
from marketplace.core.db import Columns, Instant, insert_or_ignore, rows
from marketplace.core.encryption import token_hash
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.orders.models import Cart, CartItem

MOST_LINES: Final = 60
MOST_OF_ONE: Final = 9999
KEPT_FOR: Final = timedelta(days=60)  # as long as a stranger's cookie


class CartFull(Refusal):
    message = _l("The cart is full. Please order what is in it first.")


@record
class CartOwner:
    """Whose cart: a person's, else that of whoever holds the token.

    `is_apart`: a person's, but found by its token, beside the one that they shop with."""

    person_id: int | None
    token: str | None
    is_apart: bool = False

    @property
    def known_by(self) -> tuple[str, int | str]:
        """The column of `cart` by which theirs is found, and what stands in it; nothing for whoever has no token."""
        if self.person_id is not None and not self.is_apart:
            return "person_id", self.person_id
        return "token_hash", token_hash(self.token) if self.token else ""

    @property
    def scope(self) -> str:
        """Within which the keys of their forms are told apart."""
        return f"person:{self.person_id}" if self.person_id is not None else f"cart:{token_hash(str(self.token))}"

    def find(self, session: Session) -> Cart | None:
        column, whose = self.known_by
        return session.scalar(select(Cart).where(getattr(Cart, column) == whose)) if whose else None

    def open(self, session: Session) -> int:
        """The id of the cart, made where there is none; of two requests side by side one makes it."""
        column, whose = self.known_by
        known = {"person_id": None, "token_hash": None, column: whose or None}
        insert_or_ignore(session, Cart, {**known, "touched_at": clock.now()})
        cart = touch(session, self)
        assert cart is not None
        return cart


def put(session: Session, *, owner: CartOwner, variant: str, quantity: int) -> int:
    """Set how many of a pack are in the cart; returns the quantity that is in it now, at least the pack's minimum.

    Raises NotFound for a pack that is not offered, CartFull."""
    offer = offers.find(session, [variant]).get(variant)
    if offer is None or not offer.is_published:
        raise NotFound(variant)
    wanted = min(max(quantity, offer.minimum_quantity), MOST_OF_ONE)
    item = {"quantity": wanted, "seen_price_fen": offer.price_for(wanted)}
    cart = touch(session, owner)
    if cart is None:
        cart = owner.open(session)
    elif change_item(session, cart, variant, item):
        return wanted
    elif count_lines(session, cart) >= MOST_LINES:
        raise CartFull(variant)
    here = {"cart_id": cart, "variant_code": variant, "added_at": clock.now()}
    if not insert_or_ignore(session, CartItem, here | item):  # the same press a second time
        change_item(session, cart, variant, item)
    return wanted


def touch(session: Session, owner: CartOwner) -> int | None:
    """The id of the cart, which is in use; None where there is none."""
    column, whose = owner.known_by
    return session.connection().execute(touched(column), {"whose": whose, "now": clock.now()}).scalar()


@cache
def touched(column: str) -> Executable:
    table: Any = Cart.__table__
    mine = update(table).where(table.c[column] == bindparam("whose"))
    return mine.values(touched_at=bindparam("now", type_=Instant)).returning(table.c.id)


def change_item(session: Session, cart: int, variant: str, item: Mapping[str, int]) -> bool:
    """False if the pack is not in the cart yet."""
    return session.connection().execute(changed_item(), {"cart": cart, "pack": variant, **item}).rowcount > 0


@cache
def changed_item() -> Update:
    table: Any = CartItem.__table__
    return update(table).where(table.c.cart_id == bindparam("cart"), table.c.variant_code == bindparam("pack"))


def count_lines(session: Session, cart: int) -> int:
    return session.scalar(select(func.count()).select_from(CartItem).where(CartItem.cart_id == cart)) or 0


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
    known = {item.variant_code: item for item in session.scalars(select(CartItem).where(CartItem.cart_id == mine))}
    for item in session.scalars(select(CartItem).where(CartItem.cart_id == stranger.id)).all():
        if item.variant_code in known:
            known[item.variant_code].quantity = max(known[item.variant_code].quantity, item.quantity)
        elif len(known) < MOST_LINES:
            copied = CartItem(cart_id=mine, variant_code=item.variant_code, quantity=item.quantity)
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
    column, whose = owner.known_by
    if not whose:
        return []
    session.flush()
    return [(row.variant_code, row.quantity, row.seen_price_fen) for row in rows(session, items_by(column), whose=whose)]


@cache
def items_by(column: str) -> Columns:
    items = select(CartItem.variant_code, CartItem.quantity, CartItem.seen_price_fen).join(Cart, Cart.id == CartItem.cart_id)
    mine = items.where(getattr(Cart, column) == bindparam("whose"))
    return mine.order_by(CartItem.added_at, CartItem.variant_code)


def is_age_restricted(session: Session, owner: CartOwner) -> bool:
    """Whether anything in it is not for children."""
    column, whose = owner.known_by
    return bool(whose and rows(session, not_for_children(column), whose=whose))


@cache
def not_for_children(column: str) -> Columns:
    kinds = select(Category.code).join(Listing, Listing.category_code == Category.code)
    kinds = kinds.join(Variant, Variant.listing_id == Listing.id).join(CartItem, CartItem.variant_code == Variant.code)
    kinds = kinds.join(Cart, Cart.id == CartItem.cart_id).where(getattr(Cart, column) == bindparam("whose"))
    return kinds.where(Category.is_age_restricted).limit(1)


def take_out(session: Session, *, owner: CartOwner, variants: list[str]) -> bool:
    """What was ordered leaves the cart. False if another order took some of it at the same moment."""
    column, whose = owner.known_by
    gone = session.connection().execute(taken_out(column), {"whose": whose, "variants": variants})
    return gone.rowcount == len(variants)


@cache
def taken_out(column: str) -> Executable:
    table: Any = CartItem.__table__
    mine = select(Cart.id).where(getattr(Cart, column) == bindparam("whose")).scalar_subquery()
    return delete(table).where(table.c.cart_id == mine, table.c.variant_code.in_(bindparam("variants", expanding=True)))


def sweep(session: Session) -> None:
    """What strangers and programs have left lying; a person's own cart stays."""
    left = delete(Cart).where(Cart.person_id.is_(None), Cart.touched_at < clock.now() - KEPT_FOR)
    session.execute(left, execution_options={"synchronize_session": False})


def count(session: Session, owner: CartOwner) -> int:
    """Packs in the cart, for the number beside the word."""
    column, whose = owner.known_by
    return int(rows(session, packs_by(column), whose=whose)[0].packs) if whose else 0


@cache
def packs_by(column: str) -> Columns:
    total = select(func.coalesce(func.sum(CartItem.quantity), 0).label("packs")).join(Cart, Cart.id == CartItem.cart_id)
    return total.where(getattr(Cart, column) == bindparam("whose"))
