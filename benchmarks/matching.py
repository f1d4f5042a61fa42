"""Whether matches wait that should, and how long honest givers' wait: `python -m benchmarks.matching [SEEDS]`.

Crowds of benchmarks/crowds.py give one after the other, by their own clock, to a campaign on SQLite; for each gift the
house's own statements gather what it knows, and the house's own rules decide. The rules' figures were chosen on seeds from 1
on, and are reported on seeds from 2001 on, which nothing was chosen by."""

import itertools
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from benchmarks import crowds, gifts
from benchmarks.crowds import CAP, CHEAT, HONEST, Given
from crowdfund.campaigns.matching import evidence, traces
from crowdfund.campaigns.matching.models import GiftMatch, MatchingFund
from crowdfund.campaigns.matching.paying_in import PURPOSE
from crowdfund.campaigns.matching.suspicion import CHOSEN, Evidence, Thresholds, reasons
from crowdfund.campaigns.matching.waiting_models import GiftTrace, SponsorTrace
from crowdfund.campaigns.models import BudgetLine, Campaign, Contribution, Disbursement
from crowdfund.campaigns.states import ContributionState, DisbursementState, FundState
from marketplace.accounts import people
from marketplace.accounts.models import Grant
from marketplace.app import create_app
from marketplace.core import clock, ids
from marketplace.core.db import in_transaction
from marketplace.core.settings import load_settings
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests.databases import SQLiteFiles, close, fill

SEEDS: Final = 8
UNSEEN: Final = 2_000
LOOKS_AT: Final = 2  # o'clock of UTC, ten in Shanxi, every working day
A_DAY: Final = 40  # so many matches are decided
OFFICERS: Final = 80
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """A gift that was worth a match, and what the house knew of it."""

    given: Given
    known: Evidence


def measure(seeds: int = SEEDS) -> dict[str, list[list[Seen]]]:
    """By crowd."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        return {
            name: [stage.lived(crowds.crowd(seed)) for seed in range(first, first + seeds)]
            for name, first in (("chosen on", 1), ("unseen", UNSEEN + 1))
        }


class Stage:
    """An open campaign with a fund, made once and copied for each crowd."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.databases = folder, SQLiteFiles(folder)
        with time_machine.travel(crowds.START - timedelta(days=1), tick=False):
            self.template = fill(self.app, self.databases.create())
            app = self.app(self.template)
            with app.app_context():
                in_transaction(furnish)
            close(app)

    def app(self, url: str) -> Flask:
        return create_app(load_settings(app_env="test", database_url=url, data=self.folder), TESTING=True)

    def lived(self, crowd: Sequence[Given]) -> list[Seen]:
        url = self.databases.create(self.template)
        app = self.app(url)
        with app.app_context():
            seen = in_transaction(live, crowd=crowd)
        close(app)
        self.databases.drop(url)
        return seen


def furnish(session: Session) -> None:
    """Officers, a sponsor whose card and network are known, and a provider who was paid on the third day."""
    gifts.open_campaign(session)
    session.flush()
    campaign = session.scalars(select(Campaign)).one()
    line = session.scalars(select(BudgetLine)).one()
    fund = MatchingFund(
        campaign_id=campaign.id, state=FundState.ACTIVE, book="test", sponsor="测试", contact="s@example.test"
    )
    fund.token_hash, fund.contact_key = "token", "contact"
    fund.rate_percent, fund.gift_cap_fen, fund.giver_cap_fen = 100, CAP, CAP
    fund.total_fen = fund.received_fen = 10**9
    fund.owner_id, fund.approver_id = campaign.owner_id, campaign.reviewer_id
    fund.public_id = ids.public_id()
    session.add(fund)
    session.flush()
    session.add(SponsorTrace(fund_id=fund.id, network=traces.hashed("network", crowds.SPONSORS_NETWORK)))
    paid = {"purpose": PURPOSE, "reference": fund.public_id, "state": AttemptState.SUCCEEDED, "fen": 10**9, "book": "test"}
    session.add(Attempt(**paid, gateway="sandbox", payer=crowds.SPONSORS_CARD))
    at = crowds.START + timedelta(days=3)
    bill = {"provider_zh": crowds.PROVIDER, "provider_credit_code": "P", "invoice_number": "1", "purpose_zh": "测试"}
    spent = {"state": DisbursementState.PAID, "book": "test", "fen": crowds.PAID_FEN, "paid_at": at}
    session.add(
        Disbursement(campaign_id=campaign.id, budget_line_id=line.id, requester_id=campaign.owner_id, **bill, **spent)
    )
    for number in range(1, OFFICERS + 1):
        person = people.register(session, address=f"officer{number}@example.test")
        session.flush()
        scope = {"scope_kind": "organisation", "scope_id": campaign.organisation_code}
        session.add(Grant(person_id=person.id, role="charity_officer", **scope))


def live(session: Session, *, crowd: Sequence[Given]) -> list[Seen]:
    fund = session.scalars(select(MatchingFund)).one()
    grants = session.scalars(select(Grant.person_id).where(Grant.role == "charity_officer").order_by(Grant.id))
    officers = dict(enumerate(grants, start=1))
    seen, had = [], defaultdict[str, int](int)
    returns: list[tuple[datetime, int]] = []
    with time_machine.travel(crowds.START, tick=False) as travelled:
        for given in crowd:
            travelled.move_to(given.at)
            take_back(session, [match for at, match in returns if at <= given.at])
            fen = min(given.fen, CAP - had[given.who])
            if fen <= 0:
                continue
            known, match = look(session, fund, given, fen, had[given.who], officers.get(given.officer))
            seen.append(Seen(given, known))
            had[given.who] += fen
            if given.back_after:
                returns.append((given.at + given.back_after, match))
    return seen


def take_back(session: Session, matches: Sequence[int]) -> None:
    if matches:
        session.execute(update(GiftMatch).where(GiftMatch.id.in_(matches)).values(returned_fen=GiftMatch.fen))


def look(
    session: Session, fund: MatchingFund, given: Given, fen: int, own_fen: int, officer: int | None
) -> tuple[Evidence, int]:
    """What is known of the gift, which is received, traced and matched then, whatever the rules say: caps count alike."""
    who = f"person:{officer}" if officer else f"contact:{given.who}"
    gift = Contribution(campaign_id=fund.campaign_id, state=ContributionState.RECEIVED, book="test", fen=given.fen)
    gift.token_hash, gift.giver, gift.person_id, gift.received_at = ids.secret_token(), given.name or None, officer, given.at
    gift.contact = None if officer else given.who
    session.add(gift)
    session.flush()
    where = {name: traces.hashed(name, getattr(given, name)) for name in ("device", "network")}
    trace = GiftTrace(contribution_id=gift.id, card=given.card, giver="", fen=0, at=clock.now(), **where)
    session.add(trace)
    known = evidence.gather(session, gift, fund, trace, fen=fen, own_fen=own_fen, known={who})
    trace.series, trace.giver, trace.fen = fund.id, who, fen
    match = GiftMatch(fund_id=fund.id, contribution_id=gift.id, giver=who, fen=fen)
    session.add(match)
    session.flush()
    return known, match.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """Over some crowds. `share`: of honest givers' matches that wait; days: how long these do."""

    recall: float
    recall_fen: float
    precision: float
    share: float
    median_days: float
    longest_days: float
    by_kind: dict[str, tuple[int, int]]  # held, of all that should be; of honest kinds: of all


def judged(runs: Sequence[Sequence[Seen]], bounds: Thresholds = CHOSEN) -> Verdict:
    kinds = defaultdict[str, list[bool]](list)
    cheats, held, waits = list[tuple[bool, int]](), list[Given](), list[float]()
    for run in runs:
        held_here = []
        for each in run:
            is_held = bool(reasons(each.known, bounds))
            if each.given.label in {CHEAT, HONEST}:
                kinds[each.given.kind].append(is_held)
            if each.given.label == CHEAT:
                cheats.append((is_held, each.known.fen))
            held_here += [each.given] if is_held else []
        held += held_here
        waits += [days for given, days in decided(held_here) if given.label == HONEST]
    honest = sum(each.given.label == HONEST for run in runs for each in run)
    caught = sum(is_held for is_held, _fen in cheats)
    counted = [given for given in held if given.label != crowds.OWN]
    return Verdict(
        recall=caught / len(cheats),
        recall_fen=sum(fen for is_held, fen in cheats if is_held) / sum(fen for _held, fen in cheats),
        precision=caught / len(counted) if counted else 1.0,
        share=len(waits) / honest,
        median_days=statistics.median(waits) if waits else 0.0,
        longest_days=max(waits, default=0.0),
        by_kind={kind: (sum(marks), len(marks)) for kind, marks in kinds.items()},
    )


def decided(held: Sequence[Given]) -> Iterator[tuple[Given, float]]:
    """By an officer who looks every working day, oldest first; with the days that each waited."""
    looks, taken = next_look(crowds.START), 0
    for given in held:
        while looks < given.at or taken == A_DAY:
            looks, taken = next_look(looks), 0
        taken += 1
        yield given, (looks - given.at) / timedelta(days=1)


def next_look(after: datetime) -> datetime:
    day: date = after.date() if after.hour < LOOKS_AT else after.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, LOOKS_AT, tzinfo=crowds.START.tzinfo)


def best(runs: Sequence[Sequence[Seen]]) -> Thresholds:
    """The figures that find most at the least cost: recall and precision weigh alike."""

    def worth(bounds: Thresholds) -> float:
        verdict = judged(runs, bounds)
        both = verdict.recall + verdict.precision
        return 2 * verdict.recall * verdict.precision / both if both else 0.0

    return max(choices(), key=worth)


def choices() -> Iterator[Thresholds]:
    tried: dict[str, Sequence[int]] = {
        "tied_percent": (110, 130, 150, 200),
        "tied_each_percent": (20, 30, 40, 50),
        "crowd_givers": (2, 3, 4),
        "crowd_percent": (40, 60, 75),
        "interest_percent": (20, 30, 50),
        "came_back": (1, 2),
    }
    for values in itertools.product(*tried.values()):
        figures: dict[str, Any] = dict(zip(tried, values, strict=True))
        yield Thresholds(**figures)


def report(results: dict[str, list[list[Seen]]]) -> list[str]:
    """The section of docs/benchmarks.md."""
    verdicts = {name: judged(runs) for name, runs in results.items()}
    seeds, unseen = len(results["unseen"]), verdicts["unseen"]
    gifts_each = sum(map(len, results["unseen"])) // seeds
    lines = [
        "## Matching",
        "",
        f"Which matches wait for a person: {seeds} simulated crowds of about {gifts_each:,} matched gifts by which the"
        f" rules' figures were chosen, and {seeds} that nothing was chosen by; what a cheat is, and an honest crowd,"
        " was written down before: [fraud-model.md](fraud-model.md).",
        "",
        "| crowds | recall | recall by fen | precision | honest matches that wait | they wait, median | longest |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in verdicts.items():
        shares = f"{one.recall:.0%} | {one.recall_fen:.0%} | {one.precision:.0%} | {one.share:.2%}"
        lines.append(f"| {name} | {shares} | {one.median_days:.1f} days | {one.longest_days:.1f} days |")
    of_kinds = [f"{kind} {held} of {number}" for kind, (held, number) in sorted(unseen.by_kind.items())]
    chosen = best(results["chosen on"])
    lines += [
        "",
        f"On unseen crowds wait: {'; '.join(of_kinds)}. All other honest matches are made in the transaction that receives"
        " the gift; whatever waits, the gift itself never does.",
        "",
        f"The figures that these seeds would choose: {chosen}. The house uses {CHOSEN}.",
        "",
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS))))
