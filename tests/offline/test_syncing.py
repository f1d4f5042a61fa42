"""What phones send: each act once, in any order, and what does not fit waits for a person."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.offline import conflicts, syncing
from marketplace.orders.offline.models import DeskClient
from marketplace.orders.offline.states import ActState as A, Decision
from marketplace.orders.states import ParcelState as S
from marketplace.payments.disputes.standing import PaymentIsDisputed
from tests.factories import STATION
from tests.offline.conftest import TO_THE_SHELF, MakePhone, events, get, make_parcel, state_of, stored, take


def test_an_act_is_taken_once_and_keeps_the_phones_time_and_key(make_phone: MakePhone) -> None:
    phone = make_phone(slow=90_000)
    parcel = make_parcel()
    written = clock.now().replace(microsecond=0) + timedelta(hours=1)
    received = written + timedelta(hours=2)
    phone.list()
    with time_machine.travel(written, tick=False):
        act = phone.act("acceptance", parcel.public_id, 0)
    with time_machine.travel(received, tick=False):
        assert phone.send_one(act) == ("applied", None)
        assert phone.send_one(act) == ("applied", None)

    assert state_of(parcel) is S.ACCEPTED
    born, accepted = events(f"parcel:{parcel.public_id}")
    assert (accepted.client_key, accepted.client_at) == (act["key"], written - timedelta(seconds=90))
    assert (accepted.at, accepted.station) == (received, STATION)
    assert born.client_key is None
    row = stored(act["key"])
    assert (row.offset_milliseconds, row.sequence) == (90_000, 1)
    assert [event.to_state for event in events(f"desk_act:{act['key']}")] == ["received", "applied"]
    assert db.session.query(DeskClient).one().offset_milliseconds == 90_000


def test_acts_in_any_order_wait_for_the_step_before_them(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    acts = [phone.act(step, parcel.public_id, place) for place, step in enumerate(TO_THE_SHELF)]

    assert [phone.send_one(act)[0] for act in reversed(acts)] == ["waiting", "waiting", "waiting", "applied"]

    assert state_of(parcel) is S.READY_FOR_PICKUP
    assert [phone.send_one(act)[0] for act in acts] == ["applied"] * 4
    assert [event.to_state for event in events(f"parcel:{parcel.public_id}")][1:] == [
        "accepted",
        "collecting",
        "packed",
        "ready_for_pickup",
    ]
    assert get(parcel.public_id).shelf == "B-03"


def test_a_batch_is_taken_in_the_phones_own_order(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    acts = [phone.act(step, parcel.public_id, place) for place, step in enumerate(TO_THE_SHELF)]

    assert {state for state, _problem in phone.send(*reversed(acts)).values()} == {"applied"}


def test_what_another_phone_did_already_is_no_conflict(make_phone: MakePhone) -> None:
    mine, other = make_phone(), make_phone()
    parcel = make_parcel()
    first = [mine.act(step, parcel.public_id, place) for place, step in enumerate(TO_THE_SHELF)]
    second = [other.act(step, parcel.public_id, place) for place, step in enumerate(TO_THE_SHELF[:3])]
    mine.send(*first)

    assert set(other.send(*second).values()) == {("already_so", None)}
    assert len(events(f"parcel:{parcel.public_id}")) == 5


@pytest.mark.parametrize(
    ("step", "place", "mine", "theirs"),
    [
        ("packing", 2, {"shelf": "A-1"}, {"shelf": "B-03"}),
        (
            "dispatch",
            3,
            {"carrier": "顺丰", "tracking_number": "SF1234567"},
            {"carrier": "邮政", "tracking_number": "YT123456"},
        ),
    ],
)
def test_the_same_step_with_other_details_is_for_a_person(
    make_phone: MakePhone, step: str, place: int, mine: dict[str, str], theirs: dict[str, str]
) -> None:
    phone = make_phone()
    parcel = make_parcel("acceptance", "collection", *(["packing"] if place == 3 else []), delivery="courier")
    take(parcel, step, **theirs)

    assert phone.send_one(phone.act(step, parcel.public_id, place, **mine)) == ("conflict", "other_details")
    assert {name: getattr(get(parcel.public_id), name) for name in theirs} == theirs


def test_a_code_used_on_two_phones_is_for_a_person(make_phone: MakePhone) -> None:
    mine, other = make_phone(), make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    code = parcel.pickup_code or ""

    assert mine.send_one(mine.act("pickup", parcel.public_id, 4, code=code)) == ("applied", None)
    assert other.send_one(other.act("pickup", parcel.public_id, 4, code=code)) == ("conflict", "handed_over_twice")
    assert [event.to_state for event in events(f"parcel:{parcel.public_id}")].count("picked_up") == 1


def test_a_wrong_code_hands_nothing_over(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    code = parcel.pickup_code or ""
    wrong = f"{code[:8]}{(int(code[8]) + 1) % 10}"

    assert phone.send_one(phone.act("pickup", parcel.public_id, 4, code=wrong)) == ("conflict", "wrong_code")
    assert state_of(parcel) is S.READY_FOR_PICKUP


def test_what_was_kept_longer_meanwhile_is_not_taken_for_what_came_before(make_phone: MakePhone) -> None:
    """Nobody came, the buyer called, nobody came: places tell the first from the second, whenever they arrive."""
    mine, other = make_phone(), make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    late = other.act("no-show", parcel.public_id, 4)
    mine.send(mine.act("no-show", parcel.public_id, 4), mine.act("second-shelving", parcel.public_id, 5))

    assert other.send_one(late) == ("already_so", None)
    assert state_of(parcel) is S.READY_FOR_PICKUP
    assert other.send_one(other.act("no-show", parcel.public_id, 6)) == ("applied", None)
    assert state_of(parcel) is S.UNCOLLECTED


def test_what_was_refused_meanwhile_is_for_a_person(make_phone: MakePhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulfilment, "pay_back", lambda *_, **__: None)
    monkeypatch.setattr("listings.stock.put_back", lambda *_, **__: None)
    phone = make_phone()
    parcel = make_parcel("acceptance")
    given: dict[str, Any] = {"parcel": parcel.public_id, "station": STATION, "actor": "person:0", "reason": "霜打坏了"}
    in_transaction(fulfilment.refuse, **given)

    assert phone.send_one(phone.act("collection", parcel.public_id, 1)) == ("conflict", "went_otherwise")
    assert state_of(parcel) is S.REFUSED


def test_nothing_waits_for_a_parcel_that_is_over(make_phone: MakePhone, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was refused by itself, say, since nothing was brought: no step comes any more, so nobody waits a day for one."""
    phone = make_phone()
    parcel = make_parcel("acceptance")
    acts = [phone.act(step, parcel.public_id, place) for place, step in enumerate(("collection", "packing", "shelving"), 1)]
    late = phone.act("shelving", parcel.public_id, 3)
    assert phone.send_one(late) == ("waiting", None)
    monkeypatch.setattr(fulfilment, "pay_back", lambda *_, **__: None)
    monkeypatch.setattr("listings.stock.put_back", lambda *_, **__: None)
    in_transaction(fulfilment.refuse, parcel=parcel.public_id, station=STATION, actor="clerk", reason="nothing came")

    sent = phone.send(*acts)
    syncing.look_again()

    assert [sent[act["key"]][1] for act in acts] == ["went_otherwise", "not_possible", "went_otherwise"]
    assert (stored(late["key"]).state, stored(late["key"]).problem) == (A.CONFLICT, "went_otherwise")
    assert state_of(parcel) is S.REFUSED


def test_a_step_at_the_desk_lets_a_waiting_act_go_on(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    act = phone.act("collection", parcel.public_id, 1)
    assert phone.send_one(act)[0] == "waiting"
    take(parcel, "acceptance")

    syncing.look_again()

    assert stored(act["key"]).state is A.APPLIED
    assert state_of(parcel) is S.COLLECTING
    syncing.look_again()
    assert len(events(f"parcel:{parcel.public_id}")) == 3


def test_nobody_waits_longer_than_a_day(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    act = phone.act("collection", parcel.public_id, 1)
    phone.send_one(act)
    with time_machine.travel(clock.now() + timedelta(hours=23)):
        syncing.look_again()
        assert stored(act["key"]).state is A.WAITING
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        syncing.look_again()
        assert (stored(act["key"]).state, stored(act["key"]).problem) == (A.CONFLICT, "never_came")
    assert state_of(parcel) is S.AWAITING_ACCEPTANCE


def test_another_persons_key_and_another_content_are_refused(make_phone: MakePhone) -> None:
    mine, other = make_phone(), make_phone()
    parcel = make_parcel()
    act = mine.act("acceptance", parcel.public_id, 0)
    mine.send_one(act)

    assert other.send_one(act) == ("other_content", None)
    assert mine.send_one(act | {"at": act["at"] + 1}) == ("other_content", None)
    assert stored(act["key"]).state is A.APPLIED


def test_a_phone_that_signed_in_again_sends_what_it_had(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel()
    act = phone.act("acceptance", parcel.public_id, 0)
    phone.send_one(act)
    phone.name = str(uuid.uuid4())

    assert phone.send_one(act) == ("applied", None)
    assert len(events(f"parcel:{parcel.public_id}")) == 2


def test_a_disputed_parcel_that_left_is_for_a_person_and_may_be_handed_over_when_that_is_over(
    make_phone: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    act = phone.act("pickup", parcel.public_id, 4, code=parcel.pickup_code or "")

    def refuse(_session: Session, number: str) -> None:
        raise PaymentIsDisputed(number)

    with monkeypatch.context() as patch:
        patch.setattr("marketplace.orders.disputed.refuse_disputed", refuse)
        assert phone.send_one(act) == ("conflict", "disputed")
        assert state_of(parcel) is S.READY_FOR_PICKUP
        decided = {"act": act["key"], "station": STATION, "person_id": stored(act["key"]).person_id, "note": "给了"}
        with pytest.raises(PaymentIsDisputed):
            in_transaction(conflicts.decide, decision=Decision.AGAIN, **decided)
        assert stored(act["key"]).state is A.CONFLICT

    in_transaction(conflicts.decide, decision=Decision.AGAIN, **decided)

    assert state_of(parcel) is S.PICKED_UP
    assert events(f"parcel:{parcel.public_id}")[-1].client_key == act["key"]
