"""Fault 27 of docs/faults.md, test and real money mixed up: the house does not start. The other
settings that it refuses are in tests/core/test_settings.py."""

from pathlib import Path

import pytest

from marketplace.app import create_app
from marketplace.core.settings import BadSettings, load_settings
from tests.core.test_settings import GOOD, STRIPE

MIXED_UP = (
    (GOOD | {"payment_gateway": "sandbox"}, "test money"),
    (GOOD | STRIPE | {"stripe_secret_key": "sk_test_4242"}, "must be a live key"),
    ({"app_env": "demo"} | STRIPE, "live money is for production"),
)


@pytest.mark.parametrize(
    ("given", "said"), MIXED_UP, ids=["sandbox in production", "test key", "live key in a demonstration"]
)
def test_27_money_of_the_other_book_starts_nothing(given: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=said):
        create_app(load_settings(**given, data=tmp_path))
    assert list(tmp_path.iterdir()) == []
