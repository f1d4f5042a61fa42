"""The benchmark's large past is one that could have been: else `make bench` would measure an audit that finds faults."""

import sys

import pytest

from benchmarks import auditing
from benchmarks.places import prepared


@pytest.mark.full
def test_the_audit_agrees_with_a_multiplied_past() -> None:
    with prepared(sys.executable, database="") as start:
        (audit,) = auditing.of_place(start, sys.executable, (20_000,)).values()

    assert "everything agrees" in audit.looked_at
