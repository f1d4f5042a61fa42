"""Whose a part of a line's price is. Pure: the same figures give the same answer.

A price is what its buyer pays and what its grower and the province let off it. What is not the grower's present is what the
grower gets and the station's fee. Of a part the buyer has theirs, rounded up; the rest is shared out over the two presents
by the largest remainder; the fee takes what is asked of it, as far as neither the part nor what stays would take from a
grower more than they have. So no fen is lost, and nobody's share of either is below zero (docs/adr/0058)."""

from marketplace.core.money import apportion
from marketplace.core.records import record


@record
class Price:
    """Of goods, in fen, with what lies within it."""

    goods_fen: int
    service_fee_fen: int
    seller_discount_fen: int
    platform_discount_fen: int

    @property
    def buyers_fen(self) -> int:
        return self.goods_fen - self.seller_discount_fen - self.platform_discount_fen

    @property
    def sellers_fen(self) -> int:
        return self.goods_fen - self.seller_discount_fen - self.service_fee_fen

    def part(self, goods_fen: int, fee_fen: int, *, stays: int = 0) -> "Price":
        """So much of the goods, of which the fee would be `fee_fen`: together with what stays it is this price.

        `stays`: fen that its buyer goes on paying at least, so that what is given back later is still a sum."""
        goods = max(0, min(goods_fen, self.goods_fen - stays))
        theirs = -(-self.buyers_fen * goods // max(self.goods_fen, 1))
        buyers = min(theirs, max(0, self.buyers_fen - stays))
        seller_off, platform_off = apportion(goods - buyers, (self.seller_discount_fen, self.platform_discount_fen))
        shared = goods - seller_off  # between the grower and the station
        fee = min(max(fee_fen, shared - self.sellers_fen), self.service_fee_fen, shared)
        return Price(goods, fee, seller_off, platform_off)

    def with_discounts(self, goods_fen: int, fee_fen: int, seller_fen: int, platform_fen: int) -> "Price":
        """So much of the goods at this fee, with discounts as near to these as leaves nobody below zero, there or here."""
        shared = goods_fen - fee_fen
        seller_off = between(seller_fen, shared - self.sellers_fen, min(self.seller_discount_fen, shared))
        paid = goods_fen - seller_off
        platform_off = between(platform_fen, paid - self.buyers_fen, min(self.platform_discount_fen, paid))
        return Price(goods_fen, fee_fen, seller_off, platform_off)


def between(wanted: int, least: int, most: int) -> int:
    return max(0, least, min(wanted, most))
