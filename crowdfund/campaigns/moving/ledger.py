"""The public ledger, read in from the very file that everybody can download: each link, balance and root is made again and
must be what the file says."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN, follow
from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.models import Campaign, PublicRow
from crowdfund.campaigns.moving.folder import NotAnExport
from marketplace.core import sealing
from marketplace.core.sealing import GENESIS, DailyRoot, Seal, canonical, link_hash

ROW: Final = b'{"at":'
ROOT: Final = b'{"day":'
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN: Final = ("number", "campaign_fen", "book_fen", "hash")


def take(session: Session, *, lines: Sequence[bytes], seals: Sequence[bytes]) -> None:
    """A page of the file; `seals` are those of its rows. Raises NotAnExport where something is not what it says."""
    rows = [json.loads(line) for line in lines if line.startswith(ROW)]
    if rows:
        take_rows(session, rows, [json.loads(line) for line in seals])
    for line in lines:
        if line.startswith(ROOT):
            take_root(session, json.loads(line))


def take_rows(session: Session, rows: list[dict[str, Any]], seals: list[dict[str, Any]]) -> None:
    names = {row["campaign"] for row in rows}
    found = session.execute(select(Campaign.public_id, Campaign.id).where(Campaign.public_id.in_(names)))
    campaigns = {row.public_id: row.id for row in found}
    last = select(Seal.number, Seal.hash).where(Seal.chain == CHAIN).order_by(Seal.number.desc()).limit(1)
    number, previous = next(iter(session.execute(last)), (0, GENESIS))
    made, sealed, links = [], [], []
    for row, seal in zip(rows, seals, strict=True):
        number += 1
        told = {name: value for name, value in row.items() if name not in SHOWN}
        digest = sha256(canonical(told)).hexdigest()
        code = link_hash(previous, number, digest)
        if (row["number"], row["hash"], seal["number"]) != (number, code, number):
            raise NotAnExport(f"Row {number} of the ledger does not follow from the one before.")
        values = {name: value for name, value in told.items() if name != "campaign"}
        made.append({**values, "id": seal["record"], "at": when(row["at"]), "campaign_id": campaigns[row["campaign"]]})
        link = {"chain": CHAIN, "number": number, "record_id": seal["record"], "digest": digest, "previous": previous}
        sealed.append({**link, "hash": code, "at": when(seal["at"])})
        links.append((number, seal["record"], told))
        previous = code
    session.execute(insert(PublicRow), made)
    session.execute(insert(Seal), sealed)
    follow(session, links)
    refuse_other_balances(session, rows)


def refuse_other_balances(session: Session, rows: list[dict[str, Any]]) -> None:
    wanted = select(SealedRow.number, SealedRow.campaign_fen, SealedRow.book_fen)
    found = session.execute(wanted.where(SealedRow.number.between(rows[0]["number"], rows[-1]["number"])))
    made = {row.number: (row.campaign_fen, row.book_fen) for row in found}
    for row in rows:
        if made[row["number"]] != (row["campaign_fen"], row["book_fen"]):
            raise NotAnExport(f"Row {row['number']} of the ledger shows another balance than the rows before it.")


def take_root(session: Session, told: dict[str, Any]) -> None:
    first, last = told["first"], told["last"]
    codes = session.scalars(
        select(Seal.hash).where(Seal.chain == CHAIN, Seal.number.between(first, last)).order_by(Seal.number)
    ).all()
    if len(codes) != last - first + 1 or sealing.merkle_root(codes) != told["root"]:
        raise NotAnExport(f"The root of {told['day']} is not that of its rows.")
    day = date.fromisoformat(told["day"])
    session.add(DailyRoot(chain=CHAIN, day=day, first_number=first, last_number=last, root=told["root"]))


def when(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
