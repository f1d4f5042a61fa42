"""What people want to be told, and how: everything stands on their page, by e-mail and SMS comes what is not switched off.

Codes, and what concerns the safety of an account or an address for events, cannot be switched off."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import add_rows, rows
from marketplace.notifications.models import Silence

MAIL, SMS = "mail", "sms"


class MessageKind(StrEnum):
    ACCOUNT = "account"
    ORDERS = "orders"
    GIFTS = "gifts"
    PLEDGES = "pledges"
    SELLING = "selling"
    FAVOURITES = "favourites"
    QUESTIONS = "questions"


class Choice(NamedTuple):
    """Something that can be switched off."""

    kind: MessageKind
    words: LazyString
    note: LazyString


CHOICES: Final = (
    Choice(MessageKind.ORDERS, _l("Orders"), _l("parcels to fetch, refunds, after-sales, something else instead")),
    Choice(MessageKind.GIFTS, _l("Gifts"), _l("thanks, receipts, monthly gifts")),
    Choice(MessageKind.PLEDGES, _l("Deposit pledges"), _l("where your device is")),
    Choice(
        MessageKind.SELLING,
        _l("Selling"),
        _l("your goods, after-sales, your bank account, what is paid to you"),
    ),
    Choice(MessageKind.FAVOURITES, _l("Favourites"), _l("cheaper, back in stock, in season again")),
    Choice(MessageKind.QUESTIONS, _l("Questions"), _l("what a seller answers you, what buyers ask you")),
)
WAYS: Final[dict[str, LazyString]] = {MAIL: _l("by e-mail"), SMS: _l("by SMS")}
Silenced = tuple[str, str]


def way_of(address: str) -> str:
    return MAIL if "@" in address else SMS


def is_silent(session: Session, *, person_id: int | None, kind: MessageKind, address: str) -> bool:
    """Nobody has switched off what concerns their account, and a stranger nothing."""
    if person_id is None or kind is MessageKind.ACCOUNT:
        return False
    mine = select(Silence.kind).where(Silence.person_id == person_id, Silence.kind == kind, Silence.way == way_of(address))
    return bool(rows(session, mine))


def first_wanted(session: Session, *, person_id: int | None, kind: MessageKind, addresses: Sequence[str | None]) -> str:
    """The first of somebody's addresses by which they want to be told this; their very first, which there must be, where
    they want it by none: the message stands on their page."""
    known = [address for address in addresses if address]
    wanted = (each for each in known if not is_silent(session, person_id=person_id, kind=kind, address=each))
    return next(wanted, known[0])


def silences_of(session: Session, person_id: int) -> set[Silenced]:
    mine = select(Silence.kind, Silence.way).where(Silence.person_id == person_id)
    return {(row.kind, row.way) for row in session.execute(mine)}


def keep(session: Session, *, person_id: int, wanted: Collection[Silenced]) -> None:
    """Kinds and ways that this person wants; of those that can be chosen, all others are switched off."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())  # two presses, one after the other
    session.execute(delete(Silence).where(Silence.person_id == person_id))
    all_there_are = [(choice.kind.value, way) for choice in CHOICES for way in WAYS]
    off = [pair for pair in all_there_are if pair not in set(wanted)]
    if off:
        add_rows(session, Silence, *({"person_id": person_id, "kind": kind, "way": way} for kind, way in off))
