"""The independent reader of vouchers, children and devices: silent where all is well, naming what is not."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from crowdfund.pledges import children, devices, disputes, holding, mishaps
from crowdfund.pledges.states import DeviceState
from marketplace.auditing import checks, devices as audited, lives
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from tests.auditing.naming import tampered
from tests.pledges.conftest import BANK, World, case_of, get, real_world, voucher_of
from tests.pledges.test_handover import hand_over

__all__ = ["real_world"]

ALL = (*audited.DEVICES, *audited.PLEDGES)
FREE = "DROP INDEX one_active_pledge_of_voucher; DROP INDEX one_active_pledge_for_child; "
AGAIN = "(SELECT MIN({0}) FROM pledge)"
TAMPERING = {
    "devices are where the books say": "UPDATE device SET state = 'lost' WHERE state = 'checked'",
    "devices are at the stations where the books say": "UPDATE device SET station_code = '140430'",
    "devices are at the stations of their children": "UPDATE child_case SET station_code = '140430'",
    "devices follow their pledges": "UPDATE pledge SET state = 'allocated' WHERE state = 'handed_over'",
    "what is a child's was handed over": "UPDATE handover SET is_final = FALSE",
    "no place has fewer than no devices": "UPDATE line SET amount = -5 WHERE amount = 1 AND commodity LIKE 'DEVICE:%'",
    "what was promised is in the books": "UPDATE agreement SET public_id = public_id || '-'",
    "claims are counted": "UPDATE programme SET claimed = claimed + 1",
    "one voucher directs one device": f"{FREE} UPDATE pledge SET voucher_id = {AGAIN.format('voucher_id')}",
    "one child gets one device": f"{FREE} UPDATE pledge SET case_id = {AGAIN.format('case_id')}",
    "vouchers follow their pledges": "UPDATE voucher SET state = 'reversed'",
    "held vouchers have pledges": "UPDATE pledge SET state = 'cancelled' WHERE state = 'provisional'",
    "children follow their pledges": "UPDATE child_case SET state = 'paused' WHERE state = 'held'; "
    "UPDATE child_case SET state = 'held' WHERE state = 'listed'",
    "no device before the bank's word": "UPDATE event SET to_state = 'cancelled' WHERE to_state = 'confirmed'",
    "whoever may be related was let through by a person": "UPDATE child_vault SET guardian_phone_hash = (SELECT"
    " p.saver_phone_hash FROM pledge p WHERE p.case_id = child_vault.case_id AND p.state = 'handed_over' LIMIT 1)"
    " WHERE destroyed_at IS NULL",
    "children on the list have consent": "UPDATE consent SET withdrawn_at = given_at",
    "whoever left the list is destroyed in the vault": "UPDATE child_case SET state = 'withdrawn' WHERE state = 'listed'",
    "no voucher has vanished": "UPDATE event SET subject = subject || 'x' WHERE subject LIKE 'voucher:%'",
    "two people take a bank's word back": "UPDATE event SET actor = 'bank' WHERE from_state = 'disputed'",
    "two people stand behind a case": "PRETEND child_case: nominator_id = verifier_id",
    "two people hand over, and neither has verified": "PRETEND handover: witness_id = clerk_id",
    "what was handed over has its hand-over": "UPDATE handover SET is_final = FALSE",
    "states have traces": "UPDATE event SET to_state = 'lost' WHERE subject LIKE 'pledge:%' AND to_state = 'allocated'",
}


@pytest.fixture
def lived(real_world: World) -> World:
    """One pledge handed over, one on its way to the bank, one cancelled, one child withdrawn; two watches gone wrong."""
    code, device = real_world.at_station()
    hand_over(real_world, code, device)
    replaced, broken = real_world.at_station("QQ2026000004")
    hand_over(real_world, replaced, broken)
    in_transaction(mishaps.report, device=broken, there=DeviceState.FAULTY, actor="office", reason="no sound")
    in_transaction(mishaps.send_back, device=broken, actor="office")
    in_transaction(devices.assign, pledge=get(replaced).public_id, actor="office")
    back, given_back = real_world.at_station("QQ2026000005")
    with time_machine.travel(clock.now() + timedelta(minutes=2)):  # the witness's authenticator shows a new number by then
        hand_over(real_world, back, given_back)
    in_transaction(mishaps.take_back, device=given_back, actor="office", reason="moved")
    real_world.pledged("QQ2026000002")
    real_world.declare(real_world.browser(), cancelled := real_world.pledged("QQ2026000003"))
    in_transaction(holding.cancel, code=cancelled)
    in_transaction(children.withdraw, officer=real_world.keeper, case=case_of(cancelled).public_id)
    in_doubt = get(doubted := real_world.pledged("QQ2026000006")).public_id
    real_world.confirm(doubted)
    in_transaction(disputes.dispute, pledge=in_doubt, bank=BANK, actor="bank", reason="the wrong line")
    in_transaction(disputes.decide, voucher=voucher_of(doubted).public_id, counts=True, actor="office", reason="right")
    db.session.remove()
    return real_world


def named(sql: str = "") -> set[str]:
    with tampered(db.engine, statements(sql)) as connection:
        found = [*checks.run(connection, ALL), *lives.differences(connection)]
    return {finding.check for finding in found if isinstance(finding, Difference)}


def statements(sql: str) -> str:
    """`PRETEND table: change` is what a CHECK forbids: PostgreSQL drops the checks for it, SQLite looks away."""
    if not sql.startswith("PRETEND"):
        return sql
    table, _colon, change = sql.removeprefix("PRETEND ").partition(": ")
    if db.engine.dialect.name == "sqlite":
        return f"PRAGMA ignore_check_constraints = ON; UPDATE {table} SET {change}; PRAGMA ignore_check_constraints = OFF"
    with db.engine.connect() as connection:
        wanted = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype = 'c'"
        names = connection.scalars(text(wanted), {"table": table}).all()
    return "; ".join([*(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for name in names), f"UPDATE {table} SET {change}"])


def test_honest_pledges_have_no_differences(lived: World) -> None:
    assert named() == set()


def test_whatever_was_tampered_with_is_named(lived: World) -> None:
    assert [check for check, sql in TAMPERING.items() if check not in named(sql)] == []
    assert {check.name for check in ALL} <= set(TAMPERING)
    assert named() == set()
