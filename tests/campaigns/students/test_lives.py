"""What goes wrong with sponsors, students and proofs, and that no running term is ever harmed by it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from crowdfund.campaigns import disbursing, lifecycle
from crowdfund.campaigns.disbursing import Bill
from crowdfund.campaigns.evidence import UnusableFile
from crowdfund.campaigns.plans import keeping
from crowdfund.campaigns.states import PlaceState, SponsorshipState, TermState
from crowdfund.campaigns.students import choosing, proofs, publishing, releasing, terms
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.core.money import Money
from tests.campaigns.plans.conftest import CONTACT, differences, get_plan, letters, months, noon_of
from tests.campaigns.students.conftest import (
    AUTUMN,
    MONTH,
    NUMBER,
    OURS,
    PAPER,
    SCHOOL,
    SPRING,
    TERM,
    Aid,
    payment_of,
    place_of,
    proof_rows,
    sponsorships,
    term_of,
)

L, T = PlaceState, TermState


def test_from_the_first_gift_to_the_schools_account(aid: Aid) -> None:
    aid.pool(100_000)
    place = aid.publish()
    plan = aid.sponsor(place)
    assert (place_of(place).state, get_plan(plan).fen, aid.balance) == (L.TAKEN, MONTH, 100_000 + MONTH)

    term = aid.open(place)
    assert (term_of(term).fen, aid.free(), aid.balance) == (TERM, 100_000 + MONTH - TERM, 100_000 + MONTH)
    aid.prove(term)
    assert in_transaction(proofs.read, term=term, person_id=aid.approver, **OURS) == PAPER
    aid.see(term)
    payment = aid.release(term)
    assert aid.free() == 100_000 + MONTH - TERM
    aid.pay(payment)

    assert (aid.balance, aid.free()) == (100_000 + MONTH - TERM, 100_000 + MONTH - TERM)
    assert (payment_of(payment).fen, payment_of(payment).provider_zh) == (TERM, "示例中学")
    assert term_of(term).state is T.BILLED and proof_rows() == [("accepted", False)]
    assert [each.action for each in db.session.scalars(select(AuditRecord)) if "proof" in each.action] == [
        "enrolment_proof.read",
        "enrolment_proof.accepted",
    ]
    assert differences(aid.monthly) == []


def test_a_sponsor_who_stops_in_the_middle_harms_no_running_term_and_the_place_is_free(aid: Aid) -> None:
    aid.pool(TERM)
    place = aid.publish()
    plan = aid.sponsor(place)
    term = aid.open(place)
    in_transaction(keeping.stop, plan=plan)

    assert (place_of(place).state, term_of(term).state) == (L.OFFERED, T.OPENED)
    assert aid.free() == MONTH  # what the term costs stays set aside
    aid.prove(term)
    aid.see(term)
    aid.pay(aid.release(term))
    other = aid.sponsor(place, contact="li@example.test", name="李承志")

    assert sponsorships() == [(place, "ended", "asked"), (place, "active", "")]
    assert get_plan(other).state == "active" and aid.balance == 2 * MONTH
    assert differences(aid.monthly) == []


def test_a_sponsor_whose_gifts_fail_twice_is_let_go_and_told(aid: Aid) -> None:
    aid.pool(TERM)
    place = aid.publish()
    plan = aid.sponsor(place)
    term = aid.open(place)
    aid.monthly.later_behaves("declined")
    aid.monthly.day("2026-02-28")
    assert not in_transaction(choosing.end_one_unpaid)
    aid.monthly.day("2026-03-31")  # the second is due, the first has lapsed
    assert not in_transaction(choosing.end_one_unpaid) and place_of(place).state is L.TAKEN
    aid.monthly.day("2026-04-30")
    with aid.monthly.at(noon_of("2026-04-30")):
        assert in_transaction(choosing.end_one_unpaid)
        assert not in_transaction(choosing.end_one_unpaid)

    assert [gift for _period, _state, _charges, gift in months(plan)][1:3] == ["lapsed", "lapsed"]
    assert (place_of(place).state, get_plan(plan).state, get_plan(plan).stop_reason) == (L.OFFERED, "stopped", "unpaid")
    assert sponsorships() == [(place, "ended", "unpaid")] and "连续两个月没有到账" in letters()[-1]
    assert (term_of(term).state, aid.free()) == (T.OPENED, MONTH)


def test_a_term_is_opened_with_its_whole_money_or_not_at_all(aid: Aid) -> None:
    place = aid.publish()
    aid.pool(TERM - 1)
    with pytest.raises(disbursing.NotEnough) as refused:
        aid.open(place)
    assert refused.value.free_fen == TERM - 1
    aid.pool(1)
    aid.open(place)
    assert aid.free() == 0
    with pytest.raises(disbursing.NotEnough):  # nothing else may count on it
        ask(aid, 1)
    with pytest.raises(terms.OpenAlready):
        aid.open(place)
    with pytest.raises(lifecycle.TermIsRunning):
        in_transaction(lifecycle.cancel, campaign=aid.campaign, person=aid.officer, why="x")


def ask(aid: Aid, fen: int) -> str:
    bill = Bill(Money(fen), "书", "示例书店", "12140000DEMO00002X", f"B-{fen}")
    return in_transaction(disbursing.request, campaign=aid.campaign, budget_line=1, bill=bill, requester_id=aid.officer)


def test_without_proof_nothing_is_released(aid: Aid) -> None:
    aid.pool(TERM)
    term = aid.open(aid.publish())
    with pytest.raises(releasing.NotSeen):
        aid.release(term)
    aid.prove(term)
    with pytest.raises(releasing.NotSeen):
        aid.release(term)
    steps: tuple[Callable[..., object], ...] = (proofs.accept, proofs.read)
    for step in steps:
        with pytest.raises(proofs.OwnProof):
            in_transaction(step, term=term, person_id=aid.officer, **OURS)
    in_transaction(proofs.refuse, term=term, person_id=aid.approver, why="看不清", **OURS)
    assert term_of(term).state is T.OPENED and proof_rows() == [("refused", False)]
    with pytest.raises(NotFound):
        in_transaction(proofs.read, term=term, person_id=aid.approver, **OURS)
    with pytest.raises(releasing.NotSeen):
        aid.release(term)
    assert aid.balance == TERM


def test_the_proof_of_another_student_is_refused_and_changes_nothing(aid: Aid) -> None:
    aid.pool(TERM)
    term = aid.open(aid.publish())
    with pytest.raises(proofs.OtherStudent):
        aid.prove(term, number="G14010920109999")
    with pytest.raises(proofs.PaperTooLarge):
        aid.prove(term, raw=b"%PDF-" + b"0" * proofs.LARGEST)
    with pytest.raises(UnusableFile):
        aid.prove(term, raw=b"MZ")
    assert term_of(term).state is T.OPENED and proof_rows() == []
    aid.prove(term, number="g1401 0920-101234")  # as people write it


def test_a_late_proof_is_taken_and_holds_up_the_next_term_alone(aid: Aid) -> None:
    aid.pool(2 * TERM)
    place = aid.publish()
    term = aid.open(place, AUTUMN)
    due = term_of(term).proof_due_on
    with aid.monthly.at(noon_of("2026-03-18")):
        assert due.isoformat() == "2026-03-17"  # 45 days after it was opened
        with pytest.raises(terms.NoSuchTerm):
            aid.open(place, AUTUMN.following.following.following)
        with pytest.raises(terms.ProofOverdue):
            aid.open(place, SPRING)
        aid.prove(term)
        aid.open(place, SPRING)
    assert aid.free() == 0


def test_a_student_who_leaves_costs_nobody_anything_more(aid: Aid) -> None:
    aid.pool(TERM)
    place = aid.publish()
    plan = aid.sponsor(place)
    term = aid.open(place)
    aid.prove(term)
    in_transaction(publishing.leave, place=place, officer_id=aid.officer, why="转学", **OURS)

    assert (place_of(place).state, term_of(term).state, aid.free()) == (L.LEFT, T.VOID, TERM + MONTH)
    assert proof_rows() == [("dropped", False)]
    assert (get_plan(plan).state, get_plan(plan).stop_reason) == ("stopped", "student_left")
    assert "已经离校" in letters()[-1] and NUMBER not in "".join(letters())
    with pytest.raises(StaleState):
        aid.open(place)
    aid.publish()  # the number is free: they may be somewhere else now
    assert differences(aid.monthly) == []


def test_a_student_who_leaves_while_somebody_pays_sends_that_money_back(aid: Aid) -> None:
    place = aid.publish()
    gift = aid.choose(place)
    in_transaction(publishing.leave, place=place, officer_id=aid.officer, why="转学", **OURS)
    aid.monthly.pay(gift)
    aid.monthly.settle_refunds()

    assert aid.balance == 0 and sponsorships() == [(place, "ended", "student_left")]
    assert differences(aid.monthly) == []


def test_a_rejected_payment_gives_its_terms_back_but_not_for_somebody_who_left(aid: Aid) -> None:
    aid.pool(3 * TERM)
    stays, leaves = aid.publish(), aid.publish("G14010920105678")
    kept, gone = aid.enrolled(stays), aid.enrolled(leaves, "G14010920105678")
    payment = aid.release(kept, gone)
    assert aid.free() == TERM
    in_transaction(publishing.leave, place=leaves, officer_id=aid.officer, why="转学", **OURS)
    assert term_of(gone).state is T.BILLED
    in_transaction(disbursing.reject, disbursement=payment, approver_id=aid.approver, reason="票不对")

    assert [term_of(each).state for each in (kept, gone)] == [T.ENROLLED, T.VOID]
    assert aid.free() == 2 * TERM
    again = aid.release(kept, school=SCHOOL.__class__("示例中学", "12140000DEMO00001X", "F-0002"))
    aid.pay(again)
    assert aid.balance == 2 * TERM
    with pytest.raises(IllegalTransition):
        in_transaction(terms.close, term=kept, officer_id=aid.officer, why="x", **OURS)
    assert differences(aid.monthly) == []


def test_a_first_gift_that_is_not_paid_frees_the_place_after_a_day(aid: Aid) -> None:
    place = aid.publish()
    aid.choose(place)
    with pytest.raises(choosing.TakenAlready):
        aid.choose(place, contact="li@example.test")
    with aid.monthly.at(noon_of("2026-02-02")):
        aid.monthly.work()
    assert place_of(place).state is L.OFFERED and sponsorships() == [(place, "ended", "never_began")]
    assert aid.balance == 0


def test_a_sponsor_moves_to_another_student_in_one_step(aid: Aid) -> None:
    aid.pool(TERM)
    first, second = aid.publish(), aid.publish("G14010920105678", month=20_000)
    plan = aid.sponsor(first)
    term = aid.open(first)
    with pytest.raises(choosing.OtherCampaign):
        in_transaction(choosing.move, plan=plan, place=first)
    in_transaction(choosing.move, plan=plan, place=second)

    assert [place_of(each).state for each in (first, second)] == [L.OFFERED, L.TAKEN]
    assert get_plan(plan).fen == 20_000 and term_of(term).state is T.OPENED
    assert sponsorships() == [(first, "ended", "moved"), (second, "active", "")]
    aid.monthly.day("2026-02-28")
    assert aid.balance == TERM + MONTH + 20_000
    assert differences(aid.monthly) == []


def test_a_sponsors_plan_keeps_its_sum_and_its_days(aid: Aid) -> None:
    plan = aid.sponsor(aid.publish())
    with pytest.raises(keeping.IsPromised):
        in_transaction(keeping.pause, plan=plan)
    with pytest.raises(keeping.IsPromised):
        in_transaction(keeping.change_amount, plan=plan, amount=Money(100))
    assert (get_plan(plan).fen, get_plan(plan).state) == (MONTH, "active")
    assert sponsorships()[0][1] == SponsorshipState.ACTIVE


def test_a_place_that_is_over_has_no_open_term(aid: Aid) -> None:
    aid.pool(TERM)
    place = aid.publish()
    plan = aid.sponsor(place)
    term = aid.open(place)
    with pytest.raises(publishing.TermIsOpen):
        in_transaction(publishing.finish, place=place, officer_id=aid.officer, why="毕业", **OURS)
    in_transaction(terms.close, term=term, officer_id=aid.officer, why="没有证明", **OURS)
    in_transaction(publishing.finish, place=place, officer_id=aid.officer, why="毕业", **OURS)
    assert (place_of(place).state, get_plan(plan).stop_reason, aid.free()) == (L.FINISHED, "place_over", TERM + MONTH)


def test_a_student_has_one_place_and_only_student_aid_has_places(aid: Aid) -> None:
    aid.publish()
    with pytest.raises(publishing.HasPlace):
        aid.publish(NUMBER.lower())
    other = Aid(aid.monthly, aid.monthly.fund.open())
    with pytest.raises(publishing.NoStudentAid):
        other.publish("G14010920105678")
    far: dict[str, Any] = {
        "stage": "senior",
        "student_number": "G14010920105678",
        "month": Money(MONTH),
        "officer_id": aid.officer,
    }
    with pytest.raises(NotFound):
        in_transaction(publishing.publish, campaign=aid.campaign, organisations=["elsewhere"], **far)


@pytest.mark.parametrize("words", ["加微信 lanlan2010", "电话 138 3517 2045", "写信到 a@example.test"])
def test_words_about_a_term_lead_nowhere(aid: Aid, words: str) -> None:
    aid.pool(TERM)
    term = aid.open(aid.publish())
    with pytest.raises(terms.LeadsOut):
        in_transaction(terms.report, term=term, officer_id=aid.officer, words=words, **OURS)
    assert term_of(term).report_zh == ""
    in_transaction(terms.report, term=term, officer_id=aid.officer, words="作文得了奖", **OURS)
    assert term_of(term).report_zh == "作文得了奖" and CONTACT not in term_of(term).report_zh
