"""A crawler that looks at everything as somebody, and tells where anything of a child stood."""

import io
import logging
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from crowdfund.campaigns.giving import link_token
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.honours.models import Dedication
from crowdfund.campaigns.matching.funds import link_token as fund_link
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.mirrors.models import MirrorFile
from crowdfund.campaigns.models import Campaign, Contribution, Disbursement, Organisation
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.teams.models import Team
from crowdfund.pledges import choosing
from crowdfund.pledges.models import ChildCase, ChildVault, Device, DrawSeed, Partner, Pledge
from crowdfund.presales import backing
from crowdfund.presales.models import Backing, Presale
from listings.following import telling
from listings.following.models import Favourite
from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core import clock, logs
from marketplace.core.db import Base, in_transaction
from marketplace.core.sealing import Seal
from marketplace.demo.people import person_id
from marketplace.demo.tables import read
from marketplace.orders.groups.models import GroupBuy, GroupOffer
from marketplace.orders.models import Order, Parcel
from tests.factories import sign_in_as
from tests.pledges.conftest import CANARY, OURS

MOST: Final = 3  # pages of one view that are looked at because something links to them
LINK: Final = re.compile(r'(?:href|action|src)="(/[^"#]*)')
MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d))?"
)  # as HTML wants it in datetime=""
UNNAMED: Final = re.compile(
    r"<(section|article)\b(?![^>]*aria-label)[^>]*>(?:(?!</?section|</?article|<h[1-6]).)*</\1>", re.DOTALL
)
COUNTY: Final = "141124"


def canaries() -> re.Pattern[str]:
    """Everything of the vault that could give a child away: names, schools, guardians, phones, identity numbers."""
    phones = "|".join(row["guardian_phone"] for row in read("child_cases"))
    escaped = CANARY.encode("unicode_escape").decode().replace("\\", r"\\")  # as JSON may write it
    return re.compile(f"{CANARY}|{escaped}|{phones}|999999(19|20)\\d{{9}}[0-9X]")


CANARIES: Final = canaries()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that the installation would write about itself meanwhile, at every level."""
    root, stream = logging.getLogger(), io.StringIO()
    level, handlers = root.level, root.handlers[:]
    logs.configure(as_json=True)
    for handler in root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def known(session: Session) -> dict[str, list[str]]:
    """Real values for the blanks of our addresses; what else there is, links lead to."""
    pledges = session.execute(select(Pledge.public_id, Pledge.tracking_code)).all()
    places = ["fruit", COUNTY, session.scalars(select(Listing.code).order_by(Listing.id).limit(1)).one()]
    cases = select(ChildCase.public_id).where(ChildCase.county_code == COUNTY).order_by(ChildCase.id)
    days = session.scalars(select(DrawSeed.day).order_by(DrawSeed.day).limit(2))
    return {
        "case": list(session.scalars(cases))[:4],
        "pledge": [row.public_id for row in pledges],
        "code": [row.tracking_code for row in pledges] + places,
        "sku": places,
        "campaign": list(session.scalars(select(Campaign.public_id).limit(2))),
        "device": list(session.scalars(select(Device.public_id).where(Device.station_code == COUNTY)))
        or list(session.scalars(select(Device.public_id).where(Device.station_code.is_not(None)))),
        "day": [day.isoformat() for day in days],
        "organisation": list(session.scalars(select(Organisation.code).limit(1))),
    }


def examples(session: Session) -> Iterator[str]:
    """Addresses with several blanks that belong together, and secret links."""
    live = session.scalars(select(Campaign.public_id).where(Campaign.state == "live").order_by(Campaign.id)).first()
    yield f"/campaigns/{live}/gifts/new?amount=1"
    given = select(Campaign.public_id, Contribution.public_id).join(Contribution, Contribution.campaign_id == Campaign.id)
    for campaign, gift in session.execute(given.order_by(Contribution.id).limit(3)):
        yield f"/campaigns/{campaign}/gifts/{link_token(gift)}"
    for fund in session.scalars(select(MatchingFund.public_id)):
        yield f"/matching-funds/{fund_link(fund)}"
    paid = select(Campaign.public_id, Disbursement.public_id).join(Disbursement, Disbursement.campaign_id == Campaign.id)
    for campaign, disbursement in session.execute(paid):
        yield f"/ledger/{campaign}/disbursements/{disbursement}"
        yield f"/charity/disbursements/{disbursement}"
        yield f"/charity/disbursements/{disbursement}/beneficiaries"
        yield f"/charity/disbursements/{disbursement}/repayments/new"
        yield f"/charity/campaigns/{campaign}/criteria"
    yield from of_giving_together(session)
    yield from session.scalars(select("/campaigns/" + Campaign.public_id).where(Campaign.kind == "student_aid"))
    for receipt in session.scalars(select(Receipt.public_id).limit(3)):
        yield f"/receipts/{receipt}"
    for number, parcel in session.execute(select(Order.number, Parcel.public_id).join(Parcel, Parcel.order_id == Order.id)):
        yield from (f"/orders/{number}", f"/parcels/{parcel}")
    for favourite in session.scalars(select(Favourite.public_id).limit(1)):
        yield f"/favourites/{telling.serializer().dumps(favourite)}"
    for group in session.scalars(select(GroupBuy.public_id)):
        yield from (f"/groups/{group}", f"/groups/{group}/members/new?packs=1", f"/api/v1/groups/{group}")
    for offer in session.scalars(select(GroupOffer.public_id)):
        yield f"/group-offers/{offer}/groups/new"
    bank = session.scalars(select(Partner.code).where(Partner.kind == "bank").order_by(Partner.code)).first() or ""
    typed: dict[str, Any] = {"number": "QQ2099000009", "issued_on": clock.today()}
    yield f"/pledges/choices/{in_transaction(choosing.enter, bank=bank, **typed)}"


def of_giving_together(session: Session) -> Iterator[str]:
    """Teams, cards, reports, files of platforms, lists, places bought ahead."""
    teams = select(Campaign.public_id, Team.public_id).join(Team, Team.campaign_id == Campaign.id)
    for campaign, team in session.execute(teams):
        yield f"/campaigns/{campaign}/teams/{team}"
    cards = select(Campaign.public_id, Dedication.gift).join(Contribution, Contribution.campaign_id == Campaign.id)
    for campaign, gift in session.execute(cards.join(Dedication, Dedication.gift == Contribution.public_id)):
        yield f"/campaigns/{campaign}/cards/{dedicating.card_token(gift)}"
    reports = select(Campaign.public_id, CampaignReport.public_id).join(CampaignReport)
    for campaign, report in session.execute(reports):
        place = f"/ledger/{campaign}/reports/{report}"
        yield from (f"/charity/reports/{report}", place, *(f"{place}/report.{kind}" for kind in ("csv", "pdf", "json")))
    files = select(Campaign.public_id, MirrorFile.public_id).join(MirrorFile, MirrorFile.campaign_id == Campaign.id)
    for campaign, name in session.execute(files):
        yield f"/charity/campaigns/{campaign}/files/{name}"
    for campaign in session.scalars(select(Campaign.public_id).where(Campaign.channel != "own_site")):
        yield from (f"/campaigns/{campaign}", f"/ledger/{campaign}", f"/charity/campaigns/{campaign}/list")
    places = select(Presale.public_id, Backing.public_id).join(Backing, Backing.presale_id == Presale.id)
    for presale, place in session.execute(places):
        yield f"/presales/{presale}/backings/{backing.link_token(place)}"
        yield f"/api/v1/presales/{presale}"
    for row in session.scalars(select(Seal.number).where(Seal.chain == "public").limit(3)):
        yield f"/ledger/proofs/{row}.json"


def addresses(app: Flask, method: str, values: dict[str, list[str]]) -> Iterator[str]:
    """Every address of ours, with every value we know for its first blank, else with one that nobody has."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint != "static":
            yield from with_values(rule, values)


def with_values(rule: Rule, values: dict[str, list[str]]) -> Iterator[str]:
    blanks = sorted(rule.arguments)
    for value in values.get(blanks[0], ["x"]) if blanks else [""]:
        path = rule.rule
        for blank in blanks:
            path = re.sub(rf"<([^:<>]+:)?{blank}>", value or "x", path)
        yield path


@dataclass
class Crawl:
    """What one person was answered. `name`: of a demonstration's account; empty for a stranger."""

    app: Flask
    session: Session
    name: str
    leaks: list[str] = field(default_factory=list)
    flaws: set[str] = field(default_factory=set)  # moments that are none, sections without a heading
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # by view

    def __post_init__(self) -> None:
        self.client: FlaskClient = self.app.test_client()
        if self.name:
            who = select(Person).where(Person.public_id == person_id(self.name))
            sign_in_as(self.client, self.session.scalars(who).one())

    def look(self, paths: Iterable[str]) -> None:
        """At these pages, and at those that they link to."""
        waiting, seen, visits = deque(sorted(set(paths))), set[str](), Counter[str]()
        while waiting:
            path = waiting.popleft()
            if path in seen:
                continue
            seen.add(path)
            page = self.judge("GET", path, self.client.get(path))
            for link in dict.fromkeys(LINK.findall(page)):
                view = self.view_of(link.replace("&amp;", "&"))
                if view and link not in seen and visits[view] < MOST:
                    visits[view] += 1
                    waiting.append(link.replace("&amp;", "&"))

    def press(self, paths: Iterable[str]) -> None:
        """Every button, with nothing filled in: forms that come back, refusals, errors."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/account").text)
        token = {"csrf_token": found[1]} if found else {}
        for path in sorted(set(paths)):
            if "sign-out" not in path:
                self.judge("POST", path, self.client.post(path, data=token, headers=OURS))

    def judge(self, method: str, path: str, answer: Any) -> str:
        said = f"{answer.headers}\n{answer.get_data().decode(errors='replace')}"  # a paper is no text
        if CANARIES.search(said):
            self.leaks.append(f"{method} {path}")
        self.flaws.update(
            f"{path}: {moment}" for moment in re.findall(r'datetime="([^"]*)"', said) if not MOMENT.fullmatch(moment)
        )
        self.flaws.update(f"{path}: {unnamed[0][:80]}" for unnamed in UNNAMED.finditer(said) if "<html" in said)
        if view := self.view_of(path, method):
            self.answered[view].add(answer.status_code)
        return said

    def view_of(self, path: str, method: str = "GET") -> str | None:
        plain = path.partition("?")[0]
        try:
            view, _values = self.app.url_map.bind("localhost").match(plain, method)
        except HTTPException:  # a redirect is one as well
            return None
        return None if view == "static" else str(view)


def kept(session: Session) -> list[str]:
    """The tables in which something of a child can be read, as the application itself reads them: the vault aside."""
    found = []
    for mapper in sorted(Base.registry.mappers, key=lambda each: each.class_.__tablename__):
        kind: Any = mapper.class_
        if kind is ChildVault:
            continue
        columns = [getattr(kind, attribute.key) for attribute in mapper.column_attrs]
        if any(CANARIES.search(str(tuple(row))) for row in session.execute(select(*columns))):
            found.append(str(kind.__tablename__))
    return found
