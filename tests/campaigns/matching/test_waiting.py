"""What looks circular or split waits for a person; the gift does not, and no cap is passed meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from crowdfund.campaigns import disbursing, lifecycle, receipts
from crowdfund.campaigns.drafting import Line
from crowdfund.campaigns.evidence import Kept, add
from crowdfund.campaigns.matching import deciding, funds, paying_in, traces
from crowdfund.campaigns.matching.traces import Origin
from crowdfund.campaigns.matching.waiting_models import LARGE_FEN, GiftTrace
from crowdfund.campaigns.models import Disbursement
from crowdfund.campaigns.reports import content, publishing
from crowdfund.campaigns.states import CampaignState as C, FundState as F, HeldState as H
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.notifications.models import Message
from marketplace.payments import attempts
from tests import statements
from tests.campaigns.conftest import Fund, get as campaign_of, gift_of, public_rows
from tests.campaigns.matching.conftest import SPONSOR, differences, match_of, open_fund, promise, standing
from tests.campaigns.matching.test_matching import send_back, spend
from tests.campaigns.matching.waiting import codes_of, give_with, held_of, held_state, name_of, sums_of
from tests.factories import make_person


def split(fund: Fund, campaign: str, number: int, fen: int = 1000, **where: str) -> list[str]:
    return [give_with(fund, campaign, fen, contact=f"s{each}@example.test", **where) for each in range(number)]


def decide(gift: str, verdict: H, person: int, why: str = "asked them") -> H:
    return in_transaction(deciding.decide, held=name_of(gift), verdict=verdict, person=person, why=why)


@pytest.mark.parametrize("tie", [{"card": "fp_1"}, {"device": "d" * 20}])
def test_one_card_or_device_under_several_names_waits_once_together_they_pass_the_cap(
    fund: Fund, tie: dict[str, Any]
) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    first, second, third = split(fund, campaign, 3, **tie)

    assert [codes_of(gift) for gift in (first, second, third)] == [[], ["tied"], ["tied"]]
    assert sums_of(opened) == (1000, 2000, 7000)
    assert fund.balance(campaign) == 4000  # three gifts, one match
    assert public_rows(campaign) == [("gift", 1000, ""), ("match", 1000, SPONSOR), ("gift", 1000, ""), ("gift", 1000, "")]
    assert all(receipts.fen_that_stayed(db.session(), gift) == 1000 for gift in (first, second, third))
    found = held_of(third)
    assert found and found.reasons == [{"code": "tied", "givers": 2, "fen": 3000}]
    assert differences(fund) == []


def test_a_family_on_one_phone_gets_its_matches_at_once(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    for gift in split(fund, campaign, 4, 300, device="d" * 20, network="home"):
        assert held_of(gift) is None
    assert sums_of(opened) == (1200, 0, 8800)


def test_an_office_on_payday_does_not_wait_and_a_row_of_names_at_the_cap_does(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, 100_000, giver_cap=5000)
    assert [codes_of(gift) for gift in split(fund, campaign, 8, 2000, network="office")] == [[]] * 8
    gifts = [give_with(fund, campaign, 5000, contact=f"n{n}@example.test", network="mill") for n in range(5)]
    assert [codes_of(gift) for gift in gifts] == [[], [], [], ["crowd"], ["crowd"]]


def test_a_weeks_crowd_counts_no_longer(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, 100_000, giver_cap=1000)
    split(fund, campaign, 3, network="mill")
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        assert codes_of(give_with(fund, campaign, 1000, contact="late@example.test", network="mill")) == []


def test_the_sponsors_card_and_network_wait_at_some_size(fund: Fund) -> None:
    campaign = fund.open()
    promised = promise(fund, campaign, giver_cap=1000)
    attempt = in_transaction(paying_in.start, fund=promised, person_id=None, origin=Origin(network="works"))
    attempts.submit(attempt, return_url="/", description="fund")
    fund.cashier.decide(fund.remote_of(promised), "succeeded", "fp_boss")
    fund.work()
    in_transaction(funds.activate, fund=promised, person=fund.approver.id)

    assert codes_of(give_with(fund, campaign, 299, contact="a@example.test", card="fp_boss")) == []
    assert codes_of(give_with(fund, campaign, 300, contact="b@example.test", card="fp_boss")) == ["sponsors_card"]
    assert codes_of(give_with(fund, campaign, 300, contact="c@example.test", network="works")) == []
    assert codes_of(give_with(fund, campaign, 1000, contact="d@example.test", network="works")) == ["sponsors_network"]


def test_insiders_and_providers_wait_at_some_size(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, 100_000, giver_cap=1000)
    fund.give(campaign, 50_000)
    spend(fund, campaign, 777)

    assert codes_of(fund.give(campaign, 200, person_id=fund.officer.id)) == []
    assert codes_of(fund.give(campaign, 200, person_id=fund.officer.id)) == ["insider"]  # together with the first
    assert codes_of(fund.give(campaign, 300, name="临汾 新华书店", contact="x@example.test")) == ["provider"]
    assert codes_of(fund.give(campaign, 300, name="临汾书店", contact="y@example.test")) == []
    db.session.execute(update(Disbursement).values(state="paid", paid_at=clock.now()))
    db.session.commit()
    assert codes_of(fund.give(campaign, 777, contact="z@example.test")) == ["echo"]
    assert codes_of(fund.give(campaign, 778, contact="v@example.test")) == []


def test_a_giver_whose_match_went_back_waits_the_next_time(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign)
    gift = give_with(fund, campaign, 500, contact="again@example.test", card="fp_1")
    in_transaction(send_back, gift, campaign, 500)
    again = give_with(fund, campaign, 500, contact="other@example.test", card="fp_1")
    assert codes_of(again) == ["came_back"]
    assert sums_of(opened) == (0, 500, 9500)


def test_a_released_match_is_made_as_if_at_once_and_its_giver_is_told(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    gift = split(fund, campaign, 2, card="fp_1")[1]

    assert decide(gift, H.RELEASED, fund.approver.id) is H.RELEASED
    fund.work()

    assert sums_of(opened) == (2000, 0, 8000)
    match = match_of(gift)
    assert match and (match.fen, match.giver[:8]) == (1000, "contact:")
    assert fund.balance(campaign) == 4000
    told = db.session.scalars(select(Message.text).where(Message.fact == f"gift_matched:{gift}")).one()
    assert SPONSOR in told and "¥10" in told
    assert differences(fund) == []


def test_a_denied_match_is_other_gifts_money_and_nobody_is_told(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, 2000, giver_cap=1000)
    gift = split(fund, campaign, 2, card="fp_1")[1]
    assert standing(opened)[0] is F.EXHAUSTED

    decide(gift, H.DENIED, fund.approver.id)
    fund.work()

    assert (sums_of(opened), standing(opened)[0], match_of(gift)) == ((1000, 0, 1000), F.ACTIVE, None)
    assert db.session.scalars(select(Message.fact).where(Message.fact.contains(gift))).all() == [f"gift_received:{gift}"]
    assert gift_of(gift).state == "received"
    with pytest.raises(StaleState):
        decide(gift, H.RELEASED, fund.approver.id)
    assert differences(fund) == []


def test_a_large_sum_wants_two_people_who_agree(fund: Fund) -> None:
    campaign = fund.open(goal_fen=9_000_000, budget=(Line("图书", 9_000_000),))
    open_fund(fund, campaign, 1_000_000, giver_cap=LARGE_FEN)
    gift = split(fund, campaign, 2, LARGE_FEN, card="fp_1")[1]
    second, third = make_person(), make_person()

    assert decide(gift, H.RELEASED, fund.approver.id) is H.PROPOSED
    with pytest.raises(deciding.SecondPerson):
        decide(gift, H.RELEASED, fund.approver.id)
    assert decide(gift, H.DENIED, second.id) is H.HELD
    assert decide(gift, H.DENIED, second.id) is H.PROPOSED
    assert decide(gift, H.DENIED, third.id) is H.DENIED
    found = held_of(gift)
    assert found and (found.proposer_id, found.decider_id, found.released_fen) == (second.id, third.id, 0)
    assert differences(fund) == []


def test_whoever_has_a_part_in_it_decides_nothing(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, giver_cap=1000)
    giver = make_person()
    split(fund, campaign, 1, card="fp_1")
    gift = give_with(fund, campaign, 1000, person_id=giver.id, card="fp_1")
    with pytest.raises(deciding.OwnGift):
        decide(gift, H.RELEASED, giver.id)
    with pytest.raises(lifecycle.NoReason):
        decide(gift, H.RELEASED, fund.approver.id, "  ")
    assert held_state(gift) is H.HELD


def test_a_match_that_waits_lapses_with_its_gift(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    gift = split(fund, campaign, 2, card="fp_1")[1]
    in_transaction(send_back, gift, campaign, 1)
    assert (held_state(gift), sums_of(opened)) == (H.LAPSED, (1000, 0, 9000))
    assert differences(fund) == []


def test_of_a_closed_fund_a_match_may_still_be_released_and_what_is_denied_goes_to_the_sponsor(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    _first, one, other = split(fund, campaign, 3, card="fp_1")
    in_transaction(funds.close, fund=opened, person=fund.officer.id, why="enough")
    fund.work()
    assert standing(opened) == (F.CLOSED, 1000, 7000, 2000)

    decide(one, H.RELEASED, fund.approver.id)
    decide(other, H.DENIED, fund.approver.id)
    fund.work()

    assert standing(opened) == (F.CLOSED, 2000, 8000, 0)
    assert differences(fund) == []


def test_when_the_campaign_is_called_off_what_waits_goes_back_to_the_sponsor(fund: Fund) -> None:
    campaign = fund.open()
    opened = open_fund(fund, campaign, giver_cap=1000)
    gift = split(fund, campaign, 2, card="fp_1")[1]
    in_transaction(lifecycle.cancel, campaign=campaign, person=fund.officer.id, why="no ground")
    fund.work()
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        fund.work()
    assert (held_state(gift), standing(opened)) == (H.LAPSED, (F.CLOSED, 0, 10_000, 0))
    assert differences(fund) == []


def test_a_campaign_has_not_told_of_all_while_a_match_may_still_come(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, giver_cap=1000)
    gift = split(fund, campaign, 2, card="fp_1")[1]
    in_transaction(lifecycle.end, campaign=campaign, person=fund.officer.id, why="够了")
    prove(fund, spend(fund, campaign, 3000))

    with time_machine.travel(clock.now(), tick=False) as now:
        now.shift(timedelta(days=2))
        report_in_full(fund, campaign)
        assert (campaign_of(campaign).state, held_state(gift)) == (C.DISBURSING, H.HELD)
        decide(gift, H.DENIED, fund.approver.id)
        now.shift(timedelta(days=1))
        report_in_full(fund, campaign)
    assert campaign_of(campaign).state is C.REPORTED
    assert differences(fund) == []


def prove(fund: Fund, payment: str) -> None:
    in_transaction(disbursing.confirm, disbursement=payment, officer_id=fund.officer.id, bank_reference="B-1")
    proof: dict[str, Any] = {"kind": "invoice", "words": "", "kept": Kept("", "ab" * 32), "is_public": False}
    in_transaction(add, disbursement=payment, officer_id=fund.officer.id, **proof)
    in_transaction(disbursing.complete, disbursement=payment, officer_id=fund.officer.id)


def report_in_full(fund: Fund, campaign: str) -> None:
    told: Any = {"campaign": campaign, "kind": "full", "words": "书已上架。", "officer_id": fund.officer.id}
    made = in_transaction(publishing.draft, **told)
    seen = content.hash_of(content.canonical(content.of(db.session(), publishing.get(db.session(), made))))
    given: Any = {"publisher_id": fund.approver.id, "seen": seen, "paper_sha256": "cd" * 32}
    in_transaction(publishing.publish, report=made, **given)


def test_where_gifts_came_from_is_hashed_and_forgotten_after_ninety_days(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign)
    give_with(fund, campaign, 100, device="a-device-of-somebody", network="203.0.113.9", card="fp_1")
    row = db.session.scalars(select(GiftTrace)).one()
    assert not {"a-device-of-somebody", "203.0.113.9", "fp_1"} & {row.device, row.network, row.card}
    assert row.device and row.network and row.card
    with time_machine.travel(clock.now() + timedelta(days=91)):
        in_transaction(traces.forget)
    db.session.rollback()
    row = db.session.scalars(select(GiftTrace).execution_options(populate_existing=True)).one()
    assert (row.device, row.network, row.card, row.fen) == ("", "", "", 100)


def test_without_a_fund_nothing_is_kept_of_where_gifts_come_from(fund: Fund) -> None:
    campaign = fund.open()
    give_with(fund, campaign, 100, device="d" * 20, network="203.0.113.9")
    assert db.session.scalars(select(GiftTrace)).all() == []


def test_what_is_known_of_a_gift_is_asked_in_as_many_statements_however_many_gave(fund: Fund) -> None:
    campaign = fund.open()
    open_fund(fund, campaign, 100_000, giver_cap=5000)
    costs = []
    for before in (1, 6):
        split(fund, campaign, before, 100, card="fp_1", device="d" * 20, network="home")
        gift = fund.begin(campaign, 100, origin=Origin("d" * 20, "home"), contact="last@example.test")
        attempts.submit(fund.attempt(gift), return_url="/", description="gift")
        fund.cashier.decide(fund.remote_of(gift), "succeeded", "fp_1")
        with statements.gathered() as sent:
            fund.arrive(gift)
        costs.append(len(sent))
    assert costs[0] == costs[1]
