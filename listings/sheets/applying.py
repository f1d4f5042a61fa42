"""What the difference shows is done: in one transaction and few statements, however many rows there are."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.orm import Session

from listings import measures, stock
from listings.announcing import announce_all
from listings.drawings import drawing_of
from listings.forms import grams_of
from listings.models import Category, Listing, Media, PriceTier, Variant
from listings.sheets import goods, proposing
from listings.sheets.comparing import LOCKED
from listings.sheets.goods import Pack
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.parsing import MOST_PICTURES
from listings.sheets.states import ImportState as I, Outcome, Verdict
from listings.states import ListingState as L
from marketplace.core import clock
from marketplace.core.db import Base, add_rows, db, in_transaction, rows
from marketplace.core.records import record
from marketplace.core.transitions import leave_traces, transition, transition_all
from marketplace.stations.models import Seller

OF_LISTING: Final = {
    "number": "article_number",
    "title": "title_zh",
    "village": "origin_village_zh",
    "story": "story_zh",
    "months": "harvest_months",
    "shelf_life": "shelf_life_days",
    "storage": "storage_zh",
}


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
    categories: dict[str, tuple[bool, str]]  # is it perishable, how it may be returned


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
    listings = [{**common, "code": line.target, **listing_columns(line.entry, prepared)} for line in prepared.new]
    packs = [{"code": line.pack_code, "on_hand": line.stock_change, **pack_columns(line.entry)} for line in prepared.new]
    return NewGoods(listings, packs)


def add_new(session: Session, row: ListingImport, lines: Sequence[Line], new: NewGoods, actor: str) -> None:
    if not lines:
        return
    codes = [line.target for line in lines]
    add_rows(session, Listing, *new.listings)
    ids = ids_of(session, Listing, codes)
    add_rows(
        session, Variant, *({**pack, "listing_id": ids[line.target]} for pack, line in zip(new.packs, lines, strict=True))
    )
    told: dict[str, Any] = {"actor": actor, "station": row.station_code}
    leave_traces(session, Listing, codes, None, L.DRAFT, why=f"import:{row.public_id}", **told)
    if row.submits:
        leave_traces(session, Listing, codes, L.DRAFT, L.SUBMITTED, why="finished", **told)
    with_tiers = [line for line in lines if line.entry.get("tiers")]
    variants = ids_of(session, Variant, [line.pack_code for line in with_tiers])
    add_tiers(session, {variants[line.pack_code]: line.entry["tiers"] for line in with_tiers})
    add_media(session, row.seller_id, {ids[line.target]: (0, line.entry.get("pictures", [])) for line in lines})


def listing_columns(values: Mapping[str, Any], prepared: Prepared) -> dict[str, Any]:
    own = {column: values[key] for key, column in OF_LISTING.items()}
    return own | category_columns(values["category"], prepared) | {"article_number": values["number"] or None}


def category_columns(category: str, prepared: Prepared) -> dict[str, Any]:
    """What a kind of goods brings with it, as for one that is begun by hand (drafting.begin)."""
    perishable, policy = prepared.categories[category]
    drawn = {"category_code": category, "drawing": drawing_of(category)}
    return drawn | {"is_perishable": perishable, "return_policy": policy}


def pack_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the seller's form writes a pack (drafting.describe), without its stock."""
    measure = measures.read(values["unit"])
    return {
        "unit_zh": values["unit"],
        "unit_en": measures.in_english(values["unit"]),
        "measure": measure.kind,
        "measure_amount": measure.amount,
        "piece_zh": measure.word,
        "net_weight_grams": values["weight"] or grams_of(values["unit"]) or 0,
        "price_fen": values["price"],
    }


def ids_of(session: Session, kind: type[Listing] | type[Variant], codes: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in goods.parts(codes):
        found |= {row.code: row.id for row in rows(session, select(kind.code, kind.id).where(kind.code.in_(part)))}
    return found


def add_tiers(session: Session, tiers: Mapping[int, list[list[int]]]) -> None:
    wanted = [
        {"variant_id": variant, "from_quantity": least, "price_fen": fen}
        for variant, all_ in tiers.items()
        for least, fen in all_
    ]
    if wanted:
        add_rows(session, PriceTier, *wanted)


def add_media(session: Session, uploader_id: int, pictures: Mapping[int, tuple[int, list[dict[str, Any]]]]) -> None:
    """`pictures`: listing: how many it has, and those behind them."""
    wanted = []
    for listing, (have, added) in pictures.items():
        for place, made in enumerate(added, start=have + 1):
            about = {key: made[key] for key in ("digest", "width", "height")}
            wanted.append({"listing_id": listing, "uploader_id": uploader_id, "position": place, **about})
    if wanted:
        add_rows(session, Media, *wanted)


def change(session: Session, row: ListingImport, prepared: Prepared, there: Mapping[str, Pack], actor: str) -> None:
    if not prepared.changed:
        return
    halves = [(there[line.target], line, *proposing.split(line.entry, line.was)) for line in prepared.changed]
    edits = [(pack, proposed, line.was) for pack, line, _at_once, proposed in halves if proposed]
    proposing.propose(session, row, edits, actor)
    changes = [(pack, at_once) for pack, _line, at_once, _proposed in halves if at_once]
    rewrite(session, changes, prepared)
    add_media_to(session, row.seller_id, [(pack, entry) for pack, entry in changes if entry.get("pictures")])
    described = {pack.code: pack for pack, entry in changes if any(key in goods.DESCRIBING for key in entry)}
    rejected = [code for code, pack in described.items() if pack.state is L.REJECTED]
    told: dict[str, Any] = {"actor": actor, "why": f"import:{row.public_id}", "station": row.station_code}
    transition_all(session, Listing, rejected, L.DRAFT, expected=L.REJECTED, **told)
    announce_changed(session, [pack for pack, _entry in changes])


def add_media_to(session: Session, uploader_id: int, changes: Sequence[tuple[Pack, Mapping[str, Any]]]) -> None:
    """Behind the pictures that these listings have."""
    have = goods.pictures_of(session, [pack.listing_id for pack, _entry in changes])
    added = {}
    for pack, entry in changes:
        known = have.get(pack.listing_id, [])
        new = [made for made in entry["pictures"] if made["digest"] not in known]
        added[pack.listing_id] = (len(known), new[: MOST_PICTURES - len(known)])
    add_media(session, uploader_id, added)


def announce_changed(session: Session, packs: Sequence[Pack]) -> None:
    announce_all(session, {pack.code: pack.station for pack in packs if pack.state in (L.PUBLISHED, L.PAUSED)})


def rewrite(session: Session, changes: Sequence[tuple[Pack, Mapping[str, Any]]], prepared: Prepared) -> None:
    """Of each pack the columns that its entry names, a statement for each kind of them; stock is counted elsewhere."""
    changed = [(pack, {**pack.values, **entry}, entry.keys()) for pack, entry in changes]
    prices = [{"row": pack.variant_id, "price_fen": values["price"]} for pack, values, keys in changed if "price" in keys]
    packs = [{"row": pack.variant_id, **pack_columns(values)} for pack, values, keys in changed if keys & {"unit", "weight"}]
    listings = [
        {"row": pack.listing_id, **{column: values[key] for key, column in OF_LISTING.items()}}
        for pack, values, keys in changed
        if keys & OF_LISTING.keys()
    ]
    kinds = [
        {"row": pack.listing_id, **category_columns(values["category"], prepared)}
        for pack, values, keys in changed
        if "category" in keys
    ]
    for kind, written in ((Variant, prices), (Variant, packs), (Listing, listings), (Listing, kinds)):
        update_each(session, kind, written)
    tiers = {pack.variant_id: entry["tiers"] for pack, entry in changes if "tiers" in entry}
    for part in goods.parts(list(tiers)):
        session.execute(delete(PriceTier).where(PriceTier.variant_id.in_(part)))
    add_tiers(session, tiers)
    for part in goods.parts(sorted({pack.listing_id for pack, _entry in changes})):
        session.execute(update(Listing).where(Listing.id.in_(part)).values(version=Listing.version + 1))


def update_each(session: Session, kind: type[Base], written: Sequence[Mapping[str, Any]]) -> None:
    """The same columns of many rows, each with values of its own; `row` is the id."""
    if not written:
        return
    table: Any = kind.__table__
    columns = {name: bindparam(name, type_=table.c[name].type) for name in written[0] if name != "row"}
    session.connection().execute(update(table).where(table.c.id == bindparam("row")).values(columns), written)
