"""Pledges in words: bands, needs, and the seven steps that a saver follows."""

from datetime import date
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from crowdfund.pledges import reminders
from crowdfund.pledges.cards import Card
from crowdfund.pledges.queries import Tracking
from crowdfund.pledges.states import STEP_OF, STEPS, CaseState as C, DeviceState as D, PledgeState as P
from marketplace.core import clock
from marketplace.core.formats import language, local_datetime, short_date
from marketplace.core.timeline import Stop

BANDS: Final[dict[str, LazyString]] = {
    "10k": _l("10,000 to 30,000 yuan"),
    "30k": _l("30,000 to 50,000 yuan"),
    "50k": _l("50,000 to 100,000 yuan"),
    "100k": _l("100,000 yuan and more"),
}
LEAST: Final[dict[str, LazyString]] = {
    "10k": _l("10,000 yuan"),
    "30k": _l("30,000 yuan"),
    "50k": _l("50,000 yuan"),
    "100k": _l("100,000 yuan"),
}
AGES: Final[dict[str, LazyString]] = {
    "6-8": _l("6 to 8 years"),
    "9-11": _l("9 to 11 years"),
    "12-14": _l("12 to 14 years"),
    "": _l("6 to 14 years"),
}
TIERS: Final[dict[int, LazyString]] = {1: _l("very urgent"), 2: _l("urgent"), 3: _l("waiting"), 0: _l("not told")}
NEEDS: Final[dict[str, LazyString]] = {
    "call_parents": _l("to call the parents who work away"),
    "call_grandparents": _l("to call home from boarding school"),
    "way_to_school": _l("a long way to school, alone"),
}
WAITED: Final[dict[str, LazyString]] = {
    "over_180": _l("more than half a year"),
    "over_90": _l("three to six months"),
    "over_30": _l("one to three months"),
    "under_30": _l("less than a month"),
}
PURPOSES: Final[dict[str, LazyString]] = {
    "collect": _l("We keep who the child is, sealed"),
    "share_station": _l("The county's station learns for whom the watch is"),
    "share_telecom": _l("The telecom activates the watch's card"),
    "delivery_evidence": _l("A picture of watch and box when it is handed over"),
    "story": _l("The story is told, without name (not needed)"),
}
RELATIONS: Final[dict[str, LazyString]] = {
    "mother": _l("mother"),
    "father": _l("father"),
    "grandparent": _l("grandparent"),
    "relative": _l("another relative"),
    "foster": _l("foster parent"),
}
METHODS: Final[dict[str, LazyString]] = {"paper": _l("signed on paper"), "spoken": _l("spoken, before two witnesses")}
CASE_STATES: Final[dict[C, LazyString]] = {
    C.NOMINATED: _l("nominated"),
    C.CONSENTED: _l("consent given"),
    C.VERIFIED: _l("verified"),
    C.LISTED: _l("on the list"),
    C.HELD: _l("chosen, not confirmed yet"),
    C.MATCHED: _l("matched with a watch"),
    C.READY: _l("the watch is at the station"),
    C.DELIVERED: _l("handed over"),
    C.CONFIRMED: _l("first call made"),
    C.PAUSED: _l("paused"),
    C.INELIGIBLE: _l("not eligible"),
    C.DUPLICATE: _l("known already"),
    C.MOVED: _l("moved away"),
    C.WITHDRAWN: _l("consent withdrawn"),
}
DEVICE_STATES: Final[dict[D, LazyString]] = {
    D.COMMITTED: _l("promised"),
    D.RECEIVED: _l("brought"),
    D.CHECKED: _l("checked"),
    D.IN_TRANSIT: _l("on its way"),
    D.AT_STATION: _l("at the station"),
    D.HANDED_OVER: _l("handed over"),
    D.FAULTY: _l("faulty"),
    D.LOST: _l("lost"),
    D.RETURNED: _l("returned"),
    D.REPLACED: _l("replaced"),
}
MISHAPS: Final[dict[D, LazyString]] = {D.LOST: DEVICE_STATES[D.LOST], D.FAULTY: DEVICE_STATES[D.FAULTY]}
TOLD_BY_PEOPLE: Final = frozenset({D.LOST, D.FAULTY, D.RETURNED})
"""Steps of a device whose reason somebody wrote."""
HELD_UP: Final[dict[str, LazyString]] = {
    reminders.RELATED: _l("the saver may be related"),
    reminders.SILENT: _l("no word from the bank for ten days"),
}
GONE: Final = _l("the child is no longer on the list")
PLEDGE_STATES: Final[dict[P, LazyString]] = {
    P.HELD: _l("held"),
    P.PROVISIONAL: _l("to be confirmed"),
    P.ON_HOLD: _l("held up"),
    P.CONFIRMED: _l("confirmed"),
    P.ALLOCATED: _l("watch reserved"),
    P.AT_STATION: _l("at the station"),
    P.HANDED_OVER: _l("handed over"),
    P.VERIFIED: _l("first call made"),
    P.EXPIRED: _l("half hour over"),
    P.CANCELLED: _l("cancelled"),
    P.REVOKED: _l("pledge ended"),
    P.REASSIGNED: _l("goes to another child"),
}


def alias(card: Card) -> str:
    return card.alias_en if language() == "en" else card.alias_zh


def sentence(shown: Tracking, card: Card) -> str:
    """What is true now, in one sentence."""
    name, state = alias(card), P.CANCELLED if shown.is_given_back else shown.pledge.state
    if shown.is_card_down and state not in {P.HANDED_OVER, P.VERIFIED}:
        return str(_("The child you chose is no longer on the list"))
    if shown.gets_another:
        return str(_("%(name)s's watch has to be replaced; another one comes", name=name))
    said = {
        P.HELD: _("%(name)s is kept for you until %(time)s", name=name, time=clock_time(shown)),
        P.PROVISIONAL: _("The bank is looking at your voucher for %(name)s", name=name),
        P.ON_HOLD: _("The bank is looking at your voucher for %(name)s", name=name),
        P.CONFIRMED: _("The bank says yes. A watch is being made ready for %(name)s", name=name),
        P.ALLOCATED: _("%(name)s's watch is on its way to the county's station", name=name)
        if shown.is_sent
        else _("%(name)s's watch is ready and about to be sent", name=name),
        P.AT_STATION: _("%(name)s's watch waits at the county's station", name=name),
        P.HANDED_OVER: _("%(name)s has the watch", name=name),
        P.VERIFIED: _("%(name)s has made the first call", name=name),
        P.EXPIRED: _("The half hour is over; %(name)s waits on the list again", name=name),
        P.CANCELLED: _("You have given it back; nothing was lost", name=name),
        P.REVOKED: _("This pledge has ended", name=name),
        P.REASSIGNED: _("The watch goes another way than to %(name)s", name=name),
    }
    return str(said[state])


def clock_time(shown: Tracking) -> str:
    return clock.local(shown.pledge.hold_until).strftime("%H:%M")


def stops(shown: Tracking, card: Card) -> list[Stop]:
    """The seven steps; a pledge that has ended shows how far it came."""
    behind = STEP_OF.get(shown.pledge.state, 1 + ("chosen" in shown.times) + ("confirmed" in shown.times))
    is_over = shown.pledge.state not in STEP_OF
    found = []
    for place, step in enumerate(STEPS):
        state = "done" if place < behind else "now" if place == behind and not is_over else "ahead"
        if step == "on_its_way" and shown.is_sent and shown.pledge.state is P.ALLOCATED:
            state = "now"
        title, text = words(step, shown, card, state)
        key = "handed_over" if step == "at_station" and "handed_over" in shown.times else step
        at = shown.times.get(key)
        when = local_datetime(at, language()) if at else (expected(step, shown) if not is_over else "")
        found.append(Stop(state, title, when, text))
    return found


def expected(step: str, shown: Tracking) -> str:
    return _("within %(num)s days of arriving", num=shown.programme.pickup_days) if step == "at_station" else ""


def words(step: str, shown: Tracking, card: Card, state: str) -> tuple[str, str]:
    """(title, a line of detail) of one step."""
    programme, in_english = shown.programme, language() == "en"
    partner = programme.partner_en if in_english else programme.partner_zh
    band = str(BANDS[shown.voucher.band]) if shown.voucher.band else ""
    number = _("%(partner)s, number ending in %(last4)s", partner=partner, last4=shown.voucher.last4)
    sent = (
        _("On its way to the county's station") if "on_its_way" in shown.times or state == "ahead" else _("About to be sent")
    )
    checked = short_date(programme.security_checked_on, language())
    return {
        "taken": (_("Voucher taken"), f"{number}{_(', ')}{band}" if band else number),
        "chosen": (
            _("Directed to one child") if shown.is_card_down else _("Directed to “%(name)s”", name=alias(card)),
            _("One of three cards, without name, picture or sex"),
        ),
        "confirmed": (
            _("The bank is looking") if state == "now" else _("The bank says: right"),
            _("Each voucher counts once"),
        ),
        "reserved": (
            _("A watch is being made ready") if state == "now" else _("A watch is reserved"),
            _("An approved model, security check of %(day)s", day=checked),
        ),
        "on_its_way": (sent, ""),
        "at_station": (
            _("Waits at the station") if state == "now" else _("Handed over at the station"),
            _("The guardian comes; a clerk and a witness are there"),
        ),
        "first_call": (_("The first call"), _("Only when the guardian says that it works is this done")),
    }[step]


def last_day(shown: Tracking) -> date | None:
    """Until when the guardian may fetch it."""
    at = shown.times.get("at_station")
    return reminders.last_day(at, shown.programme.pickup_days) if at else None
