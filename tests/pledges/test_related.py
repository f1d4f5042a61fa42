"""Whoever may be of the child's family directs nothing to it by themselves: compared by phone and by identity document."""

import re

import pytest
from sqlalchemy import select, text

from crowdfund.pledges import children, reminders
from crowdfund.pledges.models import ChildVault, Voucher
from crowdfund.pledges.numbers import ending as ending_of
from crowdfund.pledges.states import CaseState, PledgeState, VoucherState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.pledges.conftest import PHONE, World, case_of, ending, get, identity, post, voucher_of


def guardian_of(code: str) -> str:
    return ending(int(case_of(code).alias_zh.split()[1]))


def deposit(**given: str) -> dict[str, str]:
    return {"issued_on": clock.today().isoformat(), "branch": "城关", "band": "30k", "saver_ending": "31002X"} | given


def test_a_saver_with_the_guardians_document_waits_for_a_person_and_the_bank_is_told_nothing(world: World) -> None:
    bank, answers = world.signed_in("bank"), []
    related, stranger = world.pledged("QQ2026000001"), world.pledged("QQ2026000002")
    for code, said in ((related, guardian_of(related)), (stranger, "31002X")):
        answers.append(post(bank, f"/bank/pledges/{get(code).public_id}/confirmation", deposit(saver_ending=said)))

    assert [answer.headers["Location"] for answer in answers] == ["/bank", "/bank"]
    assert (get(related).state, case_of(related).state) == (PledgeState.ON_HOLD, CaseState.HELD)
    assert (get(stranger).state, case_of(stranger).state) == (PledgeState.CONFIRMED, CaseState.MATCHED)
    assert "银行正在核对" in world.browser().get(f"/pledges/{related}").text
    office = world.signed_in("programme")
    assert "可能是亲属" in office.get("/programme").text
    path = f"/programme/pledges/{get(related).public_id}/decision"
    post(office, path, {"decision": "go-on", "reason": "同号不同人"})
    assert (get(related).state, case_of(related).state) == (PledgeState.CONFIRMED, CaseState.MATCHED)


def test_the_saver_sees_no_difference_whosever_phone_they_typed(world: World) -> None:
    """Else anybody could find out which card is the child of a family whose number they know."""
    seen: list[list[str]] = []
    for number, is_guardian in enumerate((False, True)):
        saver, voucher = world.browser(), f"QQ202600000{number}"
        code = world.choose(saver, voucher)
        child = int(case_of(code).alias_zh.split()[1])
        world.declare(saver, code, phone=identity(child).guardian_phone if is_guardian else PHONE)
        assert get(code).state is (PledgeState.ON_HOLD if is_guardian else PledgeState.PROVISIONAL)
        place = f"/pledges/{code}"
        pages = [saver.get(place).text, saver.get(f"{place}/cancellation").text]
        for _press in range(2):
            pages.append(post(saver, f"{place}/cancellation", {}).headers["Location"])
            pages.append(saver.get(place).text)
        seen.append([without(page, code, voucher[-4:], case_of(code).alias_zh) for page in pages])
        assert (case_of(code).state, voucher_of(code).state) == (CaseState.LISTED, VoucherState.CLAIMED)

    assert seen[0] == seen[1]


def without(page: str, *words: str) -> str:
    for word in words:
        page = page.replace(word, "")
    return re.sub(r"[0-9]{2}:[0-9]{2}", "", page)


def test_the_bank_still_finds_and_takes_back_what_waits_for_a_person(world: World) -> None:
    bank, code = world.signed_in("bank"), world.pledged()
    world.confirm(code, saver_ending=guardian_of(code))
    assert "尾号 0001" in bank.get("/bank").text
    post(bank, f"/bank/pledges/{get(code).public_id}/refusal", {"reason": "提前支取"})
    assert (get(code).state, case_of(code).state) == (PledgeState.REVOKED, CaseState.LISTED)


def test_the_next_child_of_the_same_voucher_is_compared_too(world: World) -> None:
    first = world.pledged()
    others = sorted({ending(number) for number in range(1, 13)} - {guardian_of(first)})
    world.confirm(first, saver_ending=others[0])
    post(world.browser(), f"/pledges/{first}/cancellation", {})
    hashes = select(ChildVault.guardian_identity_hash).where(ChildVault.case_id == case_of(first).id)
    db.session.execute(text("UPDATE voucher SET saver_identity_hash = :it"), {"it": db.session.scalar(hashes)})
    db.session.commit()

    again = world.pledged()

    assert case_of(again).id == case_of(first).id and get(again).state is PledgeState.ON_HOLD


def test_what_the_bank_says_late_is_seen_by_whoever_decides(world: World) -> None:
    code = world.pledged()
    in_transaction(reminders.unanswered, pledge=get(code).public_id)
    office = world.signed_in("programme")
    assert "可能是亲属" not in office.get("/programme").text
    world.confirm(code, saver_ending=guardian_of(code))
    assert "可能是亲属" in office.get("/programme").text


def test_two_of_whom_nothing_is_known_are_not_the_same(world: World) -> None:
    db.session.execute(text("UPDATE child_vault SET guardian_identity_hash = NULL"))
    db.session.commit()
    code = world.pledged()
    world.confirm(code, saver_ending="")
    assert get(code).state is PledgeState.CONFIRMED


def test_the_document_itself_is_kept_nowhere(world: World) -> None:
    code, bank = world.pledged(), world.signed_in("bank")
    whole = "110105194912310 02x"
    path = f"/bank/pledges/{get(code).public_id}/confirmation"
    refused = post(bank, path, deposit(saver_ending=whole, branch=""))
    assert refused.status_code == 422 and "31002X" in refused.text and "1101051949" not in refused.text
    assert post(bank, path, deposit(saver_ending=whole)).status_code == 303
    assert voucher_of(code).saver_identity_hash is not None
    assert "31002X" not in str(db.session.execute(select(Voucher.__table__)).all())
    in_transaction(children.withdraw, officer=world.keeper, case=case_of(code).public_id)
    gone = select(ChildVault.guardian_identity_hash).where(ChildVault.case_id == case_of(code).id)
    assert db.session.scalar(gone) is None


@pytest.mark.parametrize("typed", ["", "12345", "号码后六位", "1" * 40])
def test_what_can_be_no_document_is_said_by_its_field(world: World, typed: str) -> None:
    code = world.pledged()
    path = f"/bank/pledges/{get(code).public_id}/confirmation"
    answer = post(world.signed_in("bank"), path, deposit(saver_ending=typed))
    assert answer.status_code == 422 and get(code).state is PledgeState.PROVISIONAL
    assert typed in answer.text and ("证件号码的最后六位" in answer.text or not typed)


@pytest.mark.parametrize(
    ("typed", "last"),
    [
        ("110105194912310 02x", "31002X"),
        ("３１００２ｘ", "31002X"),
        ("H-123 456", "123456"),
        ("12345", ""),
        ("六位号码", ""),
    ],
)
def test_the_ending_of_a_document(typed: str, last: str) -> None:
    assert ending_of(typed) == last
