"""Giving together: a team, a card in somebody's honour, a platform's file, a closed list, a report, a place bought ahead.

By the real commands, in the past, as all of the demonstration."""

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any, Final

from sqlalchemy import select

from crowdfund.campaigns import giving
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.honours.dedicating import Honour
from crowdfund.campaigns.invited import inviting
from crowdfund.campaigns.mirrors import taking, working
from crowdfund.campaigns.reports import content, papers, publishing
from crowdfund.campaigns.teams import joining
from crowdfund.presales import backing
from crowdfund.presales.backing import Backer
from crowdfund.presales.models import Presale, PresaleTier
from listings.sheets import storing
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.demo.cashier import pay_at_cashier
from marketplace.payments.sandbox.gateway import SandboxCashier

WITH_A_TEAM, MIRRORED, DIRECTED = "C001", "C016", "C017"
OF_THE_TEAM: Final = (("李志强", "masked", 6600), ("赵敏", "named", 2000), ("", "anonymous", 5000))
ON_THE_PLATFORM: Final = (
    ("张宇", 100),
    ("匿名", 20_000),
    ("王芳", 6600),
    ("李静", 990),
    ("爱心网友", 50_000),
    ("陈刚", 12_000),
)
BUYERS_ADDRESS: Final = "13800000000"
GUESTS: Final = tuple(f"guest{number}@demo.example" for number in range(1, 6))  # of places bought ahead

Deed = tuple[datetime, Callable[[], None]]


def deeds(cashier: SandboxCashier, officer: int, approver: int, buyers: Sequence[int]) -> list[Deed]:
    """Of the buyers the first gives as well."""
    now, buyer = clock.now(), buyers[0]
    found: list[Deed] = [
        (now - timedelta(days=6, hours=3), partial(give_as_a_team, cashier, buyer)),
        (now - timedelta(days=5, hours=2), partial(read_the_platforms_file, officer)),
        (now - timedelta(days=4, hours=5), partial(give_from_the_list, cashier, officer, buyer)),
        (now - timedelta(days=1, hours=6), partial(publish_a_report, officer, approver)),
        (now - timedelta(hours=9), partial(buy_ahead, cashier, buyers)),
    ]
    return found


def give_as_a_team(cashier: SandboxCashier, buyer: int) -> None:
    """The last of its gifts honours a teacher."""
    told: dict[str, Any] = {
        "leader_id": buyer,
        "shown_as": "王**",
        "name": "晋中三班的家长",
        "words": "一起给山里的孩子添几本书。",
    }
    team = in_transaction(joining.open_team, campaign=WITH_A_TEAM, **told)
    for number, (name, anonymity, fen) in enumerate(OF_THE_TEAM, start=1):
        honour = Honour("高老师", "谢谢您教会我们读书。") if number == len(OF_THE_TEAM) else None
        giver = Giver(name=name, anonymity=anonymity, team=team, honour=honour, person_id=buyer if number == 1 else None)
        give(cashier, WITH_A_TEAM, fen, giver)


def give(cashier: SandboxCashier, campaign: str, fen: int, giver: Giver) -> None:
    gift = in_transaction(giving.begin, campaign=campaign, amount=Money(fen), giver=giver)
    pay(cashier, in_transaction(giving.open_attempt, gift=gift), f"/campaigns/{campaign}")


def pay(cashier: SandboxCashier, attempt: str | None, place: str) -> None:
    if attempt is None:
        raise LookupError(f"nothing to pay for {place}")
    with clock.at(clock.now() + timedelta(seconds=70)):
        pay_at_cashier(cashier, attempt, return_url=place, description=place)


def read_the_platforms_file(officer: int) -> None:
    """As the platform wrote it, compared and taken by the worker's own steps."""
    day = clock.today() - timedelta(days=len(ON_THE_PLATFORM))
    rows = [
        f"DEMO{number:04},{day + timedelta(days=number)} 09:{number:02}:00,{fen / 100:.2f},{name},"
        for number, (name, fen) in enumerate(ON_THE_PLATFORM)
    ]
    sheet = "\r\n".join(("交易单号,捐赠时间,捐赠金额(元),捐赠人,是否匿名", *rows, ""))
    kept = storing.keep_sheet(io.BytesIO(sheet.encode("gb18030")))
    told: dict[str, Any] = {"campaign": MIRRORED, "person": officer}
    name = in_transaction(taking.receive, file_name="平台导出.csv", kept_as=kept, **told)
    while working.work():
        pass
    in_transaction(taking.confirm, name=name, **told)
    while working.work():
        pass


def give_from_the_list(cashier: SandboxCashier, officer: int, buyer: int) -> None:
    """One of the alumni has used a code, another's waits."""
    for note in ("1998届 王同学", "2003届 李同学"):
        name = in_transaction(inviting.invite, campaign=DIRECTED, person=officer, note=note)
        if note.startswith("1998"):
            in_transaction(inviting.redeem, campaign=DIRECTED, code=inviting.code_of(name), person_id=buyer)
    give(cashier, DIRECTED, 20_000, Giver(name="王晓雯", person_id=buyer))


def publish_a_report(officer: int, approver: int) -> None:
    """On the gifts of the first month; written by one officer, published by the other, with its paper."""
    words = "书已订好，书架在路上。"
    told: dict[str, Any] = {"campaign": WITH_A_TEAM, "kind": "periodic", "words": words, "officer_id": officer}
    report = in_transaction(publishing.draft, **told)
    text = content.canonical(content.of(db.session(), publishing.get(db.session(), report)))
    db.session.rollback()
    seen = content.hash_of(text)
    paper = papers.set_paper(content.read(text), seen)
    in_transaction(publishing.publish, report=report, publisher_id=approver, seen=seen, paper_sha256=paper)


def buy_ahead(cashier: SandboxCashier, buyers: Sequence[int]) -> None:
    """One tier after the other, beginning with the presale that closes first: people with accounts, then guests."""
    wanted = select(Presale.public_id, PresaleTier).join(PresaleTier, PresaleTier.presale_id == Presale.id)
    found = db.session.execute(wanted.order_by(Presale.closes_on, PresaleTier.id)).all()
    chosen = [{"presale": presale, "tier": tier.public_id, "shown_fen": tier.fen} for presale, tier in found]
    db.session.rollback()
    backers = [Backer(contact=BUYERS_ADDRESS, person_id=buyer) for buyer in buyers]
    backers += [Backer(contact=address) for address in GUESTS]
    for told, backer in zip(cycle(chosen), backers, strict=False):
        given: dict[str, Any] = {**told, "backer": backer}
        place = in_transaction(backing.begin, **given)
        pay(cashier, in_transaction(backing.open_attempt, backing=place), f"/presales/{told['presale']}")
