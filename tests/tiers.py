"""What of a test's parameters is tried in which tier."""

from typing import Any

import pytest


def in_full(*values: Any) -> list[Any]:
    """Parameters for the full tier alone: the quick one has a few like them."""
    return [pytest.param(value, marks=pytest.mark.full) for value in values]
