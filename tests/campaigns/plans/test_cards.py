"""Cards that are kept: their end is told in time, another takes their place, and nobody keeps them after the stop."""

import json
import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from crowdfund.campaigns import lifecycle
from crowdfund.campaigns.plans import asking, cards, charging, keeping, periods
from marketplace.core import outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.outbox import OutboxRow
from marketplace.payments.gateways import OutcomeUnknown
from marketplace.payments.sandbox import mandates, storage
from tests.campaigns.conftest import post
from tests.campaigns.plans.conftest import (
    Monthly,
    charges_at,
    differences,
    get_plan,
    latest_gift,
    letters,
    months,
    noon_of,
    plan_of,
)

SOON = date(2026, 2, 28)


def kept_at(monthly: Monthly) -> list[str]:
    """The cards that the cashier keeps."""
    with monthly.cashier.storage.connect() as connection:
        return list(connection.scalars(select(storage.mandate.c.id).order_by(storage.mandate.c.id)))


def told(words: str = "到期") -> list[str]:
    return [text for text in letters() if words in text]


def let_go_rows() -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.topic == cards.LET_GO).order_by(OutboxRow.id)))


@pytest.mark.parametrize("how", ["by the giver", "with the campaign"])
def test_who_has_stopped_is_kept_by_nobody(monthly: Monthly, how: str) -> None:
    campaign = monthly.campaign()
    plan, other = monthly.start(campaign), monthly.start(monthly.campaign())
    mandate = get_plan(plan).mandate
    assert mandate and len(kept_at(monthly)) == 2
    if how == "by the giver":
        in_transaction(keeping.stop, plan=plan)
        in_transaction(keeping.stop, plan=plan)
    else:
        in_transaction(lifecycle.cancel, campaign=campaign, person=monthly.fund.officer.id, why="材料不实")
        asking.ask_for_due()
    (row,) = let_go_rows()
    assert mandate not in json.dumps(row.payload)  # it is nobody's to read

    monthly.work()

    assert kept_at(monthly) == [get_plan(other).mandate]
    stopped = get_plan(plan)
    assert (stopped.mandate, stopped.card_ends_on) == (None, None)
    cards.forget(**row.payload)  # told once more
    assert kept_at(monthly) == [get_plan(other).mandate]
    assert differences(monthly) == []


def test_a_gateway_that_does_not_answer_is_asked_again(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = monthly.start()
    in_transaction(keeping.stop, plan=plan)
    with monkeypatch.context() as broken:

        def silent(_mandate: str) -> None:
            raise ConnectionError

        broken.setattr(monthly.cashier, "release_mandate", silent)
        with pytest.raises(OutcomeUnknown):
            cards.forget(**let_go_rows()[0].payload)
        outbox.deliver_slow()
    assert len(kept_at(monthly)) == 1 and not let_go_rows()[0].is_done

    with monthly.at(noon_of("2026-02-02")):
        monthly.work()
    assert kept_at(monthly) == [] and let_go_rows()[0].is_done


def test_a_gateway_that_is_ours_no_more_is_not_asked(monthly: Monthly) -> None:
    cards.forget(gateway="stripe", mandate="k1:nothing")


def test_the_newest_card_takes_the_place_of_the_one_before(monthly: Monthly) -> None:
    plan = monthly.start(later="declined")
    (before,) = kept_at(monthly)
    monthly.day("2026-02-28")
    with monthly.at(noon_of("2026-02-28")):
        monthly.pay_by_link(latest_gift(plan))

    assert kept_at(monthly) == [get_plan(plan).mandate] != [before]
    assert differences(monthly) == []


def test_a_card_used_for_a_plan_that_was_stopped_meanwhile_is_not_kept(monthly: Monthly) -> None:
    gift = monthly.begin(monthly.campaign())
    in_transaction(keeping.stop, plan=plan_of(gift).public_id)

    monthly.pay(gift)

    assert kept_at(monthly) == [] and get_plan(plan_of(gift).public_id).mandate is None
    assert differences(monthly) == []


def test_the_end_of_a_card_is_told_in_the_month_before_and_once(monthly: Monthly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mandates, "CARDS_LAST", 4)
    plan = monthly.start()
    assert get_plan(plan).card_ends_on == date(2026, 5, 31)
    for moment in (datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 4, 1, 0, 59, tzinfo=UTC)):
        with monthly.at(moment):
            cards.tell_of_ends()
        assert told() == []

    for day in ("2026-04-01", "2026-04-02", "2026-05-01"):
        with monthly.at(noon_of(day)):
            cards.tell_of_ends()
    (letter,) = told()
    assert letter.startswith("你给“给临县添一架书”每月捐 ¥20.00 的那张卡，2026年5月31日 到期。")
    assert re.search(r"http://[^ ]+/gifts/plans/[0-9a-f]{64}$", letter)
    assert get_plan(plan).card_end_told_on == date(2026, 4, 1)
    assert differences(monthly) == []


@pytest.mark.parametrize("why", ["a wallet", "paused", "stopped", "the campaign ends first", "a card that lasts"])
def test_where_there_is_nothing_to_tell_nothing_is_told(monthly: Monthly, why: str) -> None:
    campaign = monthly.campaign(**({"ends_on": SOON} if why == "the campaign ends first" else {}))
    later = {"a wallet": "kept_by_nobody", "a card that lasts": "succeeds"}.get(why, "ends_soon")
    if why == "the campaign ends first":
        with monthly.at(datetime(2026, 1, 28, 4, tzinfo=UTC)):
            plan = monthly.start(campaign, later)
    else:
        plan = monthly.start(campaign, later)
    if why in {"paused", "stopped"}:
        in_transaction(keeping.pause if why == "paused" else keeping.stop, plan=plan)

    cards.tell_of_ends()
    with monthly.at(noon_of("2026-02-20")):
        cards.tell_of_ends()

    assert told() == []


def test_another_card_is_told_of_anew(monthly: Monthly) -> None:
    plan = monthly.start(later="ends_soon")
    cards.tell_of_ends()
    assert len(told()) == 1 and get_plan(plan).card_ends_on == SOON
    in_transaction(keeping.change_card, plan=plan)
    monthly.day("2026-02-28")
    with monthly.at(noon_of("2026-02-28")):
        monthly.pay_by_link(latest_gift(plan), later="ends_soon")
        cards.tell_of_ends()

    assert get_plan(plan).card_ends_on == date(2026, 3, 31)
    assert ["3月31日" in text for text in told()] == [False, True]
    assert kept_at(monthly) == [get_plan(plan).mandate]


def test_another_card_from_the_plans_own_page(monthly: Monthly) -> None:
    plan, client = monthly.start(later="ends_soon"), monthly.fund.browser()
    own = re.findall(r"/gifts/plans/[0-9a-f]+", letters()[-1])[0]
    assert "这张卡 2026年2月28日 到期" in client.get(own).text

    assert post(client, f"{own}/card", {}).status_code == 303
    monthly.work()

    page = client.get(own).text
    assert "用哪张卡付，以后就从哪张卡扣" in page and "到期" not in page and f"{own}/card" not in page
    assert kept_at(monthly) == [] and get_plan(plan).mandate is None
    monthly.day("2026-02-28")
    assert "今天是你月捐的日子" in letters()[-1] and charges_at(monthly.cashier) == []
    with monthly.at(noon_of("2026-02-28")):
        monthly.pay_by_link(latest_gift(plan))
    monthly.day("2026-03-31")
    assert [state for _day, state, _charges, _gift in months(plan)] == ["received"] * 3
    assert differences(monthly) == []


def test_who_lets_a_card_go_that_is_about_to_be_charged_gets_the_link(monthly: Monthly) -> None:
    plan = monthly.start()
    with monthly.at(periods.moment_of(SOON)):
        asking.ask_for_due()
        in_transaction(keeping.change_card, plan=plan)
        in_transaction(keeping.change_card, plan=plan)
        monthly.work()

    assert charges_at(monthly.cashier) == [] and "今天是你月捐的日子" in letters()[-1]
    assert months(plan)[1][1:] == ("due", 0, "pending")
    assert differences(monthly) == []


def test_a_stopped_plan_has_no_card_to_change(monthly: Monthly) -> None:
    plan = monthly.start()
    in_transaction(keeping.stop, plan=plan)
    with pytest.raises(keeping.NotRunning):
        in_transaction(keeping.change_card, plan=plan)
    assert not charging.charge_one()
