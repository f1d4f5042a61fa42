"""Everything that is left to chance in a life, from one seed: who does what, what breaks, and the ids of rows."""

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


class Dice(random.Random):
    """Seeded; the same questions in the same order get the same answers."""

    def chance(self, probability: float) -> bool:
        return self.random() < probability


@contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """What the product takes from the system's randomness comes from the seed too: rows are met in the same order."""
    source = random.Random(seed)
    replaced: dict[str, Any] = {
        "token_bytes": lambda count=32: source.randbytes(count),
        "token_hex": lambda count=32: source.randbytes(count).hex(),
        "token_urlsafe": lambda count=32: source.randbytes(count).hex(),
        "choice": source.choice,
        "randbelow": source.randrange,
    }
    with mock.patch.multiple(secrets, **replaced):
        yield
