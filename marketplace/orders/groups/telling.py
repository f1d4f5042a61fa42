"""A group in words: how far it is, until when, what happens then."""

from datetime import datetime, timedelta

from flask_babel import gettext as _, ngettext

from marketplace.core import clock
from marketplace.core.formats import full_date, language
from marketplace.orders.groups.states import GATHERING, GroupState as G


def deadline(closes_at: datetime) -> str:
    """The day at whose end it closes: midnight is said as the end of the day before it."""
    day = clock.local(closes_at - timedelta(seconds=1)).date()
    return str(_("%(day)s, midnight", day=full_date(day, language())))


def time_left(closes_at: datetime) -> str:
    """Whole days, else whole hours, else minutes."""
    left = closes_at - clock.now()
    if left <= timedelta():
        return str(_("Time is up"))
    if left >= timedelta(days=1):
        return str(ngettext("%(num)s day left", "%(num)s days left", left.days))
    hours = int(left.total_seconds()) // 3600
    if hours:
        return str(ngettext("%(num)s hour left", "%(num)s hours left", hours))
    return str(ngettext("%(num)s minute left", "%(num)s minutes left", max(1, int(left.total_seconds()) // 60)))


def standing(state: G, paid: int, threshold: int) -> str:
    """Where it is, in one sentence."""
    if state is G.FAILED:
        return str(_("Not enough people joined in time. Whoever paid gets everything back."))
    if state is G.REACHED:
        return str(_("The group is complete. You can still join."))
    if state is G.ORDERED:
        return str(_("The group is complete and closed."))
    missing = max(1, threshold - paid)
    return str(
        ngettext("%(num)s more pack and the group is complete", "%(num)s more packs and the group is complete", missing)
    )


def promise(state: G, days: int) -> str:
    """When it arrives, for whoever joins now."""
    if state in GATHERING:
        return str(
            ngettext(
                "Arrives %(num)s day after the group is complete", "Arrives %(num)s days after the group is complete", days
            )
        )
    return str(ngettext("Arrives within %(num)s day", "Arrives within %(num)s days", days))
