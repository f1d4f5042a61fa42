"""A certificate that ends or is revoked pauses what its organisation collects for; the next lets that go on by itself."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from crowdfund.campaigns import giving, lifecycle
from crowdfund.campaigns.matching import paying_in
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.organisations import registering, standing
from crowdfund.campaigns.requirements import NotReady
from crowdfund.campaigns.states import CampaignState as C
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.transitions import EventRow
from tests.auditing.naming import named
from tests.campaigns.conftest import FOUNDATION, Fund, get, post, public_rows
from tests.campaigns.matching.conftest import promise
from tests.factories import make_person, sign_in_as

TAMPERING = {"what is open has a certificate": "UPDATE organisation SET certificate_until = '2026-01-02'"}
YESTERDAY = timedelta(days=1)


def confirmed(until: date, since: date = date(2026, 1, 1)) -> None:
    """What the register says now, by two people."""
    facts: dict[str, Any] = {"code": FOUNDATION, "name_zh": "示例青少年基金会", "name_en": "", "address_zh": "", "phone": ""}
    facts |= {"credit_code": "53140000DEMO000001", "certificate_number": "DEMO-C-1"}
    facts |= {"certificate_from": since, "certificate_until": until}
    entry = in_transaction(registering.write, facts=facts, person_id=make_person("operator").id)
    in_transaction(registering.confirm, entry=entry, person_id=make_person("operator").id)


def revoke() -> None:
    confirmed(clock.today() - YESTERDAY)


def steps(campaign: str) -> list[tuple[str, str]]:
    db.session.rollback()
    mine = select(EventRow.to_state, EventRow.why).where(
        EventRow.subject == f"campaign:{campaign}", EventRow.actor == "system"
    )
    return [(row.to_state, row.why) for row in db.session.execute(mine.order_by(EventRow.id))]


def test_revoked_it_takes_no_gifts_and_says_why_until_two_people_have_seen_the_next(fund: Fund) -> None:
    campaign, page = fund.open(), fund.browser()
    fund.give(campaign, 660)
    waiting = fund.begin(campaign, 500)
    revoke()
    assert get(campaign).state is C.PAUSED
    said = page.get(f"/campaigns/{campaign}").text
    assert "示例青少年基金会目前没有有效的公开募捐资格证书" in said and "/gifts/new" not in said
    with pytest.raises(giving.NotOpen):
        fund.begin(campaign, 500)
    with pytest.raises(giving.NotOpen):
        in_transaction(giving.pay_again, gift=waiting)
    assert (fund.balance(campaign), public_rows(campaign)) == (660, [("gift", 660, "")])

    confirmed(clock.today() + timedelta(days=400))
    assert get(campaign).state is C.LIVE and "/gifts/new" in page.get(f"/campaigns/{campaign}").text
    fund.give(campaign, 340)
    assert fund.balance(campaign) == 1000
    assert steps(campaign) == [("paused", lifecycle.UNCERTIFIED), ("live", lifecycle.CERTIFIED)]
    assert named(db.engine, fund.cashier.storage) == set()


def test_expired_the_worker_pauses_it_and_only_what_it_paused_goes_on(fund: Fund) -> None:
    by_hand, by_date = fund.open(), fund.open()
    in_transaction(lifecycle.pause, campaign=by_hand, person=fund.officer.id, why="核对名单")
    db.session.scalars(select(Organisation)).one().certificate_until = clock.today()
    db.session.commit()
    in_transaction(standing.look)
    assert get(by_date).state is C.LIVE  # its last day is valid
    db.session.scalars(select(Organisation)).one().certificate_until = clock.today() - YESTERDAY
    db.session.commit()
    for _twice in range(2):
        in_transaction(standing.look)
    assert get(by_date).state is C.PAUSED and len(steps(by_date)) == 1

    confirmed(clock.today() + timedelta(days=400), since=clock.today() + YESTERDAY)  # it begins tomorrow
    assert get(by_date).state is C.PAUSED
    db.session.scalars(select(Organisation)).one().certificate_from = clock.today()
    db.session.commit()
    in_transaction(standing.look)
    assert (get(by_date).state, get(by_hand).state) == (C.LIVE, C.PAUSED)


def test_no_officer_goes_on_without_a_certificate(fund: Fund) -> None:
    campaign, desk = fund.open(), fund.browser()
    revoke()
    sign_in_as(desk, fund.officer)
    page = post(desk, f"/charity/campaigns/{campaign}/resumption", {})
    assert page.status_code == 422 and "募捐方今天没有有效的证书" in page.text
    with pytest.raises(NotReady):
        in_transaction(lifecycle.resume, campaign=campaign, person=fund.officer.id)
    assert get(campaign).state is C.PAUSED
    assert "募捐方的证书不在有效期内" in desk.get(f"/charity/campaigns/{campaign}").text
    post(desk, f"/charity/campaigns/{campaign}/ending", {"why": "不再募捐"})
    assert get(campaign).state is C.PAUSED


def test_no_sponsor_pays_in_meanwhile(fund: Fund) -> None:
    campaign = fund.open()
    match = promise(fund, campaign)
    revoke()
    with pytest.raises(paying_in.NotAwaited):
        in_transaction(paying_in.start, fund=match, person_id=None)
    confirmed(clock.today() + timedelta(days=400))
    assert in_transaction(paying_in.start, fund=match, person_id=None)


def test_the_audit_names_what_is_open_without_one(fund: Fund) -> None:
    fund.open()
    with db.engine.begin() as connection:
        connection.execute(text(TAMPERING["what is open has a certificate"]))
    assert named(db.engine, fund.cashier.storage) == set(TAMPERING)
