"""What an arrival would mean, before anything is done: for every line of every order, and in fen. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from marketplace.orders.receiving.models import Rest
from marketplace.orders.receiving.owed import Claim, Delivery, Pack
from marketplace.orders.receiving.sharing import lighter_by, share
from marketplace.orders.remaining import LineLeft, Part


@dataclass(frozen=True, slots=True)
class Count:
    """What came of one pack. `grams`: what the good ones weigh together, None where they were not weighed."""

    came: int
    damaged: int = 0
    grams: int | None = None
    rest: Rest = Rest.LATER
    instead: str | None = None  # the pack that is offered for what does not come

    @property
    def good(self) -> int:
        return self.came - self.damaged


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim gets, in packs; what comes off its price in fen, since they weigh less, and the fee within that."""

    claim: Claim
    received: int
    missing: int
    offered: int
    lighter_fen: int
    lighter_fee_fen: int

    @property
    def later(self) -> int:
        return self.claim.wanted - self.received - self.missing - self.offered


@dataclass(frozen=True, slots=True)
class PackPlan:
    pack: Pack
    count: Count
    shares: tuple[Share, ...]

    @property
    def taken(self) -> int:
        return min(self.count.good, self.pack.wanted)

    @property
    def over(self) -> int:
        return max(0, self.count.good - self.pack.wanted)

    @property
    def grams(self) -> int | None:
        """What was weighed, where it means something."""
        return self.count.grams if self.pack.grams and self.count.good else None

    @property
    def short(self) -> list[Share]:
        """Those that do not get all of it now."""
        return [each for each in self.shares if each.received < each.claim.wanted]


def plan(pack: Pack, count: Count, available: int = 0) -> PackPlan:
    """`available`: packs of what is offered instead; where they do not suffice, who paid first is offered them first.

    A replacement for goods that came back is replaced by nothing else."""
    wanted = [claim.wanted for claim in pack.claims]
    served = share(wanted, min(count.good, pack.wanted))
    lacking = [packs - got for packs, got in zip(wanted, served, strict=True)]
    replaceable = [lacks if claim.unit_price_fen else 0 for claim, lacks in zip(pack.claims, lacking, strict=True)]
    replaced = share(replaceable, available if count.rest is Rest.SUBSTITUTE else 0)
    promised = pack.grams * count.good
    weighs = promised if count.grams is None else count.grams
    shares = []
    for claim, received, lacks, offered in zip(pack.claims, served, lacking, replaced, strict=True):
        missing = 0 if count.rest is Rest.LATER else lacks - offered
        price, fee = claim.unit_price_fen * received, claim.unit_service_fee_fen * received
        off, fee_off = (lighter_by(fen, promised_grams=promised, grams=weighs) for fen in (price, fee))
        shares.append(Share(claim, received, missing, offered, off, fee_off))
    return PackPlan(pack, count, tuple(shares))


def plan_all(
    delivery: Delivery, counts: Mapping[str, Count] | None, available: Mapping[str, int] | None = None
) -> list[PackPlan]:
    """By pack; None: all came. What is not named in `counts` did not come and is still to be brought.

    `available`: packs by code of what may be offered instead; each is offered for one pack only."""
    found = [(pack, Count(pack.wanted) if counts is None else counts.get(pack.code)) for pack in delivery.packs]
    there = available or {}
    return [plan(pack, count, there.get(count.instead or "", 0)) for pack, count in found if count is not None]


def shares_by_parcel(plans: Sequence[PackPlan]) -> dict[int, list[Share]]:
    """By the parcels' rows."""
    found: dict[int, list[Share]] = defaultdict(list)
    for each in plans:
        for of_claim in each.shares:
            found[of_claim.claim.parcel_id].append(of_claim)
    return found


@dataclass(frozen=True, slots=True)
class Consequence:
    """What goes back of one parcel: packs that will not come, then what lighter ones cost less.

    `is_refused`: nothing would be left to send, so that all of it goes back; or it is a replacement for goods that came
    back, which is sent whole or not at all: no part of it has a price of its own (`cases.exchanging`)."""

    is_refused: bool
    missing: tuple[Part, ...]
    lighter: tuple[Part, ...]

    @property
    def fen(self) -> int:
        return sum(part.fen for part in (*self.missing, *self.lighter))


def consequence(lines: Sequence[LineLeft], shares: Sequence[Share]) -> Consequence:
    """`lines`: all lines of the parcel, as they stand before."""
    by_line = {each.claim.line_id: each for each in shares}
    gone = {line: each.missing for line, each in by_line.items() if each.missing}
    is_free = all(line.unit_price_fen == 0 for line in lines)
    if gone and (is_free or all(line.units == gone.get(line.id, 0) for line in lines)):
        return Consequence(True, tuple(line.rest for line in lines if line.rest.fen), ())
    missing = {line.id: line.part(gone[line.id], with_shipping=True) for line in lines if line.id in gone}
    left = [without(line, missing.get(line.id)) for line in lines if line.id in by_line]
    off = (line.of_price(by_line[line.id].lighter_fen, by_line[line.id].lighter_fee_fen) for line in left)
    return Consequence(False, tuple(missing.values()), tuple(part for part in off if part.fen))


def without(line: LineLeft, part: Part | None) -> LineLeft:
    """The line once this part of it has gone back."""
    if part is None:
        return line
    return replace(
        line,
        refunded_quantity=line.refunded_quantity + part.units,
        goods_back_fen=line.goods_back_fen + part.goods_fen,
        fee_back_fen=line.fee_back_fen + part.service_fee_fen,
        shipping_back_fen=line.shipping_back_fen + part.shipping_fen,
        units_with_shipping_back=line.units_with_shipping_back + part.units,
        seller_discount_back_fen=line.seller_discount_back_fen + part.seller_discount_fen,
        platform_discount_back_fen=line.platform_discount_back_fen + part.platform_discount_fen,
    )
