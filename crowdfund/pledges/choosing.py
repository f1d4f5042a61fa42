"""From a voucher's number to three blind cards. Whatever number was typed, the answer is the same."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crowdfund.pledges import cards, vouchers
from crowdfund.pledges.models import Agreement, Choosing, Deal, Partner, Pledge, Programme
from crowdfund.pledges.numbers import normalise
from crowdfund.pledges.refusals import ChoosingOver, NoMoreCards, NotOpen
from crowdfund.pledges.states import ACTIVE, MOST_REFRESHES
from marketplace.core import clock, ids
from marketplace.core.encryption import fingerprint, token_hash
from marketplace.core.records import record

LIFE: Final = timedelta(hours=2)


@record
class Bank:
    code: str
    name_zh: str
    name_en: str
    voucher_length: int


def open_banks(session: Session) -> list[Bank]:
    """The partners whose vouchers count today."""
    today = clock.today()
    wanted = (
        select(Partner.code, Partner.name_zh, Partner.name_en, Partner.voucher_length)
        .join(Agreement, Agreement.partner_code == Partner.code)
        .join(Programme, Programme.agreement_id == Agreement.id)
        .where(Programme.opens_on <= today, Programme.closes_on >= today, Partner.kind == "bank")
        .order_by(Partner.code)
        .distinct()
    )
    return [Bank(*row) for row in session.execute(wanted)]


def number_hash(bank: str, number: str) -> str:
    """By which a voucher is known; the number itself is kept nowhere."""
    return fingerprint(f"{bank}\0{number}", "voucher")


def enter(session: Session, *, bank: str, number: str, issued_on: date, wish: str = "") -> str:
    """Take a voucher's number and deal the first cards; returns the token of the choice.

    Nothing is looked up that the answer could tell: a number nobody issued gets its cards like any other.
    Raises NotOpen, OutsideWindow for a day of issue with which no voucher counts."""
    today = clock.today()
    found = session.execute(
        select(Programme, Partner.voucher_length)
        .join(Agreement, Agreement.id == Programme.agreement_id)
        .join(Partner, Partner.code == Agreement.partner_code)
        .where(Partner.code == bank, Programme.opens_on <= today, Programme.closes_on >= today)
        .order_by(Programme.opens_on)
        .limit(1)
    ).first()
    if found is None:
        raise NotOpen(bank)
    vouchers.check_window(found[0], issued_on, on=today)
    plain, token = normalise(number, found.voucher_length), ids.secret_token()
    choosing = Choosing(token_hash=token_hash(token), programme_id=found[0].id, number_hash=number_hash(bank, plain))
    choosing.last4, choosing.issued_on, choosing.wish = plain[-4:], issued_on, wish
    choosing.deals, choosing.expires_at = 1, clock.now() + LIFE
    session.add(choosing)
    session.flush()
    deal(session, choosing, shown=())
    return token


def find(session: Session, token: str, *, lock: bool = False) -> Choosing:
    """Raises ChoosingOver for one that is unknown or has lain too long."""
    wanted = select(Choosing).where(Choosing.token_hash == token_hash(token), Choosing.expires_at > clock.now())
    found = session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise ChoosingOver("choice")
    return found


def refresh(session: Session, *, token: str, wish: str, seen: int) -> None:
    """Three other cards, twice at most. `seen`: how many deals the page had shown, so that sending it twice deals once.

    Raises ChoosingOver, NoMoreCards."""
    choosing = find(session, token, lock=True)
    if choosing.deals != seen:
        return
    if choosing.deals > MOST_REFRESHES:
        raise NoMoreCards("deals")
    choosing.wish, choosing.deals = wish, choosing.deals + 1
    deal(session, choosing, shown=[card["case"] for row in deals_of(session, choosing) for card in row.cards])


def deal(session: Session, choosing: Choosing, *, shown: Sequence[str]) -> None:
    dealt, free = cards.deal(session, wish=choosing.wish, shown=shown)
    row = Deal(choosing_id=choosing.id, number=choosing.deals - 1, day=clock.today(), wish=choosing.wish)
    row.cards, row.free = [card.as_json() for card in dealt], free
    session.add(row)


def deals_of(session: Session, choosing: Choosing) -> list[Deal]:
    return list(session.scalars(select(Deal).where(Deal.choosing_id == choosing.id).order_by(Deal.number)))


def pledge_of(session: Session, choosing: Choosing) -> str | None:
    """The tracking code of the pledge that came of it, if that one still stands: where the back button leads."""
    made = select(Pledge.tracking_code).where(Pledge.id == choosing.pledge_id, Pledge.state.in_(ACTIVE))
    return session.scalar(made)


def forget(session: Session) -> None:
    """What was typed and led nowhere is not kept: the hash and the last digits go after a day."""
    old = update(Choosing).where(Choosing.expires_at < clock.now() - timedelta(days=1), Choosing.last4 != "")
    session.execute(old.values(number_hash="", last4=""))
