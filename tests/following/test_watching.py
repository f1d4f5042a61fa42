"""People are told what they asked for, once, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from listings.following import keeping, watching
from listings.following.models import Favourite, ListingChange
from listings.models import Listing, Variant
from marketplace.core.db import in_transaction
from marketplace.notifications import preferences
from marketplace.notifications.models import Message
from marketplace.notifications.preferences import MessageKind
from tests.factories import make_listing, make_person, make_variant
from tests.following.conftest import Orchard, Pass
from tests.statements import gathered

CHEAPER = "吉县红富士苹果（5斤箱）现在 ¥35.00，收藏时是 ¥39.80。"


def first_lines(texts: list[str]) -> list[str]:
    return [text.partition("\n")[0] for text in texts]


def test_a_lower_price_is_told_once(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.ask(price=True)
    assert orchard.look() == []

    orchard.price(3500)

    assert first_lines(orchard.look()) == [CHEAPER]
    assert orchard.look() == []
    pass_days(1)
    assert orchard.look() == []


def test_a_message_leads_to_the_goods_and_out_of_such_messages(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(price=True, language="en")
    orchard.price(3500)

    (text,) = orchard.look()

    words, page, way_out = text.split("\n")
    assert words == "Jixian Fuji apples (2.5 kg box) now costs ¥35.00; it was ¥39.80 when you saved it."
    assert page.endswith("/listings/G7?variant=G7-1")
    token = way_out.partition("/favourites/")[2]
    assert orchard.client.get(f"/favourites/{token}").status_code == 200


def test_a_price_that_flutters_is_told_once_a_day_and_never_twice_for_the_same(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.ask(price=True)
    told = []
    for fen in (3500, 3980, 3500, 3400, 3980, 3400, 3600):
        orchard.price(fen)
        told.append(len(orchard.look()))
    assert told == [1, 0, 0, 0, 0, 0, 0]

    pass_days(1)
    assert orchard.look() == []  # 36.00 is more than the 35.00 they know of
    orchard.price(3400)
    assert first_lines(orchard.look()) == [CHEAPER.replace("35.00", "34.00")]


def test_what_could_not_be_told_today_is_told_tomorrow_if_it_still_holds(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.ask(price=True)
    orchard.price(3500)
    assert len(orchard.look()) == 1
    orchard.price(3000)
    assert orchard.look() == []

    pass_days(1)

    assert first_lines(orchard.look()) == [CHEAPER.replace("35.00", "30.00")]


@pytest.mark.parametrize(("fen", "told"), [(3001, 0), (3000, 1), (2999, 1)])
def test_a_price_that_was_typed_is_the_bound(orchard: Orchard, fen: int, told: int) -> None:
    orchard.save()
    orchard.ask(price=True, wish=3000)

    orchard.price(fen)

    assert len(orchard.look()) == told


def test_a_price_that_is_there_already_cannot_be_waited_for(orchard: Orchard) -> None:
    orchard.save()
    with pytest.raises(keeping.AlreadyThatCheap):
        orchard.ask(price=True, back=True, wish=3980)

    assert (orchard.favourite.tells_price, orchard.favourite.tells_return, orchard.favourite.wish_fen) == (
        False,
        False,
        None,
    )


def test_how_things_stand_when_it_is_asked_for_is_no_news(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.price(3500)
    orchard.ask(price=True, back=True)

    assert orchard.look() == []
    pass_days(1)
    assert orchard.look() == []
    orchard.price(3400)
    assert len(orchard.look()) == 1


def test_goods_that_are_back_in_stock_are_told(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(back=True)
    orchard.count(-20)
    assert orchard.look() == []

    orchard.count(5)

    assert first_lines(orchard.look()) == ["吉县红富士苹果（5斤箱）又能买到了，¥39.80。"]
    assert orchard.look() == []


def test_a_pack_that_was_paused_is_told_when_it_is_for_sale_again(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(back=True)
    orchard.pause()
    assert orchard.look() == []

    orchard.resume()

    assert first_lines(orchard.look()) == ["吉县红富士苹果（5斤箱）又能买到了，¥39.80。"]


def test_a_harvest_that_begins_is_told_in_the_morning(orchard: Orchard, clock: Any) -> None:
    clock.move_to(datetime(2026, 8, 20, 4, tzinfo=UTC))
    orchard.save()
    orchard.ask(back=True)
    clock.move_to(datetime(2026, 8, 31, 23, 59, tzinfo=UTC))  # 7:59 of the first of September
    assert orchard.look() == []

    clock.move_to(datetime(2026, 9, 1, 0, 0, tzinfo=UTC))

    assert first_lines(orchard.look()) == ["吉县红富士苹果（5斤箱）开始采收了：¥39.80。"]
    assert orchard.look() == []


def test_a_harvest_of_which_nothing_is_there_yet_says_so_and_the_stock_is_told_later(orchard: Orchard, clock: Any) -> None:
    clock.move_to(datetime(2026, 8, 20, 4, tzinfo=UTC))
    orchard.count(-20)
    orchard.save()
    orchard.ask(back=True)
    clock.move_to(datetime(2026, 9, 1, 4, tzinfo=UTC))
    assert first_lines(orchard.look()) == ["吉县红富士苹果（5斤箱）开始采收了，暂时还没有现货。"]
    orchard.count(5)
    assert orchard.look() == []

    clock.move_to(datetime(2026, 9, 2, 4, tzinfo=UTC))

    assert first_lines(orchard.look()) == ["吉县红富士苹果（5斤箱）又能买到了，¥39.80。"]


def test_nothing_is_told_of_what_is_not_for_sale(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.ask(price=True, back=True)
    orchard.pause()
    orchard.price(1000)
    assert orchard.look() == []
    pass_days(40)
    assert orchard.look() == []


@pytest.mark.parametrize("wanted", [{}, {"back": True}])
def test_who_did_not_ask_is_not_told_of_a_price(orchard: Orchard, wanted: dict[str, Any]) -> None:
    orchard.save()
    orchard.ask(**wanted)
    orchard.price(100)

    assert orchard.look() == []


def test_a_closed_account_is_told_nothing(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(price=True)
    orchard.person.is_active = False
    orchard.session.commit()
    orchard.price(100)

    assert orchard.look() == []


def test_who_wants_no_letters_finds_it_on_their_page_alone(orchard: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    topics: list[str] = []
    monkeypatch.setattr("marketplace.core.outbox.put", lambda _session, topic, /, **_more: topics.append(topic))
    in_transaction(preferences.keep, person_id=orchard.person.id, wanted=set())
    orchard.save()
    orchard.ask(price=True)
    orchard.price(3500)

    assert first_lines(orchard.look()) == [CHEAPER]
    assert "message.send" not in topics
    assert preferences.is_silent(
        orchard.session, person_id=orchard.person.id, kind=MessageKind.FAVOURITES, address=orchard.person.email or ""
    )


def test_each_person_is_told_of_their_own(orchard: Orchard) -> None:
    others = [make_person() for _ in range(3)]
    for person in (orchard.person, *others):
        in_transaction(keeping.save, person_id=person.id, variant="G7-1")
        wanted: dict[str, Any] = {"tells_price": person is not others[0], "tells_return": False}
        in_transaction(keeping.choose_alerts, person_id=person.id, variant="G7-1", **wanted)

    orchard.price(3500)

    assert len(orchard.look()) == 3
    told = [row.person_id for row in orchard.session.query(Message).order_by(Message.person_id)]
    assert told == [orchard.person.id, others[1].id, others[2].id]


STEPS = st.one_of(st.integers(1, 9).map(lambda yuan: ("price", yuan * 1000)), st.sampled_from([("day", 1), ("sold out", 0)]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_whatever_a_price_does_each_message_is_lower_than_the_one_before(
    orchard: Orchard, clock: Any, steps: list[tuple[str, int]]
) -> None:
    in_transaction(keeping.remove, person_id=orchard.person.id, variant="G7-1")
    orchard.count(20 - orchard.variant.on_hand)
    orchard.price(5000)
    orchard.save()
    orchard.ask(price=True)
    told: list[tuple[Any, int]] = []
    for kind, fen in steps:
        if kind == "day":
            clock.shift(24 * 3600)
        elif kind == "sold out":
            orchard.count(-orchard.variant.on_hand)
        else:
            orchard.price(fen)
        texts = orchard.look()
        assert len(texts) <= 1
        if texts:
            told.append((orchard.favourite.told_on, orchard.variant.price_fen))
            assert orchard.variant.on_hand > 0

    days, prices = [day for day, _fen in told], [fen for _day, fen in told]
    assert len(set(days)) == len(days)
    assert prices == sorted(set(prices), reverse=True) and all(fen < 5000 for fen in prices)


def test_what_has_not_changed_is_not_read(orchard: Orchard) -> None:
    """However many keep it in mind, and however many other goods there are."""
    first = orchard.variant
    for number in range(2, 5):
        other = make_variant(make_listing(code=f"G{number * 100}"), code=f"G{number * 100}-1", price_fen=3980)
        for variant in (first, other):
            person = make_person(email=f"follower{number}.{variant.code}@example.org")
            in_transaction(keeping.save, person_id=person.id, variant=variant.code)
            in_transaction(
                keeping.choose_alerts, person_id=person.id, variant=variant.code, tells_price=True, tells_return=True
            )
    orchard.look()

    with gathered() as sent:
        assert not in_transaction(watching.look)
    assert len(sent) == 2 and "favourite.looked_on" in sent[1]
    orchard.price(3500)
    with gathered() as sent:
        assert in_transaction(watching.look)
    assert [statement.split()[0] for statement in sent[:4]] == ["SELECT", "SELECT", "DELETE", "SELECT"]
    assert sum("FROM favourite" in statement for statement in sent) == 1
    assert orchard.session.query(Favourite).filter(Favourite.told_price_fen == 3500).count() == 3
    assert not in_transaction(watching.look)


def test_more_than_a_handful_are_looked_at_in_several_turns(orchard: Orchard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "BATCH", 2)
    people = [make_person(email=f"follower{number}@example.org") for number in range(5)]
    for person in people:
        in_transaction(keeping.save, person_id=person.id, variant=orchard.variant.code)
        in_transaction(
            keeping.choose_alerts, person_id=person.id, variant=orchard.variant.code, tells_price=True, tells_return=False
        )
    orchard.look()
    orchard.price(3500)
    orchard.price(3400)

    assert len(orchard.look()) == 5
    assert orchard.session.query(ListingChange).count() == 0


def test_who_changes_a_listing_without_saying_so_is_noticed(orchard: Orchard) -> None:
    orchard.save()
    orchard.ask(price=True)
    orchard.look()
    orchard.session.query(Variant).update({"price_fen": 3000})
    orchard.session.query(Listing).update({"version": Listing.version + 1})
    orchard.session.commit()

    assert first_lines(orchard.look()) == [CHEAPER.replace("35.00", "30.00")]


def test_closed_accounts_are_told_nothing_and_cost_nothing(orchard: Orchard, pass_days: Pass) -> None:
    orchard.save()
    orchard.ask(price=True)
    orchard.person.is_active = False
    orchard.session.commit()
    orchard.price(3500)

    assert orchard.look() == []
    pass_days(1)
    assert orchard.look() == []
    assert not in_transaction(watching.look)
