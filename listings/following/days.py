"""A day of messages begins at eight in the morning in Shanxi: nobody is told at midnight that apples are in season."""

from datetime import date, timedelta
from typing import Final

from marketplace.core import clock

BEGINS: Final = timedelta(hours=8)


def today() -> date:
    return clock.local(clock.now() - BEGINS).date()
