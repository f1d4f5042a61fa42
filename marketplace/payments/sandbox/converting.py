"""A cashier that settles in another currency than it is paid in, as Stripe does with Alipay and WeChat Pay."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from marketplace.core.money import Money, decimals

RATES: Final = {"HKD": Decimal("1.08"), "USD": Decimal("0.14"), "JPY": Decimal("21.5")}  # for one yuan, invented


@dataclass
class Conversion:
    """`rate`: how many of its currency for one of the payer's; it may be another one tomorrow."""

    currency: str
    rate: Decimal

    def of(self, amount: Money) -> Money:
        """To the smallest unit, half to even, as banks round."""
        shift = decimals(self.currency) - decimals(amount.currency)
        exact = (amount.fen * self.rate).scaleb(shift)
        return Money(int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), self.currency)


def conversion_into(currency: str) -> Conversion | None:
    """None for yuan, in which it is paid anyway. Raises KeyError for a currency without a rate."""
    return None if currency == "CNY" else Conversion(currency, RATES[currency])
