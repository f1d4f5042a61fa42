"""Gifts in somebody's honour, by teams, by guests who sign in later; a pause before large ones; what none of it tells."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdfund.campaigns import giving
from crowdfund.campaigns.claims import claiming
from crowdfund.campaigns.claims.models import GuestGift
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.teams import joining, queries as team_queries
from crowdfund.campaigns.teams.joining import NotRunning, TeamIsClosed
from crowdfund.campaigns.teams.models import Team
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from tests.campaigns.conftest import Fund, gift_of, hidden, latest_gift, post, public_rows
from tests.campaigns.test_receiving import differences
from tests.campaigns.test_thanking import letters
from tests.factories import make_person, sign_in_as

SECRET = ("李承志", "13835172045", "giver@example.test")
LEVELS = {"named": "李承志", "masked": "李**", "anonymous": ""}


def form_of(client: FlaskClient, campaign: str, **typed: str) -> dict[str, str]:
    page = client.get(f"/campaigns/{campaign}/gifts/new?choice={typed.pop('choice', '660')}")
    form = {"amount": hidden(page, "amount"), "idempotency_key": hidden(page, "idempotency_key")}
    return form | {"anonymity": "masked", "how_often": "once"} | typed


def inputs(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


def test_a_large_gift_is_asked_about_once_and_nothing_typed_is_lost(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    typed = {"name": "王晓雯", "message": "给孩子们", "contact": "13835172045", "honoured": "外婆"}
    form = form_of(client, campaign, choice="200000", **typed)
    page = post(client, f"/campaigns/{campaign}/gifts", form)
    assert page.status_code == 200 and "¥2,000.00：真的要捐这么多吗" in page.text
    assert db.session.scalars(select(Contribution.id)).all() == []
    carried = inputs(page.text)
    assert carried.items() >= {**form, "sure_of": "once:200000"}.items()

    back = post(client, f"/campaigns/{campaign}/gifts", carried | {"change": "1"})
    assert back.status_code == 200 and 'id="amount"' in back.text
    for words in typed.values():
        assert words in back.text
    more = post(client, f"/campaigns/{campaign}/gifts", carried | {"amount": "20000"})  # not the sum that was asked about
    assert more.status_code == 200 and "¥20,000.00：真的要捐这么多吗" in more.text
    for _twice in range(2):
        assert post(client, f"/campaigns/{campaign}/gifts", carried).status_code == 303
    assert (latest_gift().fen, latest_gift().message) == (200_000, "给孩子们")
    assert len(db.session.scalars(select(Contribution.id)).all()) == 1


@pytest.mark.parametrize(("sum_", "how_often", "asked"), [("1999.99", "once", False), ("499.99", "monthly", False)])
def test_what_many_give_is_not_asked_about(fund: Fund, sum_: str, how_often: str, asked: bool) -> None:
    campaign, client = fund.open(ends_on=clock.today() + timedelta(days=200)), fund.browser()
    form = form_of(client, campaign) | {"amount": sum_, "how_often": how_often, "contact": "13835172045"}
    assert (post(client, f"/campaigns/{campaign}/gifts", form).status_code == 200) is asked
    dear = form | {"amount": "500.00", "how_often": "monthly", "idempotency_key": "other"}
    assert "每个月 ¥500.00" in post(client, f"/campaigns/{campaign}/gifts", dear).text


@pytest.mark.parametrize("anonymity", LEVELS)
def test_a_card_and_its_letter_say_no_more_than_the_ledger(fund: Fund, anonymity: str) -> None:
    campaign = fund.open()
    honour = Honour("外婆", "您教我认字", "granny@example.test")
    told: dict[str, Any] = {"name": "李承志", "anonymity": anonymity, "contact": "giver@example.test", "honour": honour}
    gift = fund.begin(campaign, 3170, **told)
    url = dedicating.url_of(campaign, gift)
    assert fund.browser().get(url).status_code == 404  # no card before the money
    fund.pay(gift)
    fund.work()
    fund.work()

    card = fund.browser().get(url)
    shown = LEVELS[anonymity]
    assert card.status_code == 200 and "外婆" in card.text and "您教我认字" in card.text
    to_honoured = [text for _fact, address, text in letters() if address == "granny@example.test"]
    assert len(to_honoured) == 1 and url in to_honoured[0] and "您教我认字" not in to_honoured[0]
    for text in (card.text, to_honoured[0]):
        assert shown in text and ("不愿留名" in text) is (shown == "")
        for secret in (*SECRET, "31.70", giving.link_token(gift)):
            assert secret == shown or secret not in text
    assert public_rows(campaign) == [("gift", 3170, shown)]
    in_transaction(dedicating.write, gift=gift)
    assert len([each for each in letters() if each[0].startswith("gift_card")]) == 1


def test_nobody_is_written_to_unasked_and_a_card_goes_with_its_gift(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 660, honour=Honour("外婆"))
    assert letters() == []
    url = dedicating.url_of(campaign, gift)
    assert fund.browser().get(url).status_code == 200
    assert fund.browser().get(f"/campaigns/{campaign}/cards/{giving.link_token(gift)}").status_code == 404
    assert fund.browser().get(url.replace(campaign, fund.open())).status_code == 404
    in_transaction(giving_back_all, fund=fund, campaign=campaign)
    fund.work()
    assert fund.browser().get(url).status_code == 404


def giving_back_all(session: Any, *, fund: Fund, campaign: str) -> None:
    from crowdfund.campaigns import lifecycle

    lifecycle.cancel(session, campaign=campaign, person=fund.officer.id, why="材料不实")


def test_an_address_without_a_name_or_no_address_is_said_by_the_field(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    for typed, words in (
        ({"card_contact": "a@example.test"}, "这张卡片是给谁的"),
        ({"card_words": "您教我认字"}, "这张卡片是给谁的"),
        ({"honoured": "外婆", "card_contact": "13835172045"}, "这不是邮箱地址"),
        ({"honoured": "<b>外婆</b>"}, "名字"),
    ):
        page = post(client, f"/campaigns/{campaign}/gifts", form_of(client, campaign, message="留着这句", **typed))
        assert (
            page.status_code == 422
            and words in page.text
            and "留着这句" in page.text
            and '<details class="stack" open>' in page.text
        )
    assert db.session.scalars(select(Contribution.id)).all() == []


def test_no_address_is_sent_card_after_card(fund: Fund) -> None:
    campaign, client = fund.open(), fund.browser()
    statuses = []
    for number in range(12):
        typed = {"honoured": "外婆", "card_contact": "Granny@example.test", "idempotency_key": f"card-{number}"}
        page = post(client, f"/campaigns/{campaign}/gifts", {"amount": "0.01", "anonymity": "masked", **typed})
        statuses.append(page.status_code)
    assert statuses == [303] * 10 + [429] * 2 and "自己转发" in page.text and "外婆" in page.text


def test_a_guests_gifts_are_claimed_by_the_proved_address_alone(fund: Fund) -> None:
    campaign = fund.open()
    mine = fund.give(campaign, 660, contact="13835172045", name="李承志", anonymity="anonymous")
    spelt = fund.give(campaign, 500, contact="Me@Example.test")
    others = fund.give(campaign, 700, contact="13835172099")
    fund.begin(campaign, 800, contact="13835172045")  # never paid
    person, stranger = make_person(phone="13835172045"), make_person(phone="13835172046")
    for somebody, email in ((person, "me@example.test"),):
        in_transaction(set_email, person_id=somebody.id, email=email)
    client = fund.browser()
    sign_in_as(client, stranger)
    assert "登录前用你的地址" not in client.get("/account/gifts").text
    post(client, "/account/gifts/claims", {})
    assert [gift_of(each).person_id for each in (mine, spelt, others)] == [None, None, None]

    sign_in_as(client, person)
    page = client.get("/account/gifts").text
    assert "有 2 笔" in page and "¥6.60" not in page and "13835172099" not in page
    for _twice in range(2):
        assert post(client, "/account/gifts/claims", {}).status_code == 303
    page = client.get("/account/gifts").text
    assert "¥6.60" in page and "¥5.00" in page and "¥7.00" not in page
    assert [gift_of(each).person_id for each in (mine, spelt, others)] == [person.id, person.id, None]
    assert public_rows(campaign) == [("gift", 660, ""), ("gift", 500, ""), ("gift", 700, "")]
    assert len(db.session.scalars(select(GuestGift.gift)).all()) == 2
    assert in_transaction(claiming.claim, person_id=person.id) == 0
    assert differences(fund) == []


def set_email(session: Any, *, person_id: int, email: str) -> None:
    from marketplace.accounts import people
    from marketplace.accounts.models import Person

    people.set_address(session, session.get_one(Person, person_id), email)


def test_a_team_raises_together_and_names_nobody_who_did_not_want_it(fund: Fund) -> None:
    campaign = fund.open()
    leader, client, guest = make_person(name="赵明"), fund.browser(), fund.browser()
    assert client.get(f"/campaigns/{campaign}/teams/new").location.startswith("/sign-in")
    sign_in_as(client, leader)
    key = hidden(client.get(f"/campaigns/{campaign}/teams/new"), "idempotency_key")
    typed = {"idempotency_key": key, "name": "三年二班", "words": "一人一本", "anonymity": "masked"}
    made = [post(client, f"/campaigns/{campaign}/teams", typed).location for _twice in range(2)]
    assert made[0] == made[1]
    team = made[0].rpartition("/")[2]
    for anonymity in LEVELS:
        fund.give(campaign, 660, name="李承志", contact="13835172045", team=team, anonymity=anonymity)
    fund.give(campaign, 5000)
    assert "三年二班" in guest.get(f"/campaigns/{campaign}/gifts/new?choice=660&team={team}").text

    page = guest.get(made[0]).text
    assert "¥19.80" in re.sub(r"<[^>]+>", "", page)
    assert "三年二班" in page and "赵**" in page and "赵明" not in page and "一人一本" not in page
    assert re.findall(r"</td><td>([^<]*)</td><td class=\"book__sum\">¥6.60", page) == ["匿名", "李**", "李承志"]
    assert "13835172045" not in page
    assert "三年二班" in guest.get(f"/campaigns/{campaign}").text
    assert fund.balance(campaign) == 1980 + 5000

    decide: dict[str, Any] = {"team": team, "organisations": ["test-foundation"], "person_id": fund.officer.id}
    in_transaction(joining.decide, **decide, decision="shown")
    assert "一人一本" in fund.browser().get(made[0]).text
    other = fund.browser()
    sign_in_as(other, make_person())
    assert post(other, f"{made[0]}/closing", {}).status_code == 404
    assert post(client, f"{made[0]}/closing", {}).status_code == 303
    with pytest.raises(TeamIsClosed):
        fund.begin(campaign, 660, team=team)
    form = form_of(guest, campaign, name="李承志", team=team)
    refused = post(guest, f"/campaigns/{campaign}/gifts", form)
    assert refused.status_code == 409 and "这个团队不再收捐款" in refused.text and "李承志" in refused.text
    in_transaction(
        joining.decide, team=team, organisations=["test-foundation"], decision="hidden", person_id=fund.officer.id
    )
    assert fund.browser().get(made[0]).status_code == 404
    assert team_queries.of_campaign(db.session(), campaign) == []
    assert differences(fund) == []


def test_no_team_leads_out_of_the_house(fund: Fund) -> None:
    """Everybody reads it before an officer does, and the leader's account may be called anything."""
    campaign, client = fund.open(), fund.browser()
    sign_in_as(client, make_person(name="加微信maifang888"))
    typed = {"name": "三年二班", "words": "", "anonymity": "named"}
    for wrong, said in (({}, "你账号的名字里有"), ({"anonymity": "masked", "name": "加微信maifang"}, "名字一直公开")):
        refused = post(client, f"/campaigns/{campaign}/teams", typed | wrong)
        assert refused.status_code == 422 and said in refused.text
    assert db.session.scalars(select(Team)).all() == []
    assert "加**" in client.get(post(client, f"/campaigns/{campaign}/teams", typed | {"anonymity": "masked"}).location).text


def test_no_team_for_what_is_not_open_and_none_of_another_campaign(fund: Fund) -> None:
    campaign, other = fund.open(), fund.open()
    person = make_person()
    told: dict[str, Any] = {"leader_id": person.id, "shown_as": "", "name": "队", "words": ""}
    with pytest.raises(NotRunning):
        in_transaction(joining.open_team, campaign=fund.approved(), **told)
    team = in_transaction(joining.open_team, campaign=other, **told)
    with pytest.raises(TeamIsClosed):
        fund.begin(campaign, 660, team=team)
    with pytest.raises(NotFound):
        in_transaction(joining.decide, team=team, organisations=["other"], decision="hidden", person_id=person.id)
    assert fund.browser().get(f"/campaigns/{campaign}/teams/{team}").status_code == 404
    assert fund.browser().get(f"/campaigns/{campaign}/gifts/new?choice=660&team={team}").status_code == 404


def test_a_team_keeps_only_what_stayed(fund: Fund) -> None:
    campaign = fund.open()
    told: dict[str, Any] = {"leader_id": make_person().id, "shown_as": "", "name": "队", "words": ""}
    team = in_transaction(joining.open_team, campaign=campaign, **told)
    fund.give(campaign, 660, team=team)
    in_transaction(giving_back_all, fund=fund, campaign=campaign)
    fund.work()
    db.session.rollback()
    assert team_queries.find(db.session(), campaign, team).raised_fen == 0
