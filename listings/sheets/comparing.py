"""A row of the sheet against what is there: what it would change, or why it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from listings.forms import grams_of
from listings.sheets import cells as cells_of, papers, proposing
from listings.sheets.goods import DESCRIBING, OF_THE_GOODS, Pack
from listings.sheets.parsing import MOST_PICTURES, NEEDED, PARSERS, Categories, parse
from listings.sheets.proposing import FIELDS, MARK
from listings.sheets.states import Verdict
from listings.sheets.wrong import Wrong
from listings.states import ListingState as L
from marketplace.core import ids
from marketplace.core.records import record

TIERS: Final = ("tier_from", "tier_price")
BY_THEMSELVES: Final = ("seen_stock", "stock", "certificates", "pictures", *TIERS)  # compared by rules of their own
PLAIN: Final = tuple(key for key in ("category", *PARSERS) if key not in BY_THEMSELVES)
LOCKED: Final = (L.SUBMITTED, L.SUSPENDED)
NOTHING: Final = object()  # no edit proposes it


@record
class There:
    """What rows are compared with. `pictures`: name in the ZIP: what became of it, None where it cannot be used."""

    by_code: Mapping[str, Pack]
    by_number: Mapping[str, Pack]
    categories: Categories
    pictures: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    digests: Mapping[int, list[str]] = field(default_factory=dict)  # listing: its pictures
    waiting: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # listing: what the station has to decide
    has_zip: bool = False


@dataclass
class Compared:
    """What a row would do. `was` and `entry` hold the values before and after of what it changes."""

    target: str = ""
    was: dict[str, Any] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    stock_change: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    is_new: bool = False

    @property
    def verdict(self) -> Verdict:
        if self.problems:
            return Verdict.REFUSED
        return Verdict.NEW if self.is_new else Verdict.CHANGED if self.entry else Verdict.SAME

    @property
    def columns_refused(self) -> set[str]:
        return {problem["column"] for problem in self.problems}

    def refuse(self, column: str, code: str, **values: int | str) -> None:
        if column not in self.columns_refused:
            self.problems.append(Wrong(code, values).at(column))


def compare(there: There, cells: Mapping[str, str], flaws: Mapping[str, str]) -> Compared:
    """`cells` has the columns that the sheet has; `flaws` what was wrong with some before anybody read them."""
    found = Compared()
    for column, flaw in flaws.items():
        code, _colon, row = flaw.partition(":")
        found.refuse(column, code, **({"row": row} if row else {}))
    try:
        pack = pack_meant(there, cells)
    except Wrong as wrong:
        found.refuse("code", wrong.code, **wrong.values)
        return found
    if pack is None:
        describe_new(found, there, cells)
    else:
        describe_change(found, there, cells, pack)
    return found


def pack_meant(there: There, cells: Mapping[str, str]) -> Pack | None:
    """None for new goods, also for those that have no number yet. Raises Wrong where nobody can tell."""
    code, number = cells.get("code", ""), cells.get("number", "")
    if not code:
        return there.by_number.get(number) if number else None
    if code not in there.by_code:
        raise Wrong("no_such_code", {"typed": code[:40]})
    return there.by_code[code]


def describe_new(found: Compared, there: There, cells: Mapping[str, str]) -> None:
    found.is_new = True
    for key in (*PLAIN, "stock", "certificates"):
        text = cells.get(key, "")
        if not text and key in (*NEEDED, "number"):
            found.refuse(key, "no_key" if key == "number" else "missing_for_new")
        else:
            read_into(found, key, text, there.categories)
    read_tiers(found, cells, there.categories, found.entry.get("price"))
    keep_lower_above(found, found.entry.get("minimum", 1))
    if "unit" in found.entry and "weight" in found.entry:
        settle_weight(found, found.entry["unit"])
    add_pictures(found, there, cells, have=[])
    found.entry.setdefault("tiers", [])
    found.stock_change = found.entry.get("stock", 0)
    found.target = f"G{ids.spelled(8)}"


def describe_change(found: Compared, there: There, cells: Mapping[str, str], pack: Pack) -> None:
    found.target = pack.pack_code
    shown = cells_of.of_pack(pack, there.categories)
    for key in PLAIN:
        if key in OF_THE_GOODS and not pack.is_only and not cells.get(key):
            continue  # further packs leave it to the first, whichever that is by now
        if key in cells and not cells_of.are_alike(cells[key], shown[key]):
            read_into(found, key, cells[key], there.categories)
            if found.entry.get(key) == pack.values[key]:
                found.entry.pop(key, None)
    if "number" in found.entry:
        keep_number_apart(found, there, pack)
    say_tiers(found, cells, shown, there.categories, pack)
    say_papers(found, there, cells, shown, pack)
    count(found, cells, pack)
    weigh(found, cells, pack)
    have = there.digests.get(pack.listing_id, [])
    add_pictures(found, there, cells, have)
    found.was |= {key: pack.values[key] for key in found.entry if key in pack.values}
    found.was |= {key: pack.tiers if key == "tiers" else have for key in ("tiers", "pictures") if key in found.entry}
    hand_on(found, pack, there.waiting.get(pack.listing_id, {}))
    refuse_what_is_settled(found, pack)


def hand_on(found: Compared, pack: Pack, waits: Mapping[str, Any]) -> None:
    """What goods for sale *are* is proposed to the station, unless just that waits there already."""
    for key in [key for key in found.entry if proposing.is_proposed(pack, key)]:
        if pack.is_first and waits.get(FIELDS[key], NOTHING) == found.entry[key]:
            del found.entry[key]
            found.was.pop(key, None)
        else:
            found.was.setdefault(MARK, {}).update({FIELDS[key]: waits[FIELDS[key]]} if FIELDS[key] in waits else {})


def read_into(found: Compared, key: str, text: str, categories: Categories) -> None:
    try:
        found.entry[key] = parse(key, text, categories)
    except Wrong as wrong:
        found.refuse(key, wrong.code, **wrong.values)


def keep_number_apart(found: Compared, there: There, pack: Pack) -> None:
    other = there.by_number.get(found.entry["number"] or "")
    if not pack.is_first:
        found.refuse("number", "number_of_first")
    elif other is not None and other.listing_id != pack.listing_id:
        found.refuse("number", "number_taken", typed=found.entry["number"], other=other.code)


def say_tiers(
    found: Compared, cells: Mapping[str, str], shown: Mapping[str, str], categories: Categories, pack: Pack
) -> None:
    """The sheet says the first of several lower prices; those for more packs stay where they are still lower."""
    said = [key for key in TIERS if key in cells]
    if any(cells[key] != shown[key] or ("price" in found.entry and cells[key]) for key in said):
        read_tiers(found, {**shown, **cells}, categories, found.entry.get("price", pack.values["price"]))
        first = found.entry.get("tiers")
        if first != pack.tiers[:1]:
            keep_lower_above(found, found.entry.get("minimum", pack.minimum))
        if first and first == pack.tiers[:1]:
            del found.entry["tiers"]
        elif first:
            first += [tier for tier in pack.tiers[1:] if tier[0] > first[0][0] and tier[1] < first[0][1]]
    keep_useful_tiers(found, pack)
    tiers = found.entry.get("tiers", pack.tiers)
    if tiers and tiers[0][0] <= found.entry.get("minimum", 0) and "tier_from" not in found.columns_refused:
        found.refuse("minimum", "least_above_lower", least=tiers[0][0])


def keep_lower_above(found: Compared, least: int) -> None:
    """A lower price is for more than everybody takes anyway."""
    tiers = found.entry.get("tiers")
    if tiers and tiers[0][0] <= least:
        found.refuse("tier_from", "tier_of_least", least=least)


def say_papers(found: Compared, there: There, cells: Mapping[str, str], shown: Mapping[str, str], pack: Pack) -> None:
    """All papers that the goods have; further packs leave them to the first."""
    key = "certificates"
    if key not in cells or cells_of.are_alike(cells[key], shown[key]) or not (cells[key] or pack.is_only):
        return
    read_into(found, key, cells[key], there.categories)
    if key in found.entry:
        waits = there.waiting.get(pack.listing_id, {}).get(FIELDS[key], [])
        found.entry[key] = papers.kept(found.entry[key], pack.values[key], waits)
        if found.entry[key] == pack.values[key]:
            del found.entry[key]


def read_tiers(found: Compared, cells: Mapping[str, str], categories: Categories, price: int | None) -> None:
    """The lower price for many: both halves of it or none."""
    halves = Compared()
    for key in TIERS:
        read_into(halves, key, cells.get(key, ""), categories)
    found.problems += halves.problems
    if halves.problems:
        return
    least, fen = (halves.entry[key] for key in TIERS)
    if (least is None) != (fen is None):
        found.refuse("tier_from" if least is None else "tier_price", "tier_incomplete")
    elif fen is not None and price is not None and fen >= price:
        found.refuse("tier_price", "tier_not_lower")
    else:
        found.entry["tiers"] = [] if least is None else [[least, fen]]


def keep_useful_tiers(found: Compared, pack: Pack) -> None:
    """As on the list of prices: a lower price that is none any more goes."""
    price = found.entry.get("price", pack.values["price"])
    tiers = [tier for tier in found.entry.get("tiers", pack.tiers) if tier[1] < price]
    if tiers != pack.tiers and ("price" in found.entry or "tiers" in found.entry):
        found.entry["tiers"] = tiers
    elif tiers == pack.tiers:
        found.entry.pop("tiers", None)


def count(found: Compared, cells: Mapping[str, str], pack: Pack) -> None:
    """Stock that the seller left alone stays as it is, whatever was sold since the sheet was made."""
    if "stock" not in cells:
        return
    read = Compared()
    read_into(read, "stock", cells["stock"], Categories({}, {}))
    read_into(read, "seen_stock", cells.get("seen_stock", ""), Categories({}, {}))
    found.problems += read.problems
    if read.problems:
        return
    wanted, seen = read.entry["stock"], read.entry["seen_stock"]
    if wanted in (seen, pack.on_hand):
        return
    if seen is not None and pack.on_hand != seen:
        found.refuse("stock", "stock_moved", now=pack.on_hand, seen=seen)
    elif wanted < pack.reserved:
        found.refuse("stock", "held", held=pack.reserved)
    else:
        found.entry["stock"], found.stock_change = wanted, wanted - pack.on_hand


def weigh(found: Compared, cells: Mapping[str, str], pack: Pack) -> None:
    """A new way of packing has to say what it weighs, by itself or beside it."""
    if "unit" in found.entry:
        found.entry.setdefault("weight", pack.values["weight"] if "weight" in cells else None)
    if "weight" not in found.entry:
        return
    settle_weight(found, found.entry["unit"] if "unit" in found.entry else pack.values["unit"])
    if "unit" not in found.entry and found.entry["weight"] == pack.values["weight"]:
        del found.entry["weight"]


def settle_weight(found: Compared, unit: str) -> None:
    """What the pack says by itself is not kept a second time; what it does not say has to be there."""
    by_itself = grams_of(unit)
    if found.entry["weight"] == by_itself:
        found.entry["weight"] = None
    if found.entry["weight"] is None and by_itself is None:
        found.refuse("weight", "no_weight")


def add_pictures(found: Compared, there: There, cells: Mapping[str, str], have: list[str]) -> None:
    """Pictures are added, never taken away, and one that is there already is not added again."""
    read = Compared()
    read_into(read, "pictures", cells.get("pictures", ""), there.categories)
    found.problems += read.problems
    added: list[dict[str, Any]] = []
    for name in read.entry.get("pictures", []):
        made = there.pictures.get(name)
        if not there.has_zip:
            return found.refuse("pictures", "no_zip")
        if name not in there.pictures:
            return found.refuse("pictures", "no_such_picture", typed=name[:60])
        if made is None:
            return found.refuse("pictures", "unusable_picture", typed=name[:60])
        if made["digest"] not in have and made["digest"] not in [each["digest"] for each in added]:
            added.append({"name": name, **made})
    if len(have) + len(added) > MOST_PICTURES:
        return found.refuse("pictures", "too_many_pictures", now=len(have) + len(added), most=MOST_PICTURES)
    if added:
        found.entry["pictures"] = added
    return None


def refuse_what_is_settled(found: Compared, pack: Pack) -> None:
    """Price, stock and the seller's own number change at once. What goods *are* changes on drafts, and as an edit that the
    station decides on where they are for sale; there their kind, way of packing and pictures do not."""
    for key in found.entry:
        if pack.state in LOCKED:
            found.refuse(key, "with_the_station" if pack.state is L.SUBMITTED else "suspended")
        elif key in OF_THE_GOODS and not pack.is_first:
            found.refuse(key, "said_by_first")
        elif key in DESCRIBING and not (pack.is_editable or proposing.is_proposed(pack, key)):
            found.refuse(key, "not_a_draft")
