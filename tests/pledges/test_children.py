"""A case from nomination to the list, by two people; and what a withdrawal leaves: nothing."""

from datetime import date

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from crowdfund.pledges import children, devices, vault
from crowdfund.pledges.children import age_band
from crowdfund.pledges.models import ChildCase, ChildVault, Pledge
from crowdfund.pledges.refusals import SamePerson, VaultClosed
from crowdfund.pledges.states import CaseState, PledgeState, VoucherState
from crowdfund.pledges.vault import Reader
from marketplace.core import clock, key_rotation
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from tests.pledges.conftest import (
    CANARY,
    JIXIAN,
    QINXIAN,
    World,
    case_of,
    device_of,
    get,
    identity,
    make_case,
    post,
    voucher_of,
)

READER = Reader("person:officer", frozenset({"children_officer"}))
TYPED = {
    "name": f"{CANARY}新",
    "identity_number": "110105201602290021",
    "birth_date": "2016-02-25",
    "school": "镇小学",
    "guardian": "奶奶",
    "guardian_phone": "13835172045",
    "guardian_ending": "14102819500101001x",
    "county": JIXIAN,
    "tier": "1",
    "need": "call_parents",
    "waiting_since": "2026-01-02",
}
ALLOWED = {"guardian": "grandparent", "method": "paper"}
PURPOSES = ["collect", "share_station", "share_telecom", "delivery_evidence"]


def right_number() -> str:
    return identity(500).identity_number


def test_from_the_school_to_the_list_by_two_people(world: World) -> None:
    school = world.signed_in("nominator")
    answer = post(school, "/children", TYPED | {"identity_number": right_number()})
    assert answer.status_code == 303, answer.text
    path = answer.headers["Location"]
    case = path.rpartition("/")[2]
    assert CANARY not in school.get(path).text
    assert "已提名" in school.get(path).text

    checker, keeper = world.signed_in("verifier"), world.signed_in("children")
    post(checker, f"{path}/verification", {})
    assert state(case) is CaseState.NOMINATED
    post(school, f"{path}/consents", {"purposes": PURPOSES[:3], **ALLOWED})
    assert state(case) is CaseState.NOMINATED
    post(school, f"{path}/consents", {"purposes": PURPOSES, **ALLOWED})
    assert state(case) is CaseState.CONSENTED
    post(checker, f"{path}/verification", {})
    post(keeper, f"{path}/listing", {})
    assert state(case) is CaseState.LISTED


def state(case: str) -> CaseState:
    db.session.rollback()
    return db.session.scalars(select(ChildCase.state).where(ChildCase.public_id == case)).one()


def test_whoever_nominated_does_not_verify(world: World) -> None:
    me = world.nominator
    case = in_transaction(
        children.nominate,
        officer=me,
        county=JIXIAN,
        identity=identity(501),
        tier=1,
        need="call_parents",
        waiting_since=date(2026, 1, 2),
    )
    in_transaction(children.give_consent, officer=me, case=case, purposes=PURPOSES, **ALLOWED)
    with pytest.raises(SamePerson):
        in_transaction(children.verify, officer=me, case=case)
    wrong = update(ChildCase).where(ChildCase.public_id == case).values(verifier_id=me.person_id)
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(wrong)


def test_one_child_named_by_two_schools_has_one_case(world: World) -> None:
    school = world.signed_in("nominator")
    data = TYPED | {"identity_number": right_number()}
    assert post(school, "/children", data).status_code == 303
    again = post(school, "/children", data | {"name": "别的名字"})
    assert again.status_code == 422 and "已经有档案了" in again.text


def test_another_county_is_out_of_reach(world: World) -> None:
    case = make_case(world, 300, county=QINXIAN)
    school = world.signed_in("nominator")
    assert school.get(f"/children/{case.public_id}").status_code == 404
    answer = post(school, "/children", TYPED | {"identity_number": right_number(), "county": QINXIAN})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("born", "today", "band"),
    [
        (date(2009, 2, 29 - 1), date(2026, 10, 1), None),
        (date(2012, 2, 29), date(2021, 2, 28), "6-8"),
        (date(2012, 2, 29), date(2021, 3, 1), "9-11"),
        (date(2012, 2, 29), date(2027, 2, 28), "12-14"),
        (date(2012, 2, 29), date(2027, 3, 1), None),
        (date(2021, 1, 1), date(2026, 12, 31), None),
    ],
)
def test_ages(born: date, today: date, band: str | None) -> None:
    assert age_band(born, today) == band


def withdraw(world: World, code: str) -> ChildCase:
    case = case_of(code)
    post(world.signed_in("children"), f"/children/{case.public_id}/withdrawal", {})
    db.session.rollback()
    return db.session.get_one(ChildCase, case.id, populate_existing=True)


def is_destroyed(case: ChildCase) -> bool:
    row = db.session.execute(text(f"SELECT * FROM child_vault WHERE case_id = {case.id}")).mappings().one()
    return row["destroyed_at"] is not None and {row[name] for name in row if name not in ("case_id", "destroyed_at")} == {
        None
    }


@pytest.mark.parametrize(
    ("how_far", "pledge", "voucher", "child"),
    [
        ("held", PledgeState.CANCELLED, VoucherState.CLAIMED, CaseState.WITHDRAWN),
        ("provisional", PledgeState.ON_HOLD, VoucherState.HELD, CaseState.WITHDRAWN),
        ("confirmed", PledgeState.REVOKED, VoucherState.VERIFIED, CaseState.WITHDRAWN),
        ("at_station", PledgeState.REASSIGNED, VoucherState.VERIFIED, CaseState.WITHDRAWN),
        ("handed_over", PledgeState.HANDED_OVER, VoucherState.REDEEMED, CaseState.DELIVERED),
    ],
)
def test_a_withdrawal_stops_everything_and_destroys_the_key(
    world: World, how_far: str, pledge: PledgeState, voucher: VoucherState, child: CaseState
) -> None:
    from tests.pledges.test_handover import hand_over

    if how_far == "held":
        code = world.choose(world.browser())
    elif how_far in {"provisional", "confirmed"}:
        code = world.pledged()
        if how_far == "confirmed":
            world.confirm(code)
    else:
        code, device = world.at_station()
        if how_far == "handed_over":
            hand_over(world, code, device)
    case = withdraw(world, code)

    assert (get(code).state, voucher_of(code).state, case.state) == (pledge, voucher, child)
    assert is_destroyed(case)
    with pytest.raises(VaultClosed):
        vault.read(db.session(), case, reader=READER, why="x")
    assert case.alias_zh not in world.browser().get("/pledges").text


def test_a_withdrawn_card_is_dealt_to_nobody(world: World) -> None:
    saver = world.browser()
    choice = world.type_voucher(saver).headers["Location"]
    page = saver.get(choice).text
    shown = [row for row in db.session.scalars(select(ChildCase)) if f">{row.alias_zh}<" in page]
    for row in shown:
        in_transaction(children.withdraw, officer=world.keeper, case=row.public_id)

    pressed = post(saver, f"{choice}/pledges", {"idempotency_key": "k", "case": shown[0].public_id})
    assert pressed.status_code == 409 and not any(row.alias_zh in pressed.text for row in shown)
    assert not any(row.alias_zh in saver.get(choice).text for row in shown)
    other = world.browser()
    page = other.get(world.type_voucher(other, "QQ2026000009").headers["Location"]).text
    assert len(shown) == 3 and not any(f">{row.alias_zh}<" in page for row in shown)


def pause(world: World, code: str) -> None:
    keeper, path = world.signed_in("children"), f"/children/{case_of(code).public_id}"
    assert "选了这个孩子" in keeper.get(path).text
    assert post(keeper, f"{path}/pause", {"reason": "住院了"}).status_code == 303


def test_a_paused_child_sets_the_saver_free_and_keeps_its_place(world: World) -> None:
    code = world.pledged()
    since = case_of(code).waiting_since
    pause(world, code)
    assert (get(code).state, voucher_of(code).state) == (PledgeState.REVOKED, VoucherState.CLAIMED)
    assert case_of(code).state is CaseState.PAUSED
    assert "再指一个孩子" in world.browser().get(f"/pledges/{code}").text
    again = world.pledged()
    assert case_of(again).public_id != case_of(code).public_id
    post(world.signed_in("children"), f"/children/{case_of(code).public_id}/listing", {})
    assert (case_of(code).state, case_of(code).waiting_since) == (CaseState.LISTED, since)


def test_a_reserved_watch_of_a_paused_child_is_free_for_another(world: World) -> None:
    code = world.pledged()
    world.confirm(code)
    in_transaction(devices.assign, pledge=get(code).public_id, actor="office")
    pause(world, code)
    assert (get(code).state, voucher_of(code).state) == (PledgeState.REASSIGNED, VoucherState.VERIFIED)
    other = world.pledged("QQ2026000002")
    world.confirm(other)
    in_transaction(devices.assign, pledge=get(other).public_id, actor="office")
    assert device_of(other).public_id == device_of(code).public_id


def test_no_child_is_paused_whose_watch_waits_at_the_station(world: World) -> None:
    code, _device = world.at_station()
    keeper, path = world.signed_in("children"), f"/children/{case_of(code).public_id}"
    post(keeper, f"{path}/pause", {"reason": "住院了"})
    assert (get(code).state, case_of(code).state) == (PledgeState.AT_STATION, CaseState.READY)


def test_the_telecom_gets_numbers_and_consent_and_nothing_of_the_child(world: World) -> None:
    code, _device = world.at_station()
    office = world.signed_in("programme")
    answer = post(office, "/programme/activations", {})
    device, today = device_of(code), clock.today().isoformat()
    row = f"{device.imei},{device.iccid},watch-a1,{today},{children.CONSENT_TEXT}"
    assert answer.text.split() == ["imei,iccid,model,consent_given_on,consent_text", row]
    kept = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "telecom.list")).one()
    assert (kept.actor, kept.detail) == (f"person:{world.people['programme'].public_id}", {"rows": 1})
    in_transaction(children.withdraw, officer=world.keeper, case=case_of(code).public_id)
    assert post(office, "/programme/activations", {}).text.split() == ["imei,iccid,model,consent_given_on,consent_text"]


def test_the_database_lists_nobody_without_consent(world: World) -> None:
    case = db.session.scalars(select(ChildCase.id).limit(1)).one()
    db.session.execute(text(f"UPDATE child_case SET state = 'paused' WHERE id = {case}"))
    db.session.execute(text(f"UPDATE consent SET withdrawn_at = given_at WHERE case_id = {case} AND purpose = 'collect'"))
    with pytest.raises(DBAPIError, match="live consents"), db.session.begin_nested():
        db.session.execute(text(f"UPDATE child_case SET state = 'listed' WHERE id = {case}"))
    with pytest.raises(DBAPIError, match="stays withdrawn"), db.session.begin_nested():
        db.session.execute(text(f"UPDATE consent SET withdrawn_at = NULL WHERE case_id = {case} AND purpose = 'collect'"))
    with pytest.raises(DBAPIError, match="keeps its place"), db.session.begin_nested():
        db.session.execute(text(f"UPDATE child_case SET waiting_since = '2020-01-01' WHERE id = {case}"))


def test_the_database_knows_no_child_that_was_not_nominated(world: World) -> None:
    known = db.session.scalars(select(ChildCase).limit(1)).one()
    same = "county_code, station_code, age_band, need_tier, need, waiting_since, nominator_id, verifier_id"
    insert = f"INSERT INTO child_case (public_id, alias_zh, alias_en, state, {same}) SELECT 'x', 'x', 'x', 'listed', {same}"
    insert += f" FROM child_case WHERE id = {known.id}"
    with pytest.raises(DBAPIError, match="begins with its nomination"), db.session.begin_nested():
        db.session.execute(text(insert))
    with pytest.raises(DBAPIError, match="never lost"), db.session.begin_nested():
        db.session.execute(text("DELETE FROM consent"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("birth_date", "2016-02-24", "和身份证号里的出生日期对不上"),
        ("birth_date", "2009-02-29", "比如 2026-10-09"),
        ("waiting_since", "2015-01-01", "等待不会早过出生"),
        ("name", "　", "这一格还没填"),
        ("guardian_phone", "138", "11 位"),
        ("identity_number", "99999920160225500Y", "18 位"),
    ],
)
def test_a_nomination_that_cannot_be_true_is_sent_back_with_what_was_typed(
    world: World, field: str, value: str, words: str
) -> None:
    school = world.signed_in("nominator")
    before = len(db.session.scalars(select(ChildCase.id)).all())
    answer = post(school, "/children", TYPED | {"identity_number": right_number(), field: value})
    assert answer.status_code == 422 and words in answer.text and TYPED["school"] in answer.text
    assert len(db.session.scalars(select(ChildCase.id)).all()) == before


def test_one_child_stays_one_in_whatever_digits_it_is_typed(world: World) -> None:
    school = world.signed_in("nominator")
    data = TYPED | {"identity_number": right_number()}
    assert post(school, "/children", data).status_code == 303
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in right_number())
    assert "已经有档案了" in post(school, "/children", data | {"identity_number": wide}).text
    brother = identity(501, guardian_phone=TYPED["guardian_phone"])
    twin = {"identity_number": brother.identity_number, "birth_date": brother.birth_date.isoformat()}
    assert post(school, "/children", data | twin).status_code == 303


def test_rows_of_the_vault_have_keys_of_their_own_which_rotate(world: World) -> None:
    keys = set(db.session.scalars(select(ChildVault.data_key)))
    assert len(keys) == 12
    stored = db.session.execute(text("SELECT data_key, sealed FROM child_vault")).all()
    assert len({row.sealed for row in stored}) == 12
    key_rotation.rotate()
    case = db.session.scalars(select(ChildCase).limit(1)).one()
    read = vault.read(db.session(), case, reader=READER, why="x")
    assert read.name == f"{CANARY}{case.alias_zh.split()[1]}" and CANARY not in repr(read)


def test_a_vault_row_moved_to_another_case_opens_nothing(world: World) -> None:
    first, second = db.session.scalars(select(ChildVault).order_by(ChildVault.case_id).limit(2))
    first.sealed, first.data_key = second.sealed, second.data_key
    db.session.flush()
    with pytest.raises(RuntimeError):
        vault.read(db.session(), db.session.get_one(ChildCase, first.case_id), reader=READER, why="x")


def test_the_pledge_keeps_only_the_words_of_the_card(world: World) -> None:
    code = world.pledged()
    label = get(code).label
    assert set(label) == {
        *("case", "alias_zh", "alias_en", "place", "place_zh", "place_en", "age_band", "tier", "need", "waited")
    }
    kept = db.session.execute(select(Pledge.__table__)).mappings().one()
    assert "13835172045" not in str(dict(kept))
