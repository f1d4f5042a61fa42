"""A station pays its cash into the bank; somebody else finds it on the bank's statement of account; then it can be spent.

cash_deposit:<deposit>        cash_desk -> cash_in_transit, on the station's word
cash_deposit_back:<deposit>   and back, where that was a mistake
cash_banked:<deposit>         cash_in_transit -> bank_account, on the bank's
cash_drawn:<gift>             bank_account -> cash_desk: of a campaign called off, to be handed back over the counter"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.campaigns.banking.models import CashDeposit, DepositedGift
from crowdfund.campaigns.banking.states import DepositState as S
from crowdfund.campaigns.cash.models import CashGift
from crowdfund.campaigns.cash.taking import DRAWER
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.returning import AT_THE_COUNTER
from crowdfund.campaigns.states import CampaignState
from marketplace.core import audit, clock, outbox, page_cache
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.core.formats import yuan
from marketplace.core.money import Money
from marketplace.core.transitions import leave_trace, transition
from marketplace.ledger import books
from marketplace.payments.gateways import current_book

ON_ITS_WAY, BANK = "cash_in_transit", "bank_account"
AT_THE_BANK: Final[books.Account] = (BANK, "")


class OtherSum(Refusal):
    status = 422

    def __init__(self, there_fen: int, paid_fen: int) -> None:
        super().__init__(f"{there_fen} {paid_fen}")
        told = {"there": yuan(there_fen), "paid": yuan(paid_fen)}
        self.message = _(
            "The gifts in the drawer are %(there)s, the slip says %(paid)s. Pay in all of it, to the fen.", **told
        )


class NothingThere(Refusal):
    message = _l("There is no cash in the drawer that belongs into the bank.")


class SlipUsed(Refusal):
    status = 422
    message = _l("A deposit with this slip is written down already.")


class SlipTooOld(Refusal):
    status = 422

    def __init__(self, last: date) -> None:
        super().__init__(str(last))
        self.message = _("The last of this cash was taken on %(day)s, after the day of the slip.", day=last.isoformat())


class SamePerson(Refusal):
    status = 403
    message = _l("You took part in this yourself, so another person must confirm it.")


class NoReason(Refusal):
    status = 422
    message = _l("The bank says another sum. Write what you found out; the station reads it.")


def in_the_drawer(session: Session, station: str, book: str) -> Sequence[Any]:
    """(gift, fen, at), as taken, of what belongs into the bank: what no deposit has, but for what goes back to its giver."""
    has_one = exists().where(DepositedGift.gift == CashGift.gift, DepositedGift.stands)
    wanted = select(CashGift.gift, Contribution.fen, CashGift.at).join(Contribution, Contribution.public_id == CashGift.gift)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.where(CashGift.station_code == station, CashGift.returned_at.is_(None), Contribution.book == book)
    return session.execute(wanted.where(~has_one, Campaign.state != CampaignState.CANCELLED).order_by(CashGift.at)).all()


def pay_in(session: Session, *, station: str, fen: int, slip_number: str, paid_on: date, clerk_id: int) -> str:
    """All cash of the drawer is on its way to the bank; the deposit's public id.

    Raises NothingThere, OtherSum, SlipTooOld, SlipUsed."""
    book = current_book()
    held = select(CashGift.gift).where(CashGift.station_code == station, CashGift.returned_at.is_(None))
    session.execute(held.with_for_update())
    found = in_the_drawer(session, station, book)
    there = sum(row.fen for row in found)
    if not found:
        raise NothingThere(station)
    if there != fen:
        raise OtherSum(there, fen)
    if paid_on < (last := clock.local(found[-1].at).date()):
        raise SlipTooOld(last)
    told: dict[str, Any] = {"slip_number": slip_number, "paid_on": paid_on, "clerk_id": clerk_id}
    deposit = CashDeposit(station_code=station, book=book, fen=fen, **told)
    try:
        with session.begin_nested():
            session.add(deposit)
    except IntegrityError:
        raise SlipUsed(slip_number) from None
    add_rows(session, DepositedGift, *({"deposit_id": deposit.id, "gift": row.gift} for row in found))
    leave_trace(session, deposit, None, S.PAID_IN, actor=f"person:{clerk_id}", why=slip_number, station=station)
    post(session, deposit, "cash_deposit", (ON_ITS_WAY, station), (DRAWER, station))
    note(session, deposit, clerk_id, "paid_in")
    return deposit.public_id


def confirm(session: Session, *, deposit: str, found_fen: int, why: str, person_id: int) -> S:
    """What the bank's statement says of it. The same sum: it is ours to spend. Another one is named, and nothing is booked.

    Raises NotFound, SamePerson, NoReason, StaleState."""
    row = get(session, deposit)
    if row.clerk_id == person_id:
        raise SamePerson(deposit)
    decided: dict[str, Any] = {"found_fen": found_fen, "decider_id": person_id, "decided_at": clock.now()}
    if found_fen != row.fen:
        if not why.strip():
            raise NoReason(deposit)
        if row.state is S.DIFFERS:
            raise StaleState(deposit)
        move(session, row, S.DIFFERS, person_id, why=why.strip(), difference=why.strip(), **decided)
        return S.DIFFERS
    move(session, row, S.CONFIRMED, person_id, why=why.strip(), **decided)
    post(session, row, "cash_banked", AT_THE_BANK, (ON_ITS_WAY, row.station_code))
    page_cache.expire(session, "giving")
    return S.CONFIRMED


def withdraw(session: Session, *, deposit: str, station: str, person_id: int) -> None:
    """It was written down by mistake: the cash is in the drawer. Raises NotFound, StaleState, IllegalTransition."""
    row = get(session, deposit)
    if row.station_code != station:
        raise NotFound(deposit)
    move(session, row, S.WITHDRAWN, person_id, why="withdrawn", decider_id=person_id, decided_at=clock.now())
    session.execute(update(DepositedGift).where(DepositedGift.deposit_id == row.id).values(stands=False))
    post(session, row, "cash_deposit_back", (DRAWER, row.station_code), (ON_ITS_WAY, row.station_code))
    gone = select(DepositedGift.gift).join(Contribution, Contribution.public_id == DepositedGift.gift)
    gone = gone.join(Campaign, Campaign.id == Contribution.campaign_id).where(DepositedGift.deposit_id == row.id)
    gone = gone.where(Campaign.state == CampaignState.CANCELLED, Contribution.contact.is_not(None))
    outbox.put_all(session, AT_THE_COUNTER, [{"gift": gift} for gift in session.scalars(gone)])


def draw(session: Session, *, gift: str, number: str, person_id: int) -> None:
    """The bank was told to send a gift's money back to its station, since its campaign was called off.

    Raises NotFound, StaleState."""
    row = banked(session, gift)
    if row.drawn_by is not None:
        raise StaleState(gift)
    row.drawn_by, row.drawn_number = person_id, number
    actor, subject = f"person:{person_id}", f"contribution:{gift}"
    audit.record(session, actor=actor, action="gift.cash_drawn", subject=subject, why=number)


def arrive(session: Session, *, gift: str, station: str, person_id: int) -> None:
    """It is in the drawer, to be handed to its giver. Raises NotFound, SamePerson, StaleState."""
    row = banked(session, gift)
    cash, given = session.get_one(CashGift, gift), contribution(session, gift)
    if cash.station_code != station or row.drawn_by is None:
        raise NotFound(gift)
    if row.drawn_by == person_id:
        raise SamePerson(gift)
    if row.arrived_by is not None:
        raise StaleState(gift)
    row.arrived_by, row.arrived_at = person_id, clock.now()
    amount = Money(given.fen, given.currency)
    lines: dict[books.Account, Money] = {(DRAWER, station): amount, AT_THE_BANK: -amount}
    books.post(session, key=f"cash_drawn:{gift}", book=given.book, reference=gift, lines=lines)
    if given.contact:
        outbox.put(session, AT_THE_COUNTER, gift=gift)
    actor, subject = f"person:{person_id}", f"contribution:{gift}"
    audit.record(session, actor=actor, action="gift.cash_arrived", subject=subject, why=row.drawn_number)


def banked(session: Session, gift: str) -> DepositedGift:
    """Of a called-off campaign, and at the bank; locked. Raises NotFound."""
    wanted = select(DepositedGift).join(CashDeposit, CashDeposit.id == DepositedGift.deposit_id)
    wanted = wanted.join(Contribution, Contribution.public_id == DepositedGift.gift)
    wanted = wanted.join(Campaign, Campaign.id == Contribution.campaign_id)
    wanted = wanted.where(DepositedGift.gift == gift, DepositedGift.stands, CashDeposit.state == S.CONFIRMED)
    found = session.scalar(wanted.where(Campaign.state == CampaignState.CANCELLED).with_for_update(of=DepositedGift))
    if found is None:
        raise NotFound(gift)
    return found


def contribution(session: Session, gift: str) -> Contribution:
    return session.scalars(select(Contribution).where(Contribution.public_id == gift)).one()


def get(session: Session, deposit: str) -> CashDeposit:
    """Locked. Raises NotFound."""
    found = session.scalar(select(CashDeposit).where(CashDeposit.public_id == deposit).with_for_update())
    if found is None:
        raise NotFound(deposit)
    return found


def move(session: Session, row: CashDeposit, to: S, person_id: int, *, why: str, **also: Any) -> None:
    told: dict[str, Any] = {"actor": f"person:{person_id}", "station": row.station_code}
    transition(session, row, to, expected=row.state, why=why or str(to), **told, **also)
    note(session, row, person_id, str(to))


def note(session: Session, row: CashDeposit, person_id: int, what: str) -> None:
    subject = f"cash_deposit:{row.public_id}"
    audit.record(session, actor=f"person:{person_id}", action=f"cash_deposit.{what}", subject=subject, why=row.slip_number)


def post(session: Session, row: CashDeposit, kind: str, to: books.Account, out_of: books.Account) -> None:
    amount = Money(row.fen)
    lines: dict[books.Account, Money] = {to: amount, out_of: -amount}
    books.post(session, key=f"{kind}:{row.public_id}", book=row.book, reference=row.public_id, lines=lines)
