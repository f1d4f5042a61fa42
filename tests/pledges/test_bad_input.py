"""Vouchers as they are really typed, and savers who come late, twice or back."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from crowdfund.pledges import holding
from crowdfund.pledges.models import Choosing, Pledge, Programme, Voucher
from crowdfund.pledges.states import CaseState, PledgeState, VoucherState
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.pledges.conftest import OTHER_BANK, PHONE, World, case_of, get, identity, post, voucher_of


def count(kind: type[Pledge] | type[Voucher]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def skeleton(page: str) -> str:
    """What a page says without what is random in it."""
    return re.sub(r"[0-9a-f]{16}|[\w-]{43}", "", page)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": "12345"}, "凭证号是 6 到 32 位字母和数字"),
        ({"number": "凭证一号"}, "凭证号是 6 到 32 位字母和数字"),
        ({"number": "11010519491231002X"}, "这是身份证号"),
        ({"number": "4111 1111 1111 1111"}, "这是银行卡号"),
        ({"bank": ""}, "请选一家银行"),
        ({"bank": "no-bank"}, "bank"),
        ({"issued_on": "yesterday"}, "比如 2026-10-09"),
        ({"issued_on": "2999-01-01"}, "这一天还没到"),
    ],
)
def test_what_is_wrong_is_said_by_the_field_and_what_was_typed_stays(
    world: World, changes: dict[str, str], words: str
) -> None:
    typed = {"number": "QQ2026000001"} | changes
    answer = world.type_voucher(world.browser(), **typed)

    assert answer.status_code == 422 and words in answer.text
    assert typed["number"] in answer.text
    assert db.session.scalar(select(func.count()).select_from(Choosing)) == 0


def test_the_answer_is_the_same_whatever_the_number(world: World) -> None:
    used = world.pledged("QQ2026000001")
    world.confirm(used)
    answers = []
    for number in ("QQ2026000001", "QQ2026000002", "ZZ9999999999"):
        saver = world.browser()
        answer = world.type_voucher(saver, number)
        page = saver.get(answer.headers["Location"])
        answers.append((answer.status_code, skeleton(answer.headers["Location"]), skeleton(page.text)))

    assert answers[0] == answers[1] == answers[2]


def test_a_voucher_in_use_gets_the_words_of_a_card_that_is_gone(world: World) -> None:
    world.pledged("QQ2026000001")
    saver = world.browser()
    choice = world.type_voucher(saver, "ｑｑ-2026 000001").headers["Location"]
    before = (count(Pledge), count(Voucher))

    answer = world.take(saver, choice)

    assert answer.status_code == 409 and "没能给你留下" in answer.text
    assert (count(Pledge), count(Voucher)) == before == (1, 1)
    assert db.session.scalars(select(Programme.claimed).order_by(Programme.id)).all() == [1, 0]


def test_one_number_at_two_banks_is_two_vouchers(world: World) -> None:
    first, second = world.pledged("QQ2026000001"), world.pledged("QQ2026000001", bank=OTHER_BANK)
    assert voucher_of(first).id != voucher_of(second).id and count(Voucher) == 2


def test_guessing_numbers_is_stopped(world: World) -> None:
    saver = world.browser()
    answers = [world.type_voucher(saver, f"GUESS{number:06}").status_code for number in range(21)]
    assert answers == [303] * 20 + [429]


def test_another_bank_never_sees_it(world: World) -> None:
    code = world.pledged()
    other = world.signed_in("other_bank")
    path = f"/bank/pledges/{get(code).public_id}"
    deposit = {"issued_on": clock.today().isoformat(), "branch": "x", "band": "30k", "saver_ending": "12345X"}

    assert "尾号 0001" not in other.get("/bank").text
    assert other.get(path).status_code == 404
    assert post(other, f"{path}/confirmation", deposit).status_code == 404
    assert get(code).state is PledgeState.PROVISIONAL


def test_the_window_ends_with_its_last_day_in_shanxi(world: World) -> None:
    bank = world.signed_in("bank")
    for days, status in ((61, 422), (60, 303)):
        code = world.pledged(f"QQ20260000{days}", card=0)
        issued = clock.today() - timedelta(days=days)
        data = {"issued_on": issued.isoformat(), "branch": "城关", "band": "10k", "saver_ending": "12345X"}
        answer = post(bank, f"/bank/pledges/{get(code).public_id}/confirmation", data)
        assert answer.status_code == status, days
        assert status == 303 or "凭证不算数" in answer.text


def test_midnight_between_the_voucher_and_the_card(world: World) -> None:
    saver, issued = world.browser(), clock.today() - timedelta(days=60)
    choice = world.type_voucher(saver, issued_on=issued.isoformat()).headers["Location"]
    page = saver.get(choice).text
    case = re.findall(r'name="case" value="([^"]+)"', page)[0]
    with time_machine.travel(clock.start_of(clock.today() + timedelta(days=1)), tick=False):
        db.session.execute(update(Choosing).values(expires_at=clock.now() + timedelta(hours=1)))
        db.session.commit()
        answer = post(saver, f"{choice}/pledges", {"idempotency_key": "k", "case": case})
    assert answer.status_code == 422 and "凭证不算数" in answer.text
    assert (count(Pledge), count(Voucher)) == (0, 0)


def test_a_day_of_issue_that_was_mistyped_may_be_typed_again(world: World) -> None:
    first = world.choose(world.browser(), issued_on=(clock.today() - timedelta(days=9)).isoformat())
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        in_transaction(holding.expire, pledge=get(first).public_id)
        again = world.choose(world.browser())
        assert voucher_of(again).issued_on == clock.today()


def test_a_deposit_below_the_band_does_not_count(world: World) -> None:
    code = world.pledged()
    db.session.execute(update(Programme).values(minimum_band="50k"))
    db.session.commit()
    data = {"issued_on": clock.today().isoformat(), "branch": "城关", "band": "30k", "saver_ending": "12345X"}
    answer = post(world.signed_in("bank"), f"/bank/pledges/{get(code).public_id}/confirmation", data)
    assert answer.status_code == 422 and "不到这一期要求的档" in answer.text


def test_the_half_hour_runs_out_while_the_form_is_sent(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    waiting = case_of(code).waiting_since
    with time_machine.travel(clock.now() + timedelta(minutes=30)):
        answer = world.declare(saver, code)
        assert answer.status_code == 409 and "半小时过了" in answer.text
    states = (get(code).state, voucher_of(code).state, case_of(code).state)
    assert states == (PledgeState.EXPIRED, VoucherState.CLAIMED, CaseState.LISTED)
    assert case_of(code).waiting_since == waiting
    assert get(world.pledged()).state is PledgeState.PROVISIONAL


def test_the_worker_gives_back_what_nobody_declared(world: World) -> None:
    kept, declared = world.choose(world.browser()), world.pledged("QQ2026000002")
    in_transaction(holding.expire, pledge=get(kept).public_id)
    assert get(kept).state is PledgeState.HELD
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        for code in (kept, declared):
            in_transaction(holding.expire, pledge=get(code).public_id)
    assert (get(kept).state, get(declared).state) == (PledgeState.EXPIRED, PledgeState.PROVISIONAL)


def test_two_tabs_and_the_back_button_make_one_pledge(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    first = world.take(saver, choice)
    page = saver.get(choice)
    assert page.headers["Location"] == first.headers["Location"]
    again = post(saver, f"{choice}/pledges", {"idempotency_key": "another", "case": "whatever"})
    assert again.headers["Location"] == first.headers["Location"] and count(Pledge) == 1


def test_a_declaration_sent_twice_counts_once_and_its_errors_keep_what_was_typed(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    wrong = world.declare(saver, code, phone="1383517204")
    assert wrong.status_code == 422 and "1383517204" in wrong.text and "11 位" in wrong.text
    silent = post(saver, f"/pledges/{code}/declaration", {"phone": PHONE})
    assert silent.status_code == 422 and "不算捐赠" in silent.text
    assert [world.declare(saver, code).status_code for _time in range(2)] == [303, 303]
    assert get(code).state is PledgeState.PROVISIONAL


def test_two_refreshes_at_most(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    for seen, status in ((1, 303), (1, 303), (2, 303), (3, 409)):
        assert post(saver, f"{choice}/refreshes", {"wish": "", "seen": str(seen)}).status_code == status
    assert "三回，每回三张" in saver.get(choice).text


def test_only_a_card_that_was_dealt(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    answer = post(saver, f"{choice}/pledges", {"idempotency_key": "k", "case": "0" * 16})
    assert answer.status_code == 404 and count(Pledge) == 0


def test_a_pledge_is_given_back_once(world: World) -> None:
    saver = world.browser()
    first = world.pledged()
    assert "只能退一次" in saver.get(f"/pledges/{first}/cancellation").text
    post(saver, f"/pledges/{first}/cancellation", {})
    assert (get(first).state, case_of(first).state) == (PledgeState.CANCELLED, CaseState.LISTED)
    assert said(saver, first) == "这一次已经结束了，没有要退的。"
    second = world.choose(saver)
    assert "/cancellation" not in saver.get(f"/pledges/{second}").text
    assert said(saver, second) == "你已经退回过一次，这一次不能再退了。"
    post(saver, f"/pledges/{second}/cancellation", {})
    assert get(second).state is PledgeState.HELD


def said(saver: FlaskClient, code: str) -> str:
    """What whoever would give it back is told before they are asked once more."""
    asked = saver.get(f"/pledges/{code}/cancellation")
    assert (asked.status_code, asked.headers["Location"]) == (303, f"/pledges/{code}")
    found = re.search(r'class="flash[^"]*".*?<p[^>]*>(.*?)</p>', saver.get(f"/pledges/{code}").text, re.DOTALL)
    return found[1].strip() if found else ""


def test_a_half_hour_that_is_over_uses_up_no_cancellation(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    with time_machine.travel(clock.now() + timedelta(minutes=30)):
        assert said(saver, code) == "这一次已经结束了，没有要退的。"
        post(saver, f"/pledges/{code}/cancellation", {})
        assert (get(code).state, voucher_of(code).cancellations) == (PledgeState.HELD, 0)


def test_another_card_with_the_form_of_a_pledge_that_was_given_back(world: World) -> None:
    """The back button shows the cards as they were: the key of that form has had its answer."""
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    cards = re.findall(r'_key" value="([^"]+)"><input type="hidden" name="case" value="([^"]+)"', saver.get(choice).text)
    (key, first), (_key, second) = cards[:2]
    code = post(saver, f"{choice}/pledges", {"idempotency_key": key, "case": first}).headers["Location"].rpartition("/")[2]
    post(saver, f"/pledges/{code}/cancellation", {})
    answer = post(saver, f"{choice}/pledges", {"idempotency_key": key, "case": second})
    assert answer.status_code == 409 and f'value="{second}"' in answer.text and count(Pledge) == 1
    assert world.take(saver, choice, 1).status_code == 303


def test_the_address_of_a_refused_form_leads_to_its_page(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    looked = saver.get(f"/pledges/{code}/declaration")
    assert looked.status_code == 405 and f'href="/pledges/{code}"' in looked.text
    assert saver.get(f"/pledges/{code}/declaration?lang=en").headers["Location"] == f"/pledges/{code}"
    assert saver.get("/pledges/vouchers").headers["Location"].endswith("/pledges/vouchers/new")
    assert saver.get("/presales/one/backings?lang=en").headers["Location"] == "/presales/one/backings/new"


def test_where_no_bank_takes_part_nobody_is_asked_for_a_voucher(world: World) -> None:
    db.session.execute(update(Programme).values(closes_on=clock.today() - timedelta(days=1)))
    db.session.commit()
    answer = world.browser().get("/pledges/vouchers/new")
    assert answer.status_code == 409 and "<form" not in answer.text.partition("<main")[2].partition("</main")[0]


def test_nothing_is_cancelled_once_a_device_is_reserved(world: World) -> None:
    code, _device = world.at_station()
    post(world.browser(), f"/pledges/{code}/cancellation", {})
    assert get(code).state is PledgeState.AT_STATION


def test_quota_reached_between_card_and_press(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    db.session.execute(update(Programme).values(claimed=Programme.quota))
    db.session.commit()
    answer = world.take(saver, choice)
    assert answer.status_code == 409 and "超出的我们不许诺" in answer.text and count(Pledge) == 0
    assert set(db.session.scalars(select(Voucher.state))) == set()


def test_a_reversal_gives_the_child_its_place_back(world: World) -> None:
    code = world.pledged()
    world.confirm(code)
    since, place = case_of(code).waiting_since, f"/bank/pledges/{get(code).public_id}"
    post(world.signed_in("bank"), f"{place}/refusal", {"reason": "提前支取"})
    states = (get(code).state, voucher_of(code).state, case_of(code).state)
    assert states == (PledgeState.REVOKED, VoucherState.REVERSED, CaseState.LISTED)
    assert case_of(code).waiting_since == since
    saver = world.browser()
    assert world.take(saver, world.type_voucher(saver).headers["Location"]).status_code == 409


def test_a_saver_with_the_guardians_phone_waits_for_a_person_and_is_told_nothing(world: World) -> None:
    saver = world.browser()
    code = world.choose(saver)
    number = int(case_of(code).alias_zh.split()[1])
    world.declare(saver, code, phone=identity(number).guardian_phone)
    assert get(code).state is PledgeState.ON_HOLD
    assert "银行正在核对" in saver.get(f"/pledges/{code}").text
    office = world.signed_in("programme")
    post(office, f"/programme/pledges/{get(code).public_id}/decision", {"decision": "end", "reason": "一家人"})
    assert (get(code).state, case_of(code).state) == (PledgeState.REVOKED, CaseState.LISTED)


def test_a_person_lets_it_go_on_after_the_bank_has_spoken(world: World) -> None:
    saver, office = world.browser(), world.signed_in("programme")
    code = world.choose(saver)
    world.declare(saver, code, phone=identity(int(case_of(code).alias_zh.split()[1])).guardian_phone)
    decision = {"decision": "go-on", "reason": "同名不同人"}
    path = f"/programme/pledges/{get(code).public_id}/decision"
    post(office, path, decision)
    assert get(code).state is PledgeState.ON_HOLD
    assert "尾号 0001" in world.signed_in("bank").get("/bank").text
    world.confirm(code)
    assert get(code).state is PledgeState.ON_HOLD
    post(office, path, decision)
    assert (get(code).state, case_of(code).state) == (PledgeState.CONFIRMED, CaseState.MATCHED)


def test_enter_in_the_field_of_a_reason_decides_nothing(world: World) -> None:
    saver, office = world.browser(), world.signed_in("programme")
    code = world.choose(saver)
    world.declare(saver, code, phone=identity(int(case_of(code).alias_zh.split()[1])).guardian_phone)
    path = f"/programme/pledges/{get(code).public_id}/decision"
    form = office.get("/programme").text.partition(f'action="{path}"')[2].partition("</form>")[0]
    assert 'name="decision"' not in form.partition("</button>")[0]  # the first, which is what Enter presses
    answer = post(office, path, {"reason": "是一家人"})
    assert answer.status_code == 422 and "请在这几个里选一个" in answer.text and 'value="是一家人"' in answer.text
    assert get(code).state is PledgeState.ON_HOLD


def test_unknown_codes_lead_nowhere_and_not_into_the_shop(world: World) -> None:
    for path in ("/pledges/AAAA-BBBB-CCCC-DDDD", "/pledges/%00", "/pledges/choices/nothing", "/pledges/fairness/never"):
        answer = world.browser().get(path)
        assert (answer.status_code in {404, 410} and "/cart" not in answer.text) or path.endswith("%00")
