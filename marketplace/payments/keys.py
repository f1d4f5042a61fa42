"""How long a gateway remembers an idempotency key: from the first time that it was used, however old the wish is."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Mapped

from marketplace.core import clock

KEY_LIVES: Final = timedelta(hours=23)  # gateways forget a key after a day, and would send the money once more


class Keyed:
    """Money that a gateway is asked to move under a key of the row's own. Every time it is asked is the same wish."""

    first_asked_at: Mapped[datetime | None]

    @property
    def key_is_fresh(self) -> bool:
        """Whether asking again cannot move the money a second time."""
        return self.first_asked_at is None or clock.now() - self.first_asked_at < KEY_LIVES
