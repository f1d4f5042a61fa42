"""The failure stories of giving: what has gone wrong elsewhere, played here. Each line: the story, where it is played.

- A recurring job is started ten times at once, nobody is charged twice: here; `campaigns/plans/test_races.py`.
- A bank's file is imported twice, nothing is paid twice: `batches/test_bank_file.py` (by three at once),
  `institutions/test_bank_transfers.py` (the same line of the bank).
- 366 needs and a crowd that goes on giving, by each of the three policies: here.
- Beneficiaries outside the published criteria are blocked: `campaigns/test_criteria.py`.
- A receipt is never still valid after a refund: `public_ledger/test_yearly.py` (the database's own rule), `test_receipts.py`
  and `faults/test_whole_campaign.py` (somebody looks all the time).
- Somebody anonymous is not named by a later mail, page, export or row: here; `campaigns/test_together.py` (cards, teams),
  `public_ledger/test_yearly.py` (receipts).
- A presale 24 times over its goal stops at what the field bears: here; `presales/test_races.py`.
- A matching fund is not overdrawn by gifts at once: `faults/test_matching.py` (22).
- A whole campaign goes back over a bad line, nothing is lost or sent twice: `faults/test_whole_campaign.py`.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.routing import IntegerConverter, Rule

from crowdfund.campaigns import disbursing, lifecycle, receipts
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.news import telling as news
from crowdfund.campaigns.plans import asking
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.room import GoalReached, LessIsNeeded
from crowdfund.campaigns.teams import joining
from crowdfund.campaigns.yearly import issuing
from crowdfund.presales import backing
from crowdfund.presales.backing import Backer
from crowdfund.presales.places import FieldIsSold
from marketplace.core import sealing
from marketplace.core.db import Base, db, in_transaction
from marketplace.core.money import Money
from marketplace.notifications.models import Message
from marketplace.payments.models import Refund
from marketplace.payments.states import RefundState
from tests.campaigns.conftest import BUDGET, FOUNDATION, STATION, Fund, fund, gift_of, public_rows
from tests.campaigns.plans.conftest import Monthly, charges_at, months, noon_of, real_monthly
from tests.campaigns.plans.test_races import at_once, charge_all
from tests.campaigns.test_receiving import differences
from tests.conftest import Thinned
from tests.factories import make_person, sign_in_as, signed_in
from tests.presales.conftest import ONE, Orchard, real_orchard, wrong

__all__ = ["fund", "real_monthly", "real_orchard"]

NEEDS, PIECE = 366, 2250
CROWD = 400
DUE = "2026-02-28"
NAME, CONTACT, MESSAGE = "欧阳隐名", "hidden@example.test", "替我向孩子们问好"
GRANNY = "granny@example.test"
ROLES = ("buyer", "seller", "station_manager", "operator", "finance_operator", "auditor")


def ask_and_charge() -> None:
    asking.ask_for_due()
    charge_all()


def test_a_recurring_job_started_ten_times_at_once(real_monthly: Monthly) -> None:
    campaign = real_monthly.campaign()
    plans = [real_monthly.start(campaign) for _number in range(3)]
    with real_monthly.at(noon_of(DUE)):
        at_once(real_monthly, *[asking.ask_for_due] * 10)
        at_once(real_monthly, *[charge_all] * 10)
        real_monthly.work()
        at_once(real_monthly, *[ask_and_charge] * 10)
        real_monthly.work()

    assert [months(plan)[1:] for plan in plans] == [[(DUE, "received", 1, "received")]] * 3
    assert charges_at(real_monthly.cashier) == ["succeeded"] * 3
    assert real_monthly.fund.balance(campaign) == 3 * 2 * 2000
    assert differences(real_monthly.fund) == []


@pytest.mark.full
@pytest.mark.parametrize("past_goal", ["stop", "stretch", "next_project"])
def test_366_needs_and_a_crowd_that_goes_on_giving(fund: Fund, past_goal: str) -> None:
    """Everybody gives one piece and began while there was room; their money arrives at the same moment."""
    goal = NEEDS * PIECE
    words = {"past_goal": past_goal, "next_project_zh": "下学期补书" if past_goal == "next_project" else ""}
    budget = (Line("图书 366 册", goal),)
    campaign = fund.open(budget=budget, goal_fen=goal, unit_fen=PIECE, **words)
    gifts = [fund.begin(campaign, PIECE) for _each in range(CROWD)]
    for gift in gifts:
        fund.pay(gift)
    start = Barrier(8)

    def arrive(part: list[str]) -> None:
        with fund.app.app_context():
            start.wait()
            for gift in part:
                fund.arrive(gift)
            db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(arrive, [gifts[number::8] for number in range(8)]))

    db.session.rollback()
    states = Counter(str(state) for state in db.session.scalars(select(Contribution.state)))
    fits = NEEDS if past_goal == "stop" else CROWD
    assert states == Counter({"received": fits, "lapsed": CROWD - fits}) - Counter()
    assert fund.balance(campaign) == fits * PIECE
    if past_goal == "stop":
        with pytest.raises(GoalReached):
            fund.begin(campaign, 1)
        fund.work()
        fund.work()
        back = db.session.scalars(select(Refund.state)).all()
        assert len(back) == CROWD - NEEDS and RefundState.FAILED not in back
    else:
        fund.begin(campaign, PIECE)
    valid = db.session.scalars(select(Receipt.fen).where(Receipt.state == "issued")).all()
    assert valid == [PIECE] * fits
    assert differences(fund) == []


def test_a_gift_larger_than_what_is_needed_is_told_what_is(fund: Fund) -> None:
    campaign = fund.open(past_goal="stop")
    fund.give(campaign, 1_799_990)
    with pytest.raises(LessIsNeeded) as refused:
        fund.begin(campaign, 11)
    assert refused.value.left_fen == 10 and fund.balance(campaign) == 1_799_990


def test_a_presale_24_times_over_its_goal_is_blocked_at_what_the_field_bears(real_orchard: Orchard) -> None:
    """Goal ¥90.00, the field bears 100 kg: forty boxes. Twenty-four times the goal would be seventy-two."""
    orchard = real_orchard
    orchard.open(most=1000, yield_kg=100)
    app = orchard.shop.app

    def take(number: int) -> bool:
        told: Any = {"presale": orchard.presale, "tier": orchard.one, "shown_fen": ONE}
        with app.app_context():
            try:
                in_transaction(backing.begin, **told, backer=Backer(f"13835172{number:03}"))
            except FieldIsSold:
                return False
            finally:
                db.session.remove()
        return True

    with ThreadPoolExecutor(6) as pool:
        taken = sum(pool.map(take, range(24 * 9000 // ONE)))
    row = orchard.row()
    assert taken == 40 and (row.taken_grams, row.cap_grams) == (100_000, 100_000)
    assert orchard.tier(orchard.one).taken == 40 and wrong(orchard) == []


def a_long_life(fund: Fund) -> tuple[str, list[str]]:
    """Somebody anonymous gives in every way there is, and everything happens to it afterwards; the campaign, their gifts."""
    campaign = fund.open()
    secret: dict[str, Any] = {"name": NAME, "anonymity": "anonymous", "contact": CONTACT}
    leader = make_person(name="赵明")
    team = in_transaction(
        joining.open_team, campaign=campaign, leader_id=leader.id, shown_as="赵**", name="三年二班", words=""
    )
    person = make_person(name=NAME, email="hidden.account@example.test")
    gifts = [
        fund.give(campaign, 31_70, **secret, message=MESSAGE),
        fund.give(campaign, 31_71, **secret, honour=Honour("外婆", "您教我认字", GRANNY)),
        fund.give(campaign, 31_72, **secret, team=team),
        fund.give(campaign, 31_73, **secret, person_id=person.id),
    ]
    fund.give(campaign, 5, name="公开人", anonymity="named")
    told: Any = {"campaign": campaign, "author": fund.officer.id, "organisations": [FOUNDATION]}
    in_transaction(news.tell, words=("书到了", "谢谢大家"), pictures=[], **told)
    numbers = db.session.scalars(select(Contribution.id).where(Contribution.person_id == person.id)).all()
    whose: Any = {"person": person.id, "organisation": FOUNDATION, "book": "test", "year": 2026}
    in_transaction(issuing.bring_together, **whose, gifts=numbers)
    fund.work()
    seal()
    return campaign, gifts


def seal() -> None:
    while in_transaction(sealing.seal, chain="public"):
        pass
    in_transaction(sealing.close_days, chain="public")


def ask_for_money(fund: Fund, campaign: str) -> str:
    bill = disbursing.Bill(Money(500), "图书", "临汾新华书店", "91140000MA0K2X7Q3P", "INV1")
    asked: Any = {"campaign": campaign, "budget_line": 1, "bill": bill, "requester_id": fund.officer.id}
    return in_transaction(disbursing.request, **asked)


def everything_to_read(fund: Fund, campaign: str, payment: str) -> list[str]:
    """Every address that can be made of what strangers know."""
    day = date.today().isoformat()  # noqa: DTZ011
    known = {"campaign": campaign, "disbursement": payment, "day": day, "width": "320", "names": "apple", "month": day[:7]}
    db.session.rollback()
    receipts_ = list(db.session.scalars(select(Receipt.public_id)))
    teams = list(db.session.execute(text("SELECT public_id FROM team")).scalars())
    rows = list(map(str, db.session.scalars(select(sealing.Seal.number).where(sealing.Seal.chain == "public"))))
    many = {"receipt": receipts_, "row": rows, "team": teams}
    with fund.app.test_request_context():
        adapter = fund.app.create_url_adapter(None) or fund.app.url_map.bind("localhost")
        found = []
        for rule in fund.app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and rule.endpoint != "static":
                found += [adapter.build(rule.endpoint, each) for each in blanks(rule, known, many)]
    return found + [f"/ledger?q={number}" for number in receipts_]


def blanks(rule: Rule, known: dict[str, str], many: dict[str, list[str]]) -> list[dict[str, Any]]:
    names = set(rule.arguments)
    filled: list[dict[str, Any]] = [{name: known[name] for name in names if name in known}]
    numbered = "row" if isinstance(rule._converters.get("number"), IntegerConverter) else "receipt"
    for name, several in (("number", many[numbered]), ("team", many["team"])):
        if name in names:
            filled = [each | {name: value} for each in filled for value in several]
    return [each for each in filled if set(each) == names]


def looks_of(client: FlaskClient, addresses: list[str]) -> list[str]:
    """Where anything of the giver stands."""
    secrets = (NAME, CONTACT, "hidden.account@", NAME.encode("unicode_escape").decode())
    said = {each: client.get(each).data.decode(errors="replace") for each in addresses}
    return [each for each, text_ in said.items() if any(secret in text_ for secret in secrets)]


@pytest.mark.pages
def test_nothing_later_names_somebody_anonymous(fund: Fund, thinned: Thinned) -> None:
    campaign, gifts = a_long_life(fund)
    payment = ask_for_money(fund, campaign)
    addresses = [*everything_to_read(fund, campaign, payment), dedicating.url_of(campaign, gifts[1])]
    assert len(addresses) > 60
    people: list[tuple[str, FlaskClient]] = [("stranger", fund.browser())]
    for role in ROLES:
        people.append((role, client := fund.browser()))
        signed_in(client, *([] if role == "buyer" else [role]), station=STATION)
    for name, officer in (("officer", fund.officer), ("approver", fund.approver)):
        people.append((name, client := fund.browser()))
        sign_in_as(client, officer)
    assert [(who, leak) for who, client in thinned(people) for leak in looks_of(client, addresses)] == []

    in_transaction(disbursing.reject, disbursement=payment, approver_id=fund.approver.id, reason="不需要")
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="材料不实")
    fund.work()
    remote = fund.remote_of(gifts[0])
    fund.cashier.fail_refund(fund.cashier.refunds_of(remote)[-1].remote_id)
    fund.work()
    seal()
    assert [(who, leak) for who, client in thinned(reversed(people)) for leak in looks_of(client, addresses)] == []

    others = [
        row for row in db.session.scalars(select(Message)) if row.address not in {CONTACT, "hidden.account@example.test"}
    ]
    assert others and not [row.fact for row in others if NAME in row.text or CONTACT in row.text]
    assert {who for kind, fen, who in public_rows(campaign) if abs(fen) > 3000} == {""}
    assert gift_of(gifts[0]).giver == NAME  # it is known, encrypted, for the receipt alone
    assert receipts.of(db.session(), contribution=gifts[0]) is not None  # it came back to the campaign


def test_no_table_has_the_name_of_somebody_anonymous_in_the_clear(fund: Fund) -> None:
    """Whatever is exported tomorrow is made of these. An account's own name is its own."""
    a_long_life(fund)
    db.session.rollback()
    for table in Base.metadata.sorted_tables:
        rows: Any = db.session.execute(text(f'SELECT * FROM "{table.name}"'))
        found = [row for row in rows if any(secret in str(tuple(row)) for secret in (NAME, CONTACT))]
        assert table.name == "person" or not found, table.name


def test_who_is_shown_cannot_be_changed_afterwards(fund: Fund) -> None:
    campaign = fund.open()
    fund.give(campaign, 700, name=NAME, anonymity="anonymous")
    with pytest.raises(Exception, match="append-only"), db.session.begin_nested():
        db.session.execute(text("UPDATE public_row SET who = :name"), {"name": NAME})
    db.session.rollback()
    assert public_rows(campaign) == [("gift", 700, "")]
    assert sum(line.fen for line in BUDGET) == 1_800_000
