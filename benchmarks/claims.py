"""Claims a second: `python -m benchmarks.claims [NUMBER]`, on SQLite and on PostgreSQL.

Each claim goes through the commands that three forms run: a voucher is typed and three cards are dealt, one of them is kept,
the saver declares to be no relation. All savers draw from one list, so that they meet at the same cards and at one quota:
whoever comes too late takes the next card, as people do. What is measured beside it says benchmarks/replay.py."""

from datetime import date, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from benchmarks import replay
from crowdfund.pledges import children, choosing, holding, seeds
from crowdfund.pledges.children import Officer
from crowdfund.pledges.models import Agreement, DeviceModel, Partner, Programme
from crowdfund.pledges.refusals import CardGone
from crowdfund.pledges.states import NEEDED
from crowdfund.pledges.vault import Identity
from marketplace.accounts import people
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.idempotency import once
from marketplace.demo import places

BANK: Final = "bench"
COUNTIES: Final = ("141124", "141028", "140430", "140925", "140223")
CHILDREN: Final = 600
"""More than claims are measured. Every deal reads the list, and it is longer here than it will be in any county."""


def measure(number: int = replay.NUMBER) -> dict[str, replay.Pace]:
    return replay.on_both(open_programme, claim, number)


def open_programme(session: Session) -> None:
    places.load(session)
    session.flush()
    today = clock.today()
    session.add(Partner(code=BANK, kind="bank", name_zh="测试", name_en="Bench", voucher_length=0, is_demo=True))
    session.add(DeviceModel(code="watch", name_zh="手表", name_en="Watch", security_checked_on=today, is_approved=True))
    session.flush()
    facts: dict[str, Any] = {"quota": 100_000, "unit_value_fen": 29_900, "signed_on": today, "file_hash": "0" * 64}
    agreement = Agreement(partner_code=BANK, charity_zh="测试", charity_en="Bench", model_code="watch", **facts)
    session.add(agreement)
    session.flush()
    words = {"code": BANK, "name_zh": "测试", "name_en": "Bench", "minimum_band": "10k", "quota": agreement.quota}
    times = {"term_months": 12, "claim_days": 60, "opens_on": today, "closes_on": today + timedelta(days=90)}
    session.add(Programme(agreement_id=agreement.id, claimed=0, hold_minutes=30, pickup_days=30, **words, **times))
    seeds.provide(session)
    list_children(session)


def list_children(session: Session) -> None:
    first, second = (people.register(session, address=f"{name}@example.test") for name in ("first", "second"))
    session.flush()
    school, office = (Officer(each.id, "bench", frozenset(), frozenset(), reaches_all=True) for each in (first, second))
    birth = date(clock.today().year - 10, 1, 1)
    for number in range(CHILDREN):
        who = Identity("测试", f"{number:018}", birth, "测试", "测试", f"199{number:08}")
        told: dict[str, Any] = {"tier": number % 3 + 1, "need": "call_parents", "waiting_since": clock.today()}
        county = COUNTIES[number % len(COUNTIES)]
        case = children.nominate(session, officer=school, county=county, identity=who, **told)
        children.give_consent(session, officer=school, case=case, purposes=sorted(NEEDED), guardian="mother", method="paper")
        children.verify(session, officer=office, case=case)
        children.list_case(session, officer=office, case=case)


def claim(which: int) -> None:
    """Until one of the dealt cards could be kept."""
    code = next(kept for turn in count() if (kept := keep(which, turn)))
    in_transaction(holding.declare, code=code, phone="13800000000")


def keep(which: int, turn: int) -> str | None:
    """Type the voucher, take one card after another; None if others were faster with all three."""
    number = f"QQ{which:010}"
    token = in_transaction(choosing.enter, bank=BANK, number=number, issued_on=clock.today())
    dealt = choosing.deals_of(db.session(), choosing.find(db.session(), token))[-1].cards
    for card in dealt[which % 3 :] + dealt[: which % 3]:
        form = (f"pledge:{token}", f"{which}:{turn}:{card['case']}", card["case"])
        try:
            return in_transaction(once, holding.hold, idempotency=form, token=token, case=card["case"], saver_id=None)
        except CardGone:
            continue
    return None


if __name__ == "__main__":
    replay.main(measure)
