"""Chains over append-only tables: numbered, each hash over the one before, a Merkle root for each day.

Business transactions never wait for a chain. One sealer (in the worker, within a second) chains what they committed.
The canonical bytes are those of docs/adr/0004: UTF-8 JSON, sorted keys, no spaces, integers only."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import UniqueConstraint, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core import clock, triggers
from marketplace.core.db import Base
from marketplace.core.records import record

GENESIS: Final = "0" * 64
LATE: Final = 10_000  # how far back a slow transaction may have taken its id before faster ones committed
BATCH: Final = 500


class Seal(Base):
    """One link: `hash` is SHA-256 over `previous`, the number and the content's digest."""

    __tablename__ = "seal"
    __table_args__ = (UniqueConstraint("chain", "record_id"),)
    chain: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[int]
    digest: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]
    at: Mapped[datetime]


class DailyRoot(Base):
    """The Merkle root over the hashes that one chain got on one day in Shanxi."""

    __tablename__ = "daily_root"
    chain: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    first_number: Mapped[int]
    last_number: Mapped[int]
    root: Mapped[str]


triggers.register(*triggers.append_only("seal"), *triggers.append_only("daily_root"))


@record
class Chain:
    """What a chain is made over: (record id, canonical content) of records from `first_id` on that have no seal."""

    unsealed: Callable[[Session, int, int], list[tuple[int, dict[str, Any]]]]
    sealed: Callable[[Session, list["Link"]], None] | None = None  # what else is written with the links, by the sealer alone


Link = tuple[int, int, dict[str, Any]]  # number, record id, content
chains: dict[str, Chain] = {}  # filled where the records are defined


def canonical(content: dict[str, Any]) -> bytes:
    """The bytes that are hashed. Raises TypeError for a float: no two readers agree on those."""
    refuse_floats(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def refuse_floats(value: Any) -> None:
    """JSON writes floats in many ways, and a seal knows one. Raises TypeError."""
    if isinstance(value, float):
        raise TypeError("integers only in a sealed record")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        refuse_floats(part)


def link_hash(previous: str, number: int, digest: str) -> str:
    return hashlib.sha256(f"{previous}\n{number}\n{digest}".encode()).hexdigest()


def seal(session: Session, *, chain: str, everything: bool = False) -> int:
    """Chain what waits, at most one batch; returns how many. `everything` looks from the first record on."""
    last = session.execute(
        select(Seal.number, Seal.hash).where(Seal.chain == chain).order_by(Seal.number.desc()).limit(1)
    ).first()
    number, previous = (last.number, last.hash) if last else (0, GENESIS)
    highest = session.scalar(select(func.max(Seal.record_id)).where(Seal.chain == chain)) or 0
    first_id = 0 if everything else max(0, highest - LATE)
    links: list[dict[str, Any]] = []
    waiting = chains[chain].unsealed(session, first_id, BATCH)
    for record_id, content in waiting:
        number += 1
        digest = hashlib.sha256(canonical(content)).hexdigest()
        link = {"chain": chain, "number": number, "record_id": record_id, "digest": digest, "previous": previous}
        previous = link_hash(previous, number, digest)
        links.append({**link, "hash": previous, "at": clock.now()})
    if links:
        session.execute(insert(Seal), links)
        if follow := chains[chain].sealed:
            follow(session, [(link["number"], *record) for link, record in zip(links, waiting, strict=True)])
    return len(links)


def close_day(session: Session, *, chain: str, day: date) -> str | None:
    """Fix the Merkle root of a day that is over, once; None where nothing was sealed that day or it is not over."""
    if day >= clock.today():
        return None
    known = session.get(DailyRoot, (chain, day))
    if known:
        return known.root
    begin, end = clock.start_of(day), clock.start_of(day + timedelta(days=1))
    of_day = select(Seal.number, Seal.hash).where(Seal.chain == chain, Seal.at >= begin, Seal.at < end)
    rows = session.execute(of_day.order_by(Seal.number)).all()
    if not rows:
        return None
    root = merkle_root([row.hash for row in rows])
    numbers = {"first_number": rows[0].number, "last_number": rows[-1].number}
    session.add(DailyRoot(chain=chain, day=day, root=root, **numbers))
    return root


def open_days(session: Session, chain: str, today: date) -> list[date]:
    """Days that are over, on which something was sealed, and whose root is not fixed yet; oldest first."""
    latest = session.scalar(select(func.max(DailyRoot.day)).where(DailyRoot.chain == chain))
    since = clock.start_of(latest + timedelta(days=1)) if latest else None
    moments = select(Seal.at).where(Seal.chain == chain, Seal.at < clock.start_of(today))
    rows = session.scalars(moments if since is None else moments.where(Seal.at >= since))
    return sorted({clock.local(moment).date() for moment in rows})


def close_days(session: Session, *, chain: str) -> None:
    """The worker's hourly duty."""
    for day in open_days(session, chain, clock.today()):
        close_day(session, chain=chain, day=day)


def merkle_root(hashes: Sequence[str]) -> str:
    """RFC 6962 section 2.1: leaves are prefixed with 0x00, inner nodes with 0x01, so neither passes for the other."""
    level = [hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in hashes]
    return subtree(level).hex()


def subtree(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + subtree(leaves[:half]) + subtree(leaves[half:])).digest()


def merkle_path(hashes: Sequence[str], place: int) -> list[list[str]]:
    """The roots of the neighbours on the way up from this leaf, and on which side each stands."""
    if len(hashes) == 1:
        return []
    half = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = hashes[:half], hashes[half:]
    if place < half:
        return [*merkle_path(left, place), ["right", merkle_root(right)]]
    return [*merkle_path(right, place - half), ["left", merkle_root(left)]]


def is_sealed(chain: str, record_id: Any, first_id: int) -> Any:
    """SQL: this record, from `first_id` on, has its seal. Said of the seals too, so that no database reads all of them."""
    mine = select(Seal.number).where(Seal.chain == chain, Seal.record_id == record_id, Seal.record_id >= first_id)
    return mine.exists()
