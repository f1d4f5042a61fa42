from tests.orders.promotions.conftest import counter

__all__ = ["counter"]
