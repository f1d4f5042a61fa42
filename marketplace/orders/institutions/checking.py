"""An institution says what it accepts of a parcel; what it does not accept comes off the bill once the station agrees.

Nothing said in three days: everything was accepted. No answer in three days: the station agrees."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids
from marketplace.core.db import add_row, add_rows
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.core.transitions import leave_trace, transition
from marketplace.orders import fulfilment, remaining, repaying
from marketplace.orders.cases.opening import TooManyPictures
from marketplace.orders.cases.rules import MOST_PICTURES
from marketplace.orders.institutions import keeping
from marketplace.orders.institutions.models import AccountOrder, GoodsCheck, GoodsCheckLine, GoodsCheckPicture
from marketplace.orders.institutions.ordering import of_member
from marketplace.orders.institutions.states import CheckState
from marketplace.orders.models import HAS_ARRIVED, Order, OrderLine, Parcel
from marketplace.orders.receiving.planning import without
from marketplace.orders.receiving.sharing import is_a_slip, lighter_by
from marketplace.orders.remaining import LineLeft, Part
from marketplace.orders.states import ARRIVED, OrderState, ParcelState as S

CHECK_WITHIN: Final = timedelta(days=3)
ANSWER_WITHIN: Final = timedelta(days=3)
TO_CHECK: Final = ARRIVED | {S.SHIPPED}
LIGHTER: Final = "lighter"


class NotThereYet(Refusal):
    message = _l("This parcel has not arrived yet.")


class CheckedAlready(Refusal):
    message = _l("This parcel has been checked already.")


class TooManyPacks(Refusal):
    """`line` has only `left` packs."""

    status = 422
    message = _l("There are not that many packs in this line.")

    def __init__(self, line: str, left: int) -> None:
        super().__init__(line)
        self.line, self.left = line, left


class WrongWeight(Refusal):
    """Of this `line`: nobody has weighed it so."""

    status = 422

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class WeighsMore(WrongWeight):
    message = _l("This is as much as was ordered, or more. Leave the weight empty.")


class WeighsTooLittle(WrongWeight):
    """Silence agrees to a claim, so that a slip of the keyboard would be paid for."""

    message = _l(
        "That is less than half of what was ordered. Please weigh it again, in grams, or say how many packs are bad."
    )


@record
class Claim:
    """What is not right with one line: packs that are not accepted, and what the accepted ones weigh together."""

    rejected: int
    grams: int | None
    reason: str


def check(
    session: Session,
    *,
    institution: str,
    parcel: str,
    claims: Mapping[str, Claim],
    words: str,
    person_id: int,
    pictures: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A member has looked at the parcel; `claims` by the lines' public ids; returns the check's public id.

    `pictures` are re-encoded ones (digest, width, height) of what is claimed. Whoever checks a parcel that is on the road
    says by this that it has arrived. Raises NotFound, NotThereYet, CheckedAlready, TooManyPacks, WrongWeight,
    TooManyPictures."""
    shown = {picture["digest"]: picture for picture in pictures}
    if len(shown) > MOST_PICTURES:
        raise TooManyPictures(parcel)
    row = locked(session, institution, parcel, person_id)
    actor = f"person:{person_id}"
    if row.state is S.SHIPPED:
        fulfilment.deliver(session, parcel=parcel, station=None, actor=actor, why="the institution has it")
    if row.state not in ARRIVED:
        raise NotThereYet(parcel)
    if session.scalar(select(GoodsCheck.id).where(GoodsCheck.parcel_id == row.id)) is not None:
        raise CheckedAlready(parcel)
    lines, grams = {line.public_id: line for line in remaining.of(session, row)}, grams_of(session, row)
    for name, claim in claims.items():
        if name not in lines:
            raise NotFound(name)
        refuse_more_than_came(lines[name], claim, grams)
    state = CheckState.CLAIMED if claims else CheckState.ACCEPTED
    public_id = write_down(session, row, state, words=words, actor=actor)
    kept = select(GoodsCheck.id).where(GoodsCheck.public_id == public_id)
    check_id = session.scalars(kept).one()
    for name, claim in claims.items():
        said = {"rejected_quantity": claim.rejected, "grams": claim.grams, "reason": claim.reason}
        add_rows(session, GoodsCheckLine, {"check_id": check_id, "order_line_id": lines[name].id, **said})
    for position, picture in enumerate(shown.values() if claims else (), start=1):
        made = {name: picture[name] for name in ("digest", "width", "height")} | {"public_id": ids.public_id()}
        add_row(session, GoodsCheckPicture, {"check_id": check_id, "position": position, **made})
    return public_id


def refuse_more_than_came(line: LineLeft, claim: Claim, grams: Mapping[int, int]) -> None:
    """Raises TooManyPacks, WeighsMore, and WeighsTooLittle for what looks like a slip of the keyboard."""
    if not 0 <= claim.rejected <= line.units:
        raise TooManyPacks(line.public_id, line.units)
    if claim.grams is not None and claim.grams >= grams[line.id] * (line.units - claim.rejected):
        raise WeighsMore(line.public_id)
    if claim.grams is not None and is_a_slip(claim.grams, promised_grams=grams[line.id] * (line.units - claim.rejected)):
        raise WeighsTooLittle(line.public_id)


def grams_of(session: Session, parcel: Parcel) -> dict[int, int]:
    """By line, what one pack was promised to weigh."""
    wanted = select(OrderLine.id, OrderLine.net_weight_grams).where(OrderLine.parcel_id == parcel.id)
    return {row.id: row.net_weight_grams for row in session.execute(wanted)}


def write_down(session: Session, parcel: Parcel, state: CheckState, *, words: str, actor: str) -> str:
    now, public_id = clock.now(), ids.public_id()
    ended = None if state is CheckState.CLAIMED else now
    told = {"public_id": public_id, "parcel_id": parcel.id, "state": state, "words": words}
    add_row(session, GoodsCheck, {**told, "checked_at": now, "ended_at": ended})
    mine = GoodsCheck(public_id=public_id)
    leave_trace(session, mine, None, state, actor=actor, why=state.value, station=parcel.station_code)
    return public_id


def locked(session: Session, institution: str, parcel: str, person_id: int) -> Parcel:
    """A parcel of an order on account that is not paid, with its order locked. Raises NotFound."""
    mine = of_member(session, institution, person_id)
    row = fulfilment.get_parcel(session, parcel, station=None)
    account = session.get(AccountOrder, row.order_id)
    if account is None or account.institution_id != mine.id or row.order.state is not OrderState.PLACED_ON_ACCOUNT:
        raise NotFound(parcel)
    return row


def parts_of(
    lines: Sequence[LineLeft], claimed: Sequence[GoodsCheckLine], grams: Mapping[int, int]
) -> list[tuple[str, Part]]:
    """What comes off, each with its reason: packs with their shipping, and of the rest what it lacks in weight."""
    known = {line.id: line for line in lines}
    found: list[tuple[str, Part]] = []
    for claim in claimed:
        line = known[claim.order_line_id]
        packs = line.part(min(claim.rejected_quantity, line.units), with_shipping=True)
        if packs.fen:
            found.append((claim.reason, packs))
        if claim.grams is not None:
            found += [(LIGHTER, part) for part in lighter(line, packs, claim.grams, promised=grams[line.id])]
    return found


def lighter(line: LineLeft, packs: Part, grams: int, *, promised: int) -> list[Part]:
    """`grams`: of all packs of the line but these; each was `promised` to weigh so much. What stays is rounded down."""
    kept = without(line, packs)
    promised *= kept.units
    if grams >= promised:
        return []
    off, fee_off = (
        lighter_by(money, promised_grams=promised, grams=grams) for money in (kept.goods_fen, kept.service_fee_fen)
    )
    part = kept.of_price(off, fee_off)
    return [part] if part.fen else []


def answer_at_desk(session: Session, *, check: str, station: str, agrees: bool, why: str, person_id: int) -> None:
    """By somebody of the station who has no part in the institution. Raises as `answer`, and OwnApplication."""
    _row, parcel = of_station(session, check, station)
    keeping.refuse_own(session, session.get_one(AccountOrder, parcel.order_id).institution_id, person_id)
    answer(session, check=check, station=station, agrees=agrees, why=why, actor=f"person:{person_id}")


def answer(session: Session, *, check: str, station: str | None, agrees: bool, why: str, actor: str) -> None:
    """The station agrees, and the bill is lowered; or it does not, and says why. Raises NotFound, StaleState."""
    row, parcel = of_station(session, check, station)
    to = CheckState.AGREED if agrees else CheckState.REJECTED
    also: dict[str, Any] = {"answer": why, "ended_at": clock.now(), "station": parcel.station_code}
    transition(session, row, to, expected=CheckState.CLAIMED, actor=actor, why=why or to.value, **also)
    if agrees:
        credit_claims(session, row, parcel)
    told = {"actor": actor, "action": f"goods_check.{to}", "why": why}
    audit.record(session, **told, subject=f"parcel:{parcel.public_id}")


def at_stake(session: Session, check: str) -> int:
    """Fen that come off the bill, were this claim agreed to now."""
    row = session.scalars(select(GoodsCheck).where(GoodsCheck.public_id == check)).one()
    return sum(part.fen for _reason, part in claimed_parts(session, row, session.get_one(Parcel, row.parcel_id)))


def claimed_parts(session: Session, row: GoodsCheck, parcel: Parcel) -> list[tuple[str, Part]]:
    claimed = session.scalars(select(GoodsCheckLine).where(GoodsCheckLine.check_id == row.id)).all()
    return parts_of(remaining.of(session, parcel), claimed, grams_of(session, parcel))


def credit_claims(session: Session, row: GoodsCheck, parcel: Parcel) -> None:
    for position, (reason, part) in enumerate(claimed_parts(session, row, parcel)):
        repaying.repay(session, parcel, [part], reason_key=f"check:{row.public_id}:{position}", reason=reason)


def of_station(session: Session, check: str, station: str | None) -> tuple[GoodsCheck, Parcel]:
    """The check and its parcel, the order locked. Raises NotFound for another station's."""
    wanted = select(Parcel.public_id).join(GoodsCheck, GoodsCheck.parcel_id == Parcel.id)
    public_id = session.scalar(wanted.where(GoodsCheck.public_id == check))
    if public_id is None:
        raise NotFound(check)
    parcel = fulfilment.get_parcel(session, public_id, station=station)
    found = select(GoodsCheck).where(GoodsCheck.public_id == check).execution_options(populate_existing=True)
    return session.scalars(found).one(), parcel


def accept_unchecked(session: Session) -> bool:
    """The worker's step: one parcel that nobody checked in time was accepted. True if there was one."""
    checked = select(GoodsCheck.parcel_id)
    wanted = select(Parcel.public_id).join(AccountOrder, AccountOrder.order_id == Parcel.order_id)
    wanted = wanted.join(Order, Order.id == Parcel.order_id).where(Order.state == OrderState.PLACED_ON_ACCOUNT)
    wanted = wanted.where(HAS_ARRIVED, Parcel.id.not_in(checked))
    wanted = wanted.where(Parcel.delivered_at <= clock.now() - CHECK_WITHIN)
    found = session.scalar(wanted.order_by(Parcel.delivered_at).limit(1))
    if found is None:
        return False
    row = fulfilment.get_parcel(session, found, station=None)
    if session.scalar(select(GoodsCheck.id).where(GoodsCheck.parcel_id == row.id)) is None:
        write_down(session, row, CheckState.ACCEPTED, words="", actor="system")
    return True


def agree_unanswered(session: Session) -> bool:
    """The worker's step: one claim that the station did not answer in time is agreed to. True if there was one."""
    wanted = select(GoodsCheck.public_id).where(GoodsCheck.state == CheckState.CLAIMED)
    wanted = wanted.where(GoodsCheck.checked_at <= clock.now() - ANSWER_WITHIN)
    found = session.scalar(wanted.order_by(GoodsCheck.checked_at).limit(1))
    if found is None:
        return False
    row, _parcel = of_station(session, found, None)
    if row.state is CheckState.CLAIMED:
        answer(session, check=found, station=None, agrees=True, why="", actor="system")
    return True
