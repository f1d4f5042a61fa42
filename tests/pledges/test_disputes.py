"""A bank's word that was wrong is taken back by two people; meanwhile nothing goes on, and a child loses no place."""

import pytest

from crowdfund.pledges import devices, disputes, holding
from crowdfund.pledges.refusals import DecidesOwnDispute
from crowdfund.pledges.states import CaseState, PledgeState, VoucherState
from marketplace.core.db import in_transaction
from marketplace.core.errors import IllegalTransition
from tests.pledges.conftest import BANK, World, case_of, get, post, voucher_of

REASON = {"reason": "看错了一行"}


def states(code: str) -> tuple[PledgeState, VoucherState, CaseState]:
    return get(code).state, voucher_of(code).state, case_of(code).state


def disputed(world: World) -> str:
    """Confirmed, and then the bank is not sure any more."""
    code = world.pledged()
    world.confirm(code)
    post(world.signed_in("bank"), f"/bank/pledges/{get(code).public_id}/dispute", REASON)
    assert states(code) == (PledgeState.CONFIRMED, VoucherState.DISPUTED, CaseState.MATCHED)
    return code


def decide(world: World, code: str, decision: str, **typed: str) -> None:
    path = f"/programme/vouchers/{voucher_of(code).public_id}/decision"
    assert post(world.signed_in("programme"), path, {"decision": decision} | REASON | typed).status_code == 303


def test_no_device_is_reserved_while_it_is_disputed(world: World) -> None:
    code = disputed(world)
    with pytest.raises(IllegalTransition):
        in_transaction(devices.assign, pledge=get(code).public_id, actor="office")
    assert REASON["reason"] in world.signed_in("programme").get("/programme").text
    decide(world, code, "counts")
    assert states(code) == (PledgeState.CONFIRMED, VoucherState.VERIFIED, CaseState.MATCHED)
    in_transaction(devices.assign, pledge=get(code).public_id, actor="office")
    assert get(code).state is PledgeState.ALLOCATED


def test_what_does_not_count_ends_the_pledge_and_the_child_keeps_its_place(world: World) -> None:
    code = disputed(world)
    since = case_of(code).waiting_since
    decide(world, code, "void")
    assert states(code) == (PledgeState.REVOKED, VoucherState.VOID, CaseState.LISTED)
    assert case_of(code).waiting_since == since


def test_a_wrong_reversal_gives_the_saver_the_voucher_back(world: World) -> None:
    code = world.pledged()
    bank, place = world.signed_in("bank"), f"/bank/pledges/{get(code).public_id}"
    post(bank, f"{place}/refusal", REASON)
    assert "尾号 0001" in bank.get("/bank").text  # found again
    post(bank, f"{place}/dispute", REASON)
    assert voucher_of(code).state is VoucherState.DISPUTED
    decide(world, code, "counts")
    assert states(code) == (PledgeState.REVOKED, VoucherState.VERIFIED, CaseState.LISTED)
    again = world.pledged()
    world.confirm(again)
    assert states(again) == (PledgeState.CONFIRMED, VoucherState.VERIFIED, CaseState.MATCHED)


def test_one_person_cannot_do_both(world: World) -> None:
    code = world.pledged()
    world.confirm(code)
    in_transaction(disputes.dispute, pledge=get(code).public_id, bank=BANK, actor="person:one", reason="?")
    voucher = voucher_of(code).public_id
    with pytest.raises(DecidesOwnDispute):
        in_transaction(disputes.decide, voucher=voucher, counts=False, actor="person:one", reason="!")
    assert states(code) == (PledgeState.CONFIRMED, VoucherState.DISPUTED, CaseState.MATCHED)


def test_a_saver_who_cancels_meanwhile_does_not_decide_it(world: World) -> None:
    code = disputed(world)
    in_transaction(holding.cancel, code=code)
    assert states(code) == (PledgeState.CANCELLED, VoucherState.DISPUTED, CaseState.LISTED)
    decide(world, code, "counts")
    assert voucher_of(code).state is VoucherState.VERIFIED


def test_nothing_is_disputed_before_the_banks_word_or_once_a_device_is_reserved(world: World) -> None:
    early = world.pledged("QQ2026000002")
    bank = world.signed_in("bank")
    post(bank, f"/bank/pledges/{get(early).public_id}/dispute", REASON)
    assert states(early) == (PledgeState.PROVISIONAL, VoucherState.HELD, CaseState.HELD)
    late, _device = world.at_station()
    post(bank, f"/bank/pledges/{get(late).public_id}/dispute", REASON)
    assert states(late) == (PledgeState.AT_STATION, VoucherState.VERIFIED, CaseState.READY)


def test_a_decision_needs_a_reason_and_comes_once(world: World) -> None:
    code = disputed(world)
    office, path = world.signed_in("programme"), f"/programme/vouchers/{voucher_of(code).public_id}/decision"
    answer = post(office, path, {"decision": "void", "reason": ""})
    assert answer.status_code == 422 and voucher_of(code).state is VoucherState.DISPUTED
    decide(world, code, "counts")
    decide(world, code, "void")
    assert voucher_of(code).state is VoucherState.VERIFIED


def test_another_bank_disputes_nothing(world: World) -> None:
    code = world.pledged()
    world.confirm(code)
    other = world.signed_in("other_bank")
    assert post(other, f"/bank/pledges/{get(code).public_id}/dispute", REASON).status_code == 404
    assert voucher_of(code).state is VoucherState.VERIFIED
