"""When the worker reconciles by itself: every ten minutes the new, every night all, unless somebody has switched it off."""

import logging
import time
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.payments.gateways import gateways
from marketplace.payments.reconciliation import running, switch

NIGHT: Final = 2  # o'clock in Shanxi: from then on, once a day, everything
FIRST: Final = 60.0  # seconds after the worker began: what came while it was away takes its ordinary way first
LOOK: Final = 10.0
LONGEST: Final = timedelta(hours=2)  # a reading of everything; who takes longer is taken for dead


class Rounds:
    """A step of the worker. Several workers share the turns: the gateway's cursor says whose it is."""

    def __init__(self) -> None:
        self.due = time.monotonic() + FIRST

    def __call__(self) -> bool:
        """Outside any transaction; never says that more waits."""
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + LOOK
            for name in gateways().by_name:
                self.look_after(name)
        return False

    def look_after(self, name: str) -> None:
        whole = in_transaction(take_turn, gateway=name)
        if whole is None:
            return
        try:
            running.reconcile(gateways().get(name), actor=running.WORKER, whole=whole)
        except Exception:
            logging.getLogger(__name__).exception("reconciliation of %s", name)


def take_turn(session: Session, *, gateway: str) -> bool | None:
    """Whether everything is to be read; None where it is not our turn, or nobody's."""
    if not switch.is_on(session):
        return None
    cursor = running.cursor_of(session, gateway)
    if cursor.next_at > clock.now():
        return None
    today = clock.today()
    whole = cursor.whole_on != today and clock.local(clock.now()).hour >= NIGHT
    cursor.next_at = clock.now() + (LONGEST if whole else running.EVERY)
    return whole
