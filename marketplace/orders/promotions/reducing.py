"""What promotions take off a quoted order, line by line, and who bears it. Pure: the same figures give the same answer.

Shared out over the lines in scope by what their goods cost (largest remainder). Nothing takes more than MOST_PERCENT of a
line, nor more of a seller's part than that: something is left to pay for every unit, and of it for its grower. So refunds of
any units in any order are sums above zero, and the station's fee, which is on the price before, is always there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from marketplace.core.money import apportion
from marketplace.orders.promotions.models import MOST_PERCENT, WHOLE_BPS
from marketplace.orders.promotions.states import Kind, Scope
from marketplace.orders.quoting import Cut, Quote, QuotedLine, Reduction

NOTHING: Final = Cut()


class Goods(Protocol):
    """What a scope is about: an offer, or a line of an order."""

    @property
    def listing(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def seller(self) -> str: ...
    @property
    def station_code(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A promotion as far as sums need it. `left_fen`: of its budget."""

    id: int
    public_id: str
    code: str | None
    name_zh: str
    name_en: str
    kind: Kind
    amount_fen: int
    percent: int
    most_fen: int | None
    threshold_fen: int
    scope: Scope
    scope_values: Sequence[str]
    platform_bps: int
    seller_public_id: str
    left_fen: int
    uses_each: int | None = None
    parents: Mapping[str, str | None] = field(default_factory=dict)  # of categories, by code

    def covers(self, goods: Goods) -> bool:
        if self.seller_public_id and goods.seller != self.seller_public_id:
            return False
        if self.scope is Scope.CATEGORY:
            return goods.category in self.scope_values or self.parents.get(goods.category) in self.scope_values
        found = {Scope.STATION: goods.station_code, Scope.SELLER: goods.seller, Scope.LISTINGS: goods.listing}
        return self.scope is Scope.ALL or found[self.scope] in self.scope_values

    def goods_fen(self, quoted: Quote) -> int:
        """Of the goods in scope, before anything comes off."""
        return sum(line.goods_fen for line in self.lines(quoted))

    def lines(self, quoted: Quote) -> list[QuotedLine]:
        return [line for line in quoted.lines if self.covers(line.offer)]


def reduction(rule: Rule, quoted: Quote) -> Reduction:
    """What it takes off beside what has come off already; nothing below its threshold. Raises TooHeavy."""
    lines = rule.lines(quoted)
    if not lines or rule.goods_fen(quoted) < rule.threshold_fen:
        cuts: dict[str, Cut] = {}
    elif rule.kind is Kind.FREE_SHIPPING:
        cuts = shipping_cuts(lines, quoted)
    else:
        wanted = apportion(wanted_fen(rule, quoted), [line.goods_fen for line in lines])
        cuts = {line.offer.variant: goods_cut(rule, line, fen, quoted) for line, fen in zip(lines, wanted, strict=True)}
    kept = {variant: cut for variant, cut in cuts.items() if cut.fen}
    return Reduction(rule.id, rule.public_id, rule.code, rule.name_zh, rule.name_en, kept)


def wanted_fen(rule: Rule, quoted: Quote) -> int:
    """What it would take off all goods in scope together; a percentage is rounded down."""
    goods_fen = rule.goods_fen(quoted)
    if rule.kind is Kind.AMOUNT:
        return min(rule.amount_fen, goods_fen)
    found = goods_fen * rule.percent // 100
    return found if rule.most_fen is None else min(found, rule.most_fen)


def goods_cut(rule: Rule, line: QuotedLine, fen: int, quoted: Quote) -> Cut:
    """So much off this line, or as much as there is room for."""
    before = quoted.cut_of(line.offer.variant)
    seller_bps = WHOLE_BPS - rule.platform_bps
    room = most_of(line.unit_price_fen, line.quantity) - before.seller_fen - before.platform_fen
    if seller_bps:
        sellers_room = most_of(line.unit_price_fen - line.unit_service_fee_fen, line.quantity) - before.seller_fen
        room = min(room, sellers_room * WHOLE_BPS // seller_bps)
    found = max(0, min(fen, room))
    platform_fen = found * rule.platform_bps // WHOLE_BPS
    if seller_bps and found - platform_fen > sellers_room:  # the fen that rounding gave them
        found -= 1
        platform_fen = found * rule.platform_bps // WHOLE_BPS
    return Cut(found - platform_fen, platform_fen, 0) if found > 0 else NOTHING


def most_of(unit_fen: int, units: int) -> int:
    """Fen that may come off so many units: MOST_PERCENT of each, rounded down for each."""
    return unit_fen * MOST_PERCENT // 100 * units


def shipping_cuts(lines: Sequence[QuotedLine], quoted: Quote) -> dict[str, Cut]:
    """The shipping of these lines, of which nothing has come off before."""
    parts = {
        line.offer.variant: fen
        for parcel in quoted.parcels
        for line, fen in zip(parcel.lines, parcel.shipping_parts, strict=True)
    }
    free = {line.offer.variant for line in lines if not quoted.cut_of(line.offer.variant).shipping_fen}
    return {variant: Cut(0, 0, parts[variant]) for variant in free}


def reduced(quoted: Quote, found: Reduction) -> Quote:
    return replace(quoted, reductions=(*quoted.reductions, found))


def best(rules: Sequence[Rule], quoted: Quote) -> Reduction | None:
    """The one that takes most off, of equals the one that was made first; None where none takes anything off."""
    found = [reduction(rule, quoted) for rule in rules]
    lefts = {rule.id: rule.left_fen for rule in rules}
    there = [each for each in found if 0 < each.fen <= lefts[each.promotion_id]]
    return max(there, key=lambda each: (each.fen, -each.promotion_id), default=None)
