"""Every check that is asked in slices is asked in small ones: what is wrong may lie in any of them."""

import pytest

from marketplace.auditing import checks


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SLICE", 2)
