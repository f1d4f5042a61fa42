"""Two phones and a desk work on the same parcels; what they send is dropped, doubled, shuffled, and their clocks are wrong.

In the end nothing is lost and nothing done twice. The oracle walks each parcel by itself: from place to place, as long as
somebody wrote a step that follows; whoever came first took it, the others found it so or wait for a person."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest

from marketplace.core.db import db
from marketplace.core.errors import Refusal
from marketplace.core.transitions import EventRow
from marketplace.orders.models import Parcel
from marketplace.orders.offline import syncing
from marketplace.orders.offline.models import DeskAct
from marketplace.orders.offline.steps import STEPS
from tests.examples import enough
from tests.offline.conftest import ENTERED, MakePhone, Phone, make_parcel, take

HOUR = 3_600_000
SAID = {"applied", "already_so", "waiting", "conflict"}


@dataclass
class Hand:
    """Somebody with a phone that knows only its list and what was written in it."""

    phone: Phone
    chance: random.Random
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: list[dict[str, Any]] = field(default_factory=list)

    def refresh(self) -> None:
        """A new list; what was not delivered yet goes on from it, as the phone's script does it."""
        found = self.phone.list()
        self.known = {parcel["id"]: {**parcel, "place": parcel["steps"]} for parcel in found["parcels"]}
        for act in self.written:
            self.move(act)

    def move(self, act: dict[str, Any]) -> None:
        parcel = self.known.get(act["parcel"])
        if parcel and parcel["place"] == act["after"] and parcel["state"] == STEPS[act["step"]].here:
            parcel["state"], parcel["place"] = STEPS[act["step"]].there.value, act["after"] + 1

    def write(self) -> bool:
        """One step of some parcel on the list; False where nothing is left to do."""
        possible = [
            (parcel, name)
            for parcel in self.known.values()
            for name, step in STEPS.items()
            if step.here == parcel["state"] and step.delivery in ("", parcel["delivery"])
            if name != "pickup" or parcel["id"] in self.codes
        ]
        if not possible:
            return False
        parcel, step = self.chance.choice(possible)
        entered = ENTERED.get(step, {})
        if step == "packing" and self.chance.random() < 0.1:
            entered = {"shelf": f"A-{self.chance.randint(1, 9)}"}
        if step == "pickup":
            entered = {"code": self.codes[parcel["id"]]}
        act = self.phone.act(step, parcel["id"], parcel["place"], **entered)
        self.written.append(act)
        self.waiting[act["key"]] = act
        self.move(act)
        return True

    def send(self, trouble: float) -> None:
        """What waits goes out in shuffled handfuls; some never arrive, some arrive twice, some answers are lost."""
        acts = list(self.waiting.values())
        self.chance.shuffle(acts)
        for start in range(0, len(acts), 4):
            some = acts[start : start + 4]
            if self.chance.random() < trouble:
                continue
            for _time in range(1 + (self.chance.random() < trouble)):
                outcomes = self.phone.send(*some)
            assert {state for state, _problem in outcomes.values()} <= SAID
            if self.chance.random() >= trouble:
                for key in outcomes:
                    self.waiting.pop(key)


def live(make_phone: MakePhone, seed: int, operations: int) -> list[Hand]:
    chance = random.Random(seed)
    hands = [Hand(make_phone(), chance) for _ in range(2)]
    parcels = [make_parcel(delivery=chance.choice(["courier", "pickup"])) for _ in range(operations // 6)]
    for hand in hands:
        hand.refresh()
    done = 0
    while done < operations:
        hand = chance.choice(hands)
        hand.phone.slow = chance.randint(-30 * HOUR, 30 * HOUR)
        learn_codes(hands)
        done += hand.write()
        if chance.random() < 0.1:
            hand.send(trouble=0.3)
        if chance.random() < 0.03:
            hand.refresh()
        if chance.random() < 0.05:
            work_at_the_desk(chance, parcels)
        if not any(hand.known.values()) or chance.random() < 0.02:
            parcels.append(make_parcel())
            hand.refresh()
    while any(hand.waiting for hand in hands):
        for hand in hands:
            hand.send(trouble=0.1)
    syncing.look_again()
    return hands


def learn_codes(hands: list[Hand]) -> None:
    """Buyers come with the code they have; it is shown to whoever they come to."""
    db.session.rollback()
    codes = {row.public_id: row.pickup_code or "" for row in db.session.query(Parcel).where(Parcel.pickup_code.is_not(None))}
    for hand in hands:
        hand.codes = codes


def work_at_the_desk(chance: random.Random, parcels: list[Parcel]) -> None:
    db.session.rollback()
    parcel = chance.choice(parcels)
    state, delivery = db.session.query(Parcel.state, Parcel.delivery).where(Parcel.id == parcel.id).one()
    for name, step in STEPS.items():
        if step.here is state and step.delivery in ("", delivery) and name != "pickup":
            try:
                take(parcel, name)
            except Refusal as refusal:
                raise AssertionError(name) from refusal
            return


def judge(written: set[str]) -> Counter[str]:
    """How many acts ended how, after everything that must be true of them was looked at; `written`: their keys."""
    db.session.rollback()
    acts = {row.client_key: row for row in db.session.query(DeskAct)}
    assert acts.keys() == written  # none lost, none invented
    events: dict[str, list[EventRow]] = defaultdict(list)
    for event in db.session.query(EventRow).where(EventRow.from_state != "").order_by(EventRow.id):
        events[event.subject.removeprefix("parcel:")].append(event)
    by_parcel: dict[str, list[DeskAct]] = defaultdict(list)
    for act in acts.values():
        by_parcel[act.parcel].append(act)
    for parcel in db.session.query(Parcel):
        walked, mine = events[parcel.public_id], by_parcel[parcel.public_id]
        state = "awaiting_acceptance"
        for place, event in enumerate(walked):
            assert event.from_state == state
            state = event.to_state
            applied = [act for act in mine if act.after == place and act.state == "applied"]
            assert [act.client_key for act in applied] == ([event.client_key] if event.client_key else [])
            for act in (act for act in mine if act.after == place and act not in applied):
                step = STEPS[act.step]
                is_same = (step.here, step.there) == (event.from_state, event.to_state)
                assert act.state == ("already_so" if is_same and may_be_the_same(act, parcel) else "conflict")
        assert parcel.state == state
        beyond = [act for act in mine if act.after >= len(walked)]
        assert {act.state.value for act in beyond} <= {"waiting", "conflict"}
        assert not [act for act in beyond if act.after == len(walked) and STEPS[act.step].here == state]
    return Counter(act.state.value for act in acts.values())


def keys_of(hands: list[Hand]) -> set[str]:
    return {act["key"] for hand in hands for act in hand.written}


def may_be_the_same(act: DeskAct, parcel: Parcel) -> bool:
    return act.step != "pickup" and (act.step != "packing" or f'"{parcel.shelf}"' in act.entered)


def test_sixty_operations(make_phone: MakePhone) -> None:
    ended = judge(keys_of(live(make_phone, seed=1, operations=60)))
    assert sum(ended.values()) == 60 and ended["applied"] > 30


@pytest.mark.full
def test_five_hundred_operations(make_phone: MakePhone, pytestconfig: pytest.Config) -> None:
    operations = enough(500, pytestconfig)
    ended = judge(keys_of(live(make_phone, seed=17, operations=operations)))
    assert sum(ended.values()) == operations
    least = operations // 100
    assert ended["applied"] > 50 * least and ended["already_so"] > 4 * least and ended["conflict"] >= least
