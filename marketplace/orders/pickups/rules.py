"""How long a parcel is kept for whoever fetches it. Pure."""

from datetime import date, datetime, timedelta
from typing import Final

from marketplace.core import clock

KEPT_FOR: Final = timedelta(days=7)  # then the station may call it uncollected; who calls them has it kept longer
REMINDERS: Final = {"again": timedelta(days=3), "last": KEPT_FOR - timedelta(days=1)}


def kept_until(shelved: datetime) -> date:
    """The last day, in Shanxi, on which it is surely there."""
    return clock.local(shelved + KEPT_FOR).date()
