"""A hundred savers at once: one card, one voucher; one device; one hand-over. The books agree afterwards."""

import secrets
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from crowdfund.pledges import children, choosing, confirming, devices, handover, holding, mishaps
from crowdfund.pledges.confirming import Deposit
from crowdfund.pledges.models import Assignment, ChildCase, Deal, Device, Handover, Pledge, Programme, Voucher
from crowdfund.pledges.refusals import CardGone, EndedBefore, NoDevice, QuotaFull, TooLateToCancel
from crowdfund.pledges.states import CaseState, DeviceState, PledgeState, VoucherState
from marketplace.auditing import checks, devices as audited, lives
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, Refusal, StaleState
from marketplace.core.transitions import EventRow
from tests.pledges.conftest import BANK, JIXIAN, OURS, World, case_of, get

MANY = [pytest.param(12), pytest.param(100, marks=pytest.mark.full)]


def at_once(app: Flask, jobs: list[Callable[[], Any]]) -> Counter[str]:
    """What came of each: `done`, or the name of the refusal. All are let go in the same moment, each with its own thread."""

    start = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> str:
        with app.app_context():
            start.wait()
            try:
                job()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    db.session.remove()
    with ThreadPoolExecutor(len(jobs)) as pool:
        return Counter(pool.map(run, jobs))


def enter(number: str) -> str:
    return in_transaction(choosing.enter, bank=BANK, number=number, issued_on=clock.today())


def first_card(token: str, place: int = 0) -> str:
    choice = choosing.find(db.session(), token)
    cards = db.session.scalars(select(Deal.cards).where(Deal.choosing_id == choice.id)).first()
    assert cards
    return str(cards[place]["case"])


def hold(token: str, case: str) -> Callable[[], Any]:
    return lambda: in_transaction(holding.hold, token=token, case=case, saver_id=None)


def assign(pledge: str) -> Callable[[], Any]:
    return lambda: in_transaction(devices.assign, pledge=pledge, actor="office")


def count(kind: type[Any], *conditions: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(kind).where(*conditions)) or 0


def differences() -> list[Difference | str]:
    """What the independent reader says of vouchers, children, devices, their books and their traces."""
    db.session.remove()
    with db.engine.connect() as connection:
        found = [*checks.run(connection, (*audited.DEVICES, *audited.PLEDGES)), *lives.differences(connection)]
    return [finding for finding in found if isinstance(finding, Difference)]


@pytest.mark.parametrize("savers", MANY)
def test_a_hundred_savers_on_one_card(real_world: World, savers: int) -> None:
    tokens = [enter(f"QQ{number:08}") for number in range(savers)]
    case = first_card(tokens[0])

    found = at_once(real_world.app, [hold(token, case) for token in tokens])

    assert found == {"done": 1, CardGone.__name__: savers - 1}
    pledge = db.session.scalars(select(Pledge)).one()
    assert (pledge.state, pledge.label["case"]) == (PledgeState.HELD, case)
    assert (count(Voucher), claimed()) == (1, 1)  # who came too late has left nothing behind
    assert count(ChildCase, ChildCase.state == CaseState.HELD) == 1
    assert count(EventRow, EventRow.to_state == CaseState.HELD, EventRow.subject.startswith("child_case:")) == 1
    assert differences() == []


def claimed() -> int:
    return db.session.scalars(select(Programme.claimed).order_by(Programme.id)).all()[0]


@pytest.mark.parametrize("savers", MANY)
def test_a_hundred_savers_on_one_voucher(real_world: World, savers: int) -> None:
    """Each before cards of their own, so that nothing but the voucher can stop them."""
    tokens = [enter("QQ20260001") for _saver in range(savers)]
    cases = [first_card(token, place % 3) for place, token in enumerate(tokens)]
    assert len(set(cases)) == 3

    found = at_once(real_world.app, [hold(token, case) for token, case in zip(tokens, cases, strict=True)])

    assert found == {"done": 1, CardGone.__name__: savers - 1}
    assert (count(Pledge), count(Voucher), claimed()) == (1, 1, 1)
    assert count(ChildCase, ChildCase.state == CaseState.HELD) == 1
    assert db.session.scalars(select(Voucher.state)).one() is VoucherState.HELD
    assert differences() == []


@pytest.mark.parametrize("savers", MANY)
def test_a_hundred_savers_of_one_voucher_through_the_form(real_world: World, savers: int) -> None:
    """Two tabs, a hundred times: one choice, one pledge, and everybody is shown that one."""
    choice = real_world.type_voucher(real_world.browser()).headers["Location"]
    case, places = first_card(choice.rpartition("/")[2]), set[str]()

    def press() -> None:
        answer = real_world.browser().post(
            f"{choice}/pledges", data={"idempotency_key": "one", "case": case}, headers=OURS, environ_base=somewhere()
        )
        assert answer.status_code == 303
        places.add(answer.headers["Location"])

    assert at_once(real_world.app, [press] * savers) == {"done": savers}
    assert len(places) == 1 and (count(Pledge), claimed()) == (1, 1)


def somewhere() -> dict[str, str]:
    """Another address each time: a hundred people are not one who tries too often."""
    return {"REMOTE_ADDR": f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"}


@pytest.mark.parametrize("savers", MANY)
def test_the_last_watch_of_the_quota_is_promised_once(real_world: World, savers: int) -> None:
    tokens = [enter(f"QQ{number:08}") for number in range(savers)]
    cases = [first_card(token, place % 3) for place, token in enumerate(tokens)]
    db.session.execute(update(Programme).values(quota=20, claimed=19))
    db.session.commit()

    found = at_once(real_world.app, [hold(token, case) for token, case in zip(tokens, cases, strict=True)])

    assert found["done"] == 1 and found["done"] + found[CardGone.__name__] + found[QuotaFull.__name__] == savers
    assert (count(Pledge), count(ChildCase, ChildCase.state == CaseState.HELD), claimed()) == (1, 1, 20)


def test_two_pledges_get_two_devices(real_world: World) -> None:
    codes = [real_world.pledged(f"QQ{number:08}") for number in range(3)]
    for code in codes:
        real_world.confirm(code)
    pledges = [get(code).public_id for code in codes]

    found = at_once(real_world.app, [assign(pledge) for pledge in pledges * 2])

    assert found == {"done": 3, IllegalTransition.__name__: 3}
    assert db.session.scalar(select(func.count(func.distinct(Assignment.device_id)))) == 3
    assert differences() == []


@pytest.mark.parametrize("officers", MANY)
def test_one_device_is_reserved_once(real_world: World, officers: int) -> None:
    codes = [real_world.pledged(f"QQ{number:08}") for number in range(3)]
    for code in codes:
        real_world.confirm(code)
    pledges = [get(code).public_id for code in codes]
    spare = db.session.scalars(select(Device.public_id).order_by(Device.id)).all()[1:]
    for device in spare:
        in_transaction(mishaps.report, device=device, there=DeviceState.FAULTY, actor="office", reason="x")

    found = at_once(real_world.app, [assign(pledge) for pledge in pledges * (officers // 3)])

    assert found["done"] == 1 and set(found) <= {"done", NoDevice.__name__, IllegalTransition.__name__}
    assert count(Assignment) == 1 and count(Pledge, Pledge.state == PledgeState.ALLOCATED) == 1
    assert differences() == []


def test_one_device_is_handed_over_once(real_world: World) -> None:
    code, device = real_world.at_station()
    who: dict[str, Any] = {"clerk_id": real_world.people["clerk"].id, "actor": "clerk", "station": JIXIAN}
    who |= {"witness": real_world.people["manager"].public_id, "witness_digits": real_world.witness_digits("manager")}
    who |= {"code": real_world.code_for_guardian(code), "recipient": "mother"}

    found = at_once(real_world.app, [lambda: in_transaction(handover.hand_over, device=device, **who)] * 12)

    assert found == {"done": 1, IllegalTransition.__name__: 11}
    assert (count(Handover), get(code).state) == (1, PledgeState.HANDED_OVER)
    assert differences() == []


@pytest.mark.parametrize("turn", range(3))
def test_a_withdrawal_meets_a_saver_who_declares_and_a_bank_that_confirms(real_world: World, turn: int) -> None:
    """Whoever is first: the child is off the list, nothing of the pledge hangs in the air, and the books agree."""
    code = real_world.pledged() if turn else real_world.choose(real_world.browser())
    case, pledge = case_of(code).public_id, get(code).public_id
    deposit = Deposit(clock.today(), "城关", "30k")
    jobs: list[Callable[[], Any]] = [
        lambda: in_transaction(children.withdraw, officer=real_world.keeper, case=case),
        lambda: in_transaction(holding.declare, code=code, phone="13835172045"),
        lambda: in_transaction(confirming.confirm, pledge=pledge, bank=BANK, deposit=deposit, actor="bank"),
        lambda: in_transaction(holding.cancel, code=code),
    ]
    found = at_once(real_world.app, jobs)

    refusals = (IllegalTransition, StaleState, TooLateToCancel, EndedBefore)  # the last: it was taken back by then
    assert set(found) <= {"done", *(each.__name__ for each in refusals)}
    assert case_of(code).state is CaseState.WITHDRAWN
    assert get(code).state in {PledgeState.ON_HOLD, PledgeState.REVOKED, PledgeState.CANCELLED}
    assert differences() == []
