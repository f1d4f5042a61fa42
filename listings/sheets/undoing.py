"""What a sheet did is put back within a day: row by row, where nobody has changed or bought it since.

Stock goes back as a difference, so that what was sold stays sold, and never below what is held."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from listings import stock
from listings.models import Listing, Media
from listings.sheets import applying, goods, proposing, writing
from listings.sheets.applying import Line, Prepared
from listings.sheets.comparing import LOCKED
from listings.sheets.goods import Pack
from listings.sheets.models import ListingImport, ListingImportRow
from listings.sheets.states import ImportState as I, Outcome
from listings.sheets.wrong import Wrong
from listings.states import ListingState as L
from marketplace.core.db import db, in_transaction, rows
from marketplace.core.records import record
from marketplace.core.transitions import transition, transition_all


def undo(import_id: int) -> None:
    prepared = applying.prepare(db.session(), import_id)
    db.session.rollback()
    in_transaction(put_back, import_id, prepared)


def put_back(session: Session, import_id: int, prepared: Prepared) -> None:
    """In one transaction; rows that cannot be put back say why. Where none can, it stays applied."""
    row = session.get_one(ListingImport, import_id, with_for_update=True)
    if row.state is not I.UNDOING:
        return
    lines = [*prepared.new, *prepared.changed]
    codes = [line.pack_code for line in lines]
    applying.hold(session, codes)
    there = goods.by_variant(session, row.seller_id, codes)
    digests = goods.pictures_of(session, [pack.listing_id for pack in there.values()])
    taken = numbers_taken(session, row.seller_id, lines)
    waits = proposing.waiting(session, sorted({pack.listing_id for pack in there.values()}))
    known = Known(there, digests, taken, waits)
    why_not = {line.number: said for line in lines if (said := obstacle(line, known))}
    possible = [line for line in lines if line.number not in why_not]
    take_away(session, row, [there[line.pack_code] for line in possible if line.is_new])
    restore(session, row, prepared, [(there[line.pack_code], line) for line in possible if not line.is_new])
    back = {line.pack_code: -line.stock_change for line in possible}
    stock.count_all(session, back, reference=f"import-undone:{row.public_id}")
    note(session, import_id, [line.number for line in possible], why_not)
    to, why = (I.UNDONE, "undone") if possible else (I.APPLIED, "nothing could be undone")
    transition(session, row, to, expected=I.UNDOING, actor="worker", why=why, station=row.station_code)


def numbers_taken(session: Session, seller_id: int, lines: Sequence[Line]) -> dict[str, str]:
    """Numbers that these rows would give back, and the goods of the seller that have them by now."""
    found: dict[str, str] = {}
    for part in goods.parts(sorted({line.was["number"] for line in lines if line.was.get("number")})):
        kept = (Listing.seller_id == seller_id, Listing.state != L.ARCHIVED, Listing.article_number.in_(part))
        found |= {
            row.article_number: row.code for row in rows(session, select(Listing.article_number, Listing.code).where(*kept))
        }
    return found


@record
class Known:
    """How things stand: goods, digests of their pictures, numbers that others have, what waits for the station."""

    there: Mapping[str, Pack]
    digests: Mapping[int, list[str]]
    taken: Mapping[str, str]
    waits: Mapping[int, Mapping[str, Any]]


def obstacle(line: Line, known: Known) -> dict[str, Any] | None:
    """Why this row cannot be put back: a problem as rows have it."""
    pack, digests = known.there.get(line.pack_code), known.digests
    if pack is None:
        return Wrong("gone").at("code")
    if (number := line.was.get("number")) and known.taken.get(number, pack.code) != pack.code:
        return Wrong("number_taken", {"typed": number, "other": known.taken[number]}).at("number")
    if pack.state in LOCKED:
        return Wrong("with_the_station" if pack.state is L.SUBMITTED else "suspended").at("state")
    if line.is_new and pack.state is not L.DRAFT:
        return Wrong("changed_since").at("state")
    at_once, proposed = proposing.split(line.entry, line.was)
    if any(key in goods.DESCRIBING for key in at_once) and pack.state not in (L.DRAFT, L.REJECTED):
        return Wrong("changed_since").at("state")
    if proposed and not proposing.is_undecided(proposed, known.waits.get(pack.listing_id, {})):
        return Wrong("edit_decided").at(min(proposed))
    now = {**pack.values, "tiers": pack.tiers}
    for key, value in at_once.items():
        if key in now and key != "stock" and now[key] != value and not (key == "number" and not value):
            return Wrong("changed_since").at(key)
    tiers = line.was.get("tiers", pack.tiers)
    if tiers and tiers[0][0] <= line.was.get("minimum", 0):
        return Wrong("changed_since").at("tier_from")
    expected = [*line.was.get("pictures", []), *(made["digest"] for made in line.entry.get("pictures", []))]
    if "pictures" in line.entry and digests.get(pack.listing_id, []) != expected:
        return Wrong("changed_since").at("pictures")
    if pack.on_hand - line.stock_change < pack.reserved:
        return Wrong("bought_since", {"left": pack.on_hand}).at("stock")
    if line.is_new and (pack.on_hand, pack.version) != (line.stock_change, 1):
        return Wrong("changed_since").at("stock" if pack.on_hand != line.stock_change else "state")
    return None


def take_away(session: Session, row: ListingImport, packs: Sequence[Pack]) -> None:
    """What the sheet began is removed, as by hand."""
    actor, why = f"person:{row.seller_id}", f"import-undone:{row.public_id}"
    codes = [pack.code for pack in packs]
    told = {"actor": actor, "why": why, "station": row.station_code}
    transition_all(session, Listing, codes, L.ARCHIVED, expected=L.DRAFT, **told)


def restore(session: Session, row: ListingImport, prepared: Prepared, changed: Sequence[tuple[Pack, Line]]) -> None:
    halves = [(pack, line, *proposing.split(line.entry, line.was)) for pack, line in changed]
    before = [(pack, {key: line.was[key] for key in line.was if key in at_once}) for pack, line, at_once, _ in halves]
    writing.rewrite(session, [(pack, values) for pack, values in before if values], prepared.categories)
    for pack, line, _at_once, proposed in halves:
        if proposed:
            proposing.take_back(session, row, pack, proposed, line.was)
    for pack, line in changed:
        if added := [made["digest"] for made in line.entry.get("pictures", [])]:
            session.execute(delete(Media).where(Media.listing_id == pack.listing_id, Media.digest.in_(added)))
    applying.announce_changed(session, [pack for pack, _line, at_once, _proposed in halves if at_once])


def note(session: Session, import_id: int, undone: Sequence[int], why_not: Mapping[int, dict[str, Any]]) -> None:
    """What became of each row."""
    table: Any = ListingImportRow.__table__
    problems = bindparam("problems", type_=table.c.problems.type)
    mine = update(table).where(table.c.import_id == import_id, table.c.number == bindparam("row"))
    written = [{"row": number, "outcome": Outcome.UNDONE.value, "problems": []} for number in undone]
    written += [{"row": number, "outcome": Outcome.KEPT.value, "problems": [said]} for number, said in why_not.items()]
    if written:
        session.connection().execute(mine.values(outcome=bindparam("outcome"), problems=problems), written)
