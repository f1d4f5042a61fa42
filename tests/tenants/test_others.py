"""Every address with a name in it, as everybody, with the names of what belongs to somebody else: nothing of it is shown,
and nothing is written. Addresses come from the application itself, and names from its tables: what nobody can name fails."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter

from marketplace.accounts.models import Person
from marketplace.accounts.permissions import ANYONE, PERMISSIONS, reaches_of
from marketplace.core import ids
from marketplace.core.db import db
from tests import factories
from tests.anything import without_rules
from tests.factories import sign_in_as
from tests.orders.conftest import OURS, token_of
from tests.tenants.one_of_each import one_of_each
from tests.undone import OF_THE_VISIT, Undone

pytestmark = pytest.mark.full
ROLES: Final = tuple(sorted({role for role, _action, _reach in PERMISSIONS} - {ANYONE, "buyer"}))
WIDE: Final = frozenset(
    {"everywhere", "programme"}
)  # children and devices name no programme: its officers work for all (`try_far`)
ELSEWHERE: Final = "149999"
NOT_OURS: Final = ("sandbox_", "static")  # the cashier is another house, and knows no tenants
IN_QUICK: Final = 150
MOST: Final = 12  # ways to fill in one address
CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("payout_account.public_id",),
    "attempt": ("attempt.public_id",),
    "batch": ("settlement_batch.public_id",),
    "case": ("after_sales_case.public_id", "child_case.public_id"),
    "code": ("listing.code",),  # whoever knows the code of a pledge may follow it
    "deposit": ("cash_deposit.public_id",),
    "entry": ("organisation_entry.public_id",),
    "change": ("officer_entry.public_id",),
    "officer": ("person.public_id",),
    "edit": ("listing_revision.public_id",),
    "evidence": ("dispute_evidence.public_id",),
    "fund": ("matching_fund.public_id",),
    "invitation": ("invitation.public_id",),
    "gift": ("contribution.public_id",),
    "group": ("group_buy.public_id",),
    "held": ("held_match.public_id",),
    "line": ("settlement_line.public_id", "order_line.public_id"),
    "address": ("address.public_id", "endpoint.public_id"),
    "key": ("desk_act.client_key",),
    "name": ("listing_import.public_id", "mirror_file.public_id"),
    "number": ("order.number", "receipt.public_id"),
    "pack": ("variant.code",),
    "payment": ("attempt.public_id",),
    "picture": ("case_picture.public_id", "goods_check_picture.public_id", "review_picture.public_id"),
    "proof": ("evidence.public_id",),
    "seller": ("person.public_id",),
    "session_id": ("sign_in_session.public_id",),
    "sku": ("listing.code",),
    "token": ("access_token.public_id", "plan.public_id", "matching_fund.public_id", "contribution.public_id"),
}
"""Where a blank is not called after its table, or has several meanings: `table.attribute`."""
USUAL_NAMES: Final = ("public_id", "number", "code")
OTHERWISE: Final[Mapping[str, tuple[str, ...]]] = {
    "answer": ("issue", "refusal", "agreement"),
    "cart": ("0123456789abcdef",),
    "day": ("2026-10-18",),
    "difference": ("2",),
    "decision": ("show", "hide"),
    "digest": ("0" * 16,),
    "gateway": ("sandbox",),
    "kind": ("goods",),
    "month": ("2026-10",),
    "names": ("apple",),
    "role": ("charity_officer",),
    "step": (
        *("acceptance", "refusal", "approval", "rejection", "cancellation", "submission", "pause"),
        *("receipt", "check", "dispatch"),
    ),
    "what": ("goods",),
    "width": ("320",),
    "year": ("2026",),
}
"""What names no row."""
OPEN: Final[Mapping[str, str]] = {
    "cart.create_removal": "a pack is taken out of one's own cart, whatever it is called",
    "gifts.show_form": "anybody may give to a campaign",
    "gifts.create_gift": "anybody may give to a campaign",
    "giving_by_program.create_gift": "anybody may give to a campaign",
    "plans_by_program.create_plan": "anybody may give to a campaign",
    **dict.fromkeys(("backings.show_form", "backings.create_backing"), "anybody may buy ahead"),
    "places_by_program.create_place": "anybody may buy ahead",
}
"""Reach their own by the table, though the name in the address is nobody's own."""
QUIET: Final[Mapping[str, str]] = {
    "addresses.create_removal": "what is not there is removed",
    "security.create_session_end": "who is not signed in is signed out",
    "following.create_removal": "what is not kept is removed",
    "tokens.create_token_end": "what is no key of theirs is ended",
    "station_devices.create_receipt": "who holds a stray watch in their hands is told whom to call",
}
"""Say the same whether or not there was something: a redirect, or what is wrong, and nothing has changed."""
UNSEEN: Final[Mapping[str, str]] = {
    **dict.fromkeys(("gifts.show_gift", "plans.show_plan", "sponsors.show_fund"), "opens by a secret link alone"),
    "teams.show_card": "opens by a secret link alone",
    **dict.fromkeys(("teams.show_new", "news.show_comment", "students.show_place"), "the campaign is a draft"),
    **dict.fromkeys(("cases", "seller_cases", "station_cases"), "no file is there"),
    **dict.fromkeys(("seller_listings", "farmer_listings", "listing_review"), "no paper was given, and it is a draft"),
    **dict.fromkeys(
        ("reviews.show_review", "reviews.show_picture", "questions.show_new"), "nothing was received, it is a draft"
    ),
    **dict.fromkeys(("seller_reviews.show_review", "seller_questions.show_question"), "nothing was said of their goods"),
    **dict.fromkeys(("station_checks.show_check", "institution_checks.show_check"), "the order is not on account"),
    "backings.show_backing": "opens by a secret link alone",
    "station_presales.show_presale": "it is a draft, and not handed in",
    "seller_suspensions.show_suspension": "it is a draft, and not off sale",
    **dict.fromkeys(("groups.show_opening", "groups.show_joining"), "says first how many"),
    **dict.fromkeys(
        ("station_reviews.show_picture", "station_checks.show_picture", "institution_checks.show_picture"),
        "no file is there",
    ),
    "following.show_alerts": "is called by the pack that is kept",
    "following.show_silence": "opens by a signed link alone",
    "desk.show_label": "nothing has been packed",
    "desk.show_queue": "queues have codes of their own",
    "receiving.show_delivery": "nothing is owed",
    "writing.show_cart": "a program's cart is known by a secret of its person",
    "writing.show_parcel": "a parcel is called by its label",
}
"""Where not even its owner sees the row as it is: by endpoint, or by blueprint for its pictures and papers."""
TYPED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("reason", "why", "words", "shelf", "carrier", "note", "question", "title", "answer"), "看过"),
    **dict.fromkeys(("quantity", "amount", "again", "version", "number"), "1"),
    "tracking_number": "123456",
    "code": "042137",
    "decision": "accept",
    "condition": "bad",
    "kind": "wrong",
    "wish": "refund",
    "origin_seen": "1",
    "goods_seen": "1",
    "price_sane": "1",
    "confirm": "1",
    **{f"{step}-why": "看过" for step in ("approval", "rejection", "cancellation", "refund", "exchange", "return")},
    "return-quantity": "1",
    "return-condition": "bad",
}
"""So that no form is refused before anybody has asked whose it is."""
SENT: Final[Mapping[str, Any]] = {
    "writing.create_step": {"step": "acceptance"},
    "sending.confirm_import": {"again": 0},
    "plans_by_program.create_plan_amount": {"fen": 100},
    "places_by_program.create_place_address": {
        "recipient": {"name": "王", "phone": "13835172045", "province": "140000", "city": "太原", "street": "1 号"}
    },
}
"""As JSON, by programs."""


@dataclass(frozen=True)
class Stranger:
    """Somebody to whom nothing belongs: at a browser, or with a program's key to all that their account may."""

    client: FlaskClient
    roles: frozenset[str]
    csrf_token: str = ""
    key: str = ""

    def ask(self, method: str, path: str, endpoint: str) -> Any:
        if path.startswith("/api/"):
            headers = {"Idempotency-Key": ids.public_id()} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
            return self.client.open(path, method=method, headers=headers, json=SENT.get(endpoint))
        data = {**TYPED, "csrf_token": self.csrf_token} if method == "POST" else None
        return self.client.open(path, method=method, data=data, headers=OURS)


@dataclass
class House:
    app: Flask
    rows: dict[str, dict[str, Any]]
    owner: Stranger
    strangers: dict[str, Stranger]
    undone: Undone

    def rules(self) -> Iterator[tuple[Rule, str]]:
        """Every address of ours that names something, by GET and by POST."""
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda each: (each.rule, each.endpoint)):
            if any(self.is_a_name(rule, blank) for blank in rule.arguments) and not rule.endpoint.startswith(NOT_OURS):
                yield from ((rule, method) for method in ("GET", "POST") if method in (rule.methods or ()))

    def paths(self, rule: Rule) -> list[str]:
        """With all names that could stand in its blanks."""
        blanks = sorted(rule.arguments)
        filled = product(*(self.names(rule, blank) for blank in blanks))
        return [self.path(rule, dict(zip(blanks, each, strict=True))) for each in filled]

    def is_a_name(self, rule: Rule, blank: str) -> bool:
        return blank not in OTHERWISE and not isinstance(rule._converters[blank], AnyConverter)

    def names(self, rule: Rule, blank: str) -> tuple[str, ...]:
        converter = rule._converters[blank]
        if isinstance(converter, AnyConverter):
            return tuple(sorted(converter.items))
        if blank in OTHERWISE:
            return OTHERWISE[blank]
        alike = [table for table in self.rows if table == blank or table.endswith(f"_{blank}")]
        called = CALLED.get(blank) or [f"{table}.{name}" for table in alike for name in USUAL_NAMES]
        places = (each.split(".") for each in called)
        found = [str(self.rows[table][name]) for table, name in places if name in self.rows.get(table, {})]
        assert found, f"{rule.rule}: what is a <{blank}>? Teach CALLED or OTHERWISE."
        return tuple(found)

    def path(self, rule: Rule, names: dict[str, str]) -> str:
        return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda blank: names[blank[1]], rule.rule)

    def reaches(self, rule: Rule, roles: frozenset[str]) -> set[str]:
        """How far somebody with these roles comes here, by the table of permissions; nowhere where it is empty."""
        reaches = reaches_of(getattr(self.app.view_functions[rule.endpoint], "action", ""))
        return {reaches[role] for role in ({ANYONE} | roles) & reaches.keys()}

    def try_all(self, chance: Random | None = None) -> list[str]:
        """What anybody was shown or wrote of what is not theirs; with `chance` only some of all tries."""
        tries = [
            (rule, method, path, who)
            for rule, method in self.rules()
            for who, stranger in self.strangers.items()
            if not (reach := self.reaches(rule, stranger.roles)) & WIDE and not (reach and rule.endpoint in OPEN)
            for path in self.paths(rule)[: MOST if reach else 1]  # whoever comes nowhere is refused whatever the name is
        ]
        for_now = chance.sample(tries, IN_QUICK) if chance else tries
        return [said for rule, method, path, who in for_now if (said := self.wrong(rule, method, path, who))]

    def try_far(self) -> list[str]:
        """Where an officer of a programme, whose reach ends at no county, is not answered in order."""
        tries = (
            (rule, method, path, who)
            for rule, method in self.rules()
            for who, stranger in self.strangers.items()
            if "programme" in self.reaches(rule, stranger.roles)
            for path in self.paths(rule)
        )
        return [said for rule, method, path, who in tries if (said := self.broken(rule, method, path, who))]

    def broken(self, rule: Rule, method: str, path: str, who: str) -> str:
        """Answered by an error, or refused and written all the same."""
        with self.undone.attempt() as seen:
            status = self.strangers[who].ask(method, path, rule.endpoint).status_code
        is_sound = status < 500 and not (seen.changed and (method == "GET" or status >= 400))
        return "" if is_sound else f"{who}: {method} {path} {status} {seen.changed or ''}"

    def wrong(self, rule: Rule, method: str, path: str, who: str) -> str:
        stranger = self.strangers[who]
        with self.undone.attempt() as seen:
            answer = stranger.ask(method, path, rule.endpoint)
        is_led_away = answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in")
        is_quiet = rule.endpoint in QUIET and answer.status_code in {303, 409}
        is_refused = is_led_away or is_quiet or answer.status_code in {401, 403, 404, 410}
        return "" if is_refused and not seen.changed else f"{who}: {method} {path} {answer.status_code} {seen.changed or ''}"


@pytest.fixture
def house(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with without_rules(db.session()):
        owner = factories.make_person("seller", "station_manager")
        rows = one_of_each(db.session(), owner)
        factories.make_station(ELSEWHERE)
        strangers = {"nobody": Stranger(app.test_client(), frozenset())}
        for role in ("buyer", *ROLES):
            roles = () if role == "buyer" else (role,)
            strangers[role] = visiting(app, factories.make_person(*roles, station=ELSEWHERE), frozenset({*roles, "buyer"}))
        at_home = visiting(app, owner, frozenset({"seller", "station_manager", "buyer"}))
        yield House(app, rows, at_home, strangers, Undone(OF_THE_VISIT | {"access_token"}))  # when a key was last used


def visiting(app: Flask, person: Person, roles: frozenset[str]) -> Stranger:
    client = app.test_client()
    sign_in_as(client, person)
    return Stranger(client, roles, token_of(client), factories.make_token(person))


def test_what_belongs_to_others_is_not_there(house: House) -> None:
    """Some tries of all, the same each time."""
    assert house.try_all(Random(20261018)) == []


def test_nothing_of_others_is_shown_or_written_anywhere(house: House) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("whose something is, is not asked of the database; some tries are made on both")
    found = house.try_all()
    assert not found, "\n".join(found)


def test_whoever_reaches_all_of_a_programme_is_answered(house: House) -> None:
    assert house.try_far() == []


def test_the_names_are_those_of_something(house: House) -> None:
    """What is theirs, its owner finds by the same names: else nobody would, and the tests above would say nothing."""
    missed = []
    for rule, method in house.rules():
        reach = house.reaches(rule, house.owner.roles)
        if reach & {"own", "station"} and method == "GET" and rule.endpoint not in OPEN:
            statuses = set()
            for path in house.paths(rule):
                with house.undone.attempt():
                    statuses.add(house.owner.ask(method, path, rule.endpoint).status_code)
            if statuses <= {401, 403, 404} and rule.endpoint not in UNSEEN and rule.endpoint not in unseen_files():
                missed.append(rule.endpoint)
    assert not missed, " ".join(missed)


def unseen_files() -> set[str]:
    """Pictures, papers and drafts of the blueprints in UNSEEN."""
    return {f"{part}.{view}" for part in UNSEEN for view in ("show_picture", "show_consent_paper", "show_listing")}
