"""What the difference shows is done: in one transaction and few statements, however many rows there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from listings import stock
from listings.announcing import announce_all
from listings.models import Category, Listing, Variant
from listings.sheets import goods, proposing, writing
from listings.sheets.comparing import LOCKED
from listings.sheets.goods import Pack
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.states import ImportState as I, Outcome, Verdict
from listings.states import ListingState as L
from marketplace.core import clock
from marketplace.core.db import add_rows, db, in_transaction, rows
from marketplace.core.records import record
from marketplace.core.transitions import leave_traces, transition, transition_all
from marketplace.stations.models import Seller


@record
class Line:
    """A row that does something: `entry` is what its columns become, `was` what they were."""

    number: int
    target: str
    entry: dict[str, Any]
    was: dict[str, Any]
    stock_change: int
    is_new: bool

    @property
    def pack_code(self) -> str:
        """New goods have a code; their one pack is its first."""
        return f"{self.target}-1" if self.is_new else self.target


@record
class Prepared:
    new: list[Line]
    changed: list[Line]
    categories: writing.Categories


@record
class NewGoods:
    """Rows of listings and, in the same order, of their packs, ready to be written."""

    listings: list[dict[str, Any]]
    packs: list[dict[str, Any]]


def apply(import_id: int) -> None:
    """All that takes time is read before; then everything is written, or nothing where something has moved meanwhile."""
    prepared = prepare(db.session(), import_id)
    new = new_goods(db.session(), import_id, prepared)
    db.session.rollback()
    in_transaction(write, import_id, prepared, new)


def prepare(session: Session, import_id: int) -> Prepared:
    by_verdict = {verdict: lines(session, import_id, verdict) for verdict in (Verdict.NEW, Verdict.CHANGED)}
    known = rows(session, select(Category.code, Category.is_perishable, Category.return_policy))
    categories = {row.code: (row.is_perishable, row.return_policy) for row in known}
    return Prepared(by_verdict[Verdict.NEW], by_verdict[Verdict.CHANGED], categories)


def lines(session: Session, import_id: int, verdict: Verdict) -> list[Line]:
    row = ListingImportRow
    columns = select(row.number, row.target, row.entry, row.was, row.stock_change)
    found = rows(session, columns.where(row.import_id == import_id, row.verdict == verdict).order_by(row.number))
    return [line_of(each, verdict) for each in found]


def line_of(row: Row[Any], verdict: Verdict) -> Line:
    return Line(row.number, row.target, row.entry, row.was, row.stock_change, verdict is Verdict.NEW)


def write(session: Session, import_id: int, prepared: Prepared, new: NewGoods) -> None:
    row = session.get_one(ListingImport, import_id, with_for_update=True)
    if row.state is not I.APPLYING:
        return
    hold(session, [line.target for line in prepared.changed])
    there = goods.by_variant(session, row.seller_id, [line.target for line in prepared.changed])
    waits = proposing.waiting(session, sorted({pack.listing_id for pack in there.values()}))
    moved = [line.number for line in prepared.changed if has_moved(line, there.get(line.target), waits)]
    moved += taken_numbers(session, row.seller_id, prepared)
    if moved:
        compare_again(session, row, moved)
        return
    reference, actor = f"import:{row.public_id}", f"person:{row.seller_id}"
    add_new(session, row, prepared.new, new, actor)
    stock.note_first(session, {line.pack_code: line.stock_change for line in prepared.new}, reference=reference)
    change(session, row, prepared, there, actor)
    stock.count_all(session, {line.pack_code: line.stock_change for line in prepared.changed}, reference=reference)
    done = update(ListingImportRow).where(ListingImportRow.import_id == import_id)
    both = ListingImportRow.verdict.in_((Verdict.NEW.value, Verdict.CHANGED.value))
    session.execute(done.where(both).values(outcome=Outcome.APPLIED.value))
    told: dict[str, Any] = {"actor": "worker", "station": row.station_code, "applied_at": clock.now()}
    transition(session, row, I.APPLIED, expected=I.APPLYING, why="applied", **told)


def hold(session: Session, packs: Sequence[str]) -> None:
    """Nobody changes these goods meanwhile. SQLite has one writer anyway."""
    for part in goods.parts(sorted(packs)):
        held = select(Variant.id).where(Variant.code.in_(part)).order_by(Variant.code).with_for_update()
        listings = select(Listing.id).where(Listing.id.in_(select(Variant.listing_id).where(Variant.code.in_(part))))
        session.connection().execute(listings.order_by(Listing.id).with_for_update()).all()
        session.connection().execute(held).all()


def has_moved(line: Line, pack: Pack | None, waits: Mapping[int, Mapping[str, Any]]) -> bool:
    """Whether what the seller was shown is no longer so: the goods are gone, or stand otherwise, or other values or edits of
    them, or buyers hold more of them than would be there."""
    if pack is None or pack.state in LOCKED:
        return True
    if proposing.has_moved(pack, line.entry, line.was, waits.get(pack.listing_id, {})):
        return True
    if pack.on_hand + line.stock_change < pack.reserved:
        return True
    tiers = line.entry.get("tiers", pack.tiers)
    if tiers and tiers[0][0] <= line.entry.get("minimum", 0):
        return True
    now = {**pack.values, "tiers": pack.tiers}
    return any(now[key] != value for key, value in line.was.items() if key in now)


def taken_numbers(session: Session, seller_id: int, prepared: Prepared) -> list[int]:
    """Rows that give a number which other goods of the seller have by now."""
    given = {line.entry["number"]: line for line in prepared.new + prepared.changed if line.entry.get("number")}
    gone = {line.target for line in prepared.changed if "number" in line.entry}
    found = []
    for part in goods.parts(sorted(given)):
        kept = (Listing.seller_id == seller_id, Listing.state != L.ARCHIVED, Listing.article_number.in_(part))
        others = select(Listing.article_number, Variant.code).join(Variant, Variant.listing_id == Listing.id).where(*kept)
        found += [given[each.article_number].number for each in rows(session, others) if each.code not in gone]
    return found


def compare_again(session: Session, row: ListingImport, moved: Sequence[int] = (), *, failed: bool = False) -> None:
    """Nothing was done; the seller is shown the new difference and asked again."""
    blank = {"verdict": "", "target": "", "was": {}, "entry": {}, "stock_change": 0, "problems": []}
    session.execute(update(ListingImportRow).where(ListingImportRow.import_id == row.id).values(**blank))
    notes = {**row.notes, "moved": sorted(moved)[:20], "failed": failed, "again": row.notes.get("again", 0) + 1}
    again: dict[str, Any] = {"notes": notes, "done": 0, "next_at": clock.now(), "tries": 0}
    told: dict[str, Any] = {"actor": "worker", "why": "failed" if failed else "moved", "station": row.station_code}
    transition(session, row, I.COMPARING, expected=I.APPLYING, **told, **again)


def new_goods(session: Session, import_id: int, prepared: Prepared) -> NewGoods:
    """The rows of new listings and their packs, as a seller's own hand would make them (drafting.begin, .describe)."""
    row = session.get_one(ListingImport, import_id)
    seller = session.get_one(Seller, row.seller_id)
    state = L.SUBMITTED if row.submits else L.DRAFT
    common = {"seller_id": row.seller_id, "station_code": seller.station_code, "seller_name": seller.name_zh, "state": state}
    common |= {"submitted_at": clock.now() if row.submits else None, "created_at": clock.now()}
    listings = [
        {**common, "code": line.target, **writing.listing_columns(line.entry, prepared.categories)} for line in prepared.new
    ]
    packs = [
        {"code": line.pack_code, "on_hand": line.stock_change, **writing.pack_columns(line.entry)} for line in prepared.new
    ]
    return NewGoods(listings, packs)


def add_new(session: Session, row: ListingImport, lines: Sequence[Line], new: NewGoods, actor: str) -> None:
    if not lines:
        return
    codes = [line.target for line in lines]
    add_rows(session, Listing, *new.listings)
    ids = writing.ids_of(session, Listing, codes)
    add_rows(
        session, Variant, *({**pack, "listing_id": ids[line.target]} for pack, line in zip(new.packs, lines, strict=True))
    )
    told: dict[str, Any] = {"actor": actor, "station": row.station_code}
    leave_traces(session, Listing, codes, None, L.DRAFT, why=f"import:{row.public_id}", **told)
    if row.submits:
        leave_traces(session, Listing, codes, L.DRAFT, L.SUBMITTED, why="finished", **told)
    with_tiers = [line for line in lines if line.entry.get("tiers")]
    variants = writing.ids_of(session, Variant, [line.pack_code for line in with_tiers])
    writing.add_tiers(session, {variants[line.pack_code]: line.entry["tiers"] for line in with_tiers})
    writing.arrange_papers(session, {ids[line.target]: named for line in lines if (named := line.entry.get("certificates"))})
    writing.add_media(session, row.seller_id, {ids[line.target]: (0, line.entry.get("pictures", [])) for line in lines})


def change(session: Session, row: ListingImport, prepared: Prepared, there: Mapping[str, Pack], actor: str) -> None:
    if not prepared.changed:
        return
    halves = [(there[line.target], line, *proposing.split(line.entry, line.was)) for line in prepared.changed]
    edits = [(pack, proposed, line.was) for pack, line, _at_once, proposed in halves if proposed]
    proposing.propose(session, row, edits, actor)
    changes = [(pack, at_once) for pack, _line, at_once, _proposed in halves if at_once]
    writing.rewrite(session, changes, prepared.categories)
    writing.add_media_to(session, row.seller_id, [(pack, entry) for pack, entry in changes if entry.get("pictures")])
    described = {pack.code: pack for pack, entry in changes if any(key in goods.DESCRIBING for key in entry)}
    rejected = [code for code, pack in described.items() if pack.state is L.REJECTED]
    told: dict[str, Any] = {"actor": actor, "why": f"import:{row.public_id}", "station": row.station_code}
    transition_all(session, Listing, rejected, L.DRAFT, expected=L.REJECTED, **told)
    announce_changed(session, [pack for pack, _entry in changes])


def announce_changed(session: Session, packs: Sequence[Pack]) -> None:
    announce_all(session, {pack.code: pack.station for pack in packs if pack.state in (L.PUBLISHED, L.PAUSED)})
