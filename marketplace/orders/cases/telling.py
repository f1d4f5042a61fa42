"""Cases in plain words, for whoever reads them: the same facts, each said from where the reader stands."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l, ngettext

from listings import measures
from marketplace.core.formats import language, local_datetime, weight, yuan
from marketplace.core.records import record
from marketplace.core.timeline import Stop
from marketplace.orders.cases.queries import CaseRow, ShownCase
from marketplace.orders.cases.returning import NEVER_BROUGHT
from marketplace.orders.cases.rules import Bearer, Condition, Kind, Wish
from marketplace.orders.cases.states import AppealState, CaseState as C, Party
from marketplace.orders.kept import ByBank
from marketplace.payments.states import RefundState

KINDS: Final[dict[Kind, LazyString]] = {
    Kind.DAMAGED: _l("Damaged or bad"),
    Kind.WRONG: _l("Not what I ordered"),
    Kind.MISSING: _l("Too few, or missing"),
    Kind.UNWANTED: _l("I changed my mind"),
}
WISHES: Final[dict[Wish, LazyString]] = {
    Wish.REFUND: _l("My money back"),
    Wish.EXCHANGE: _l("The same goods once more"),
}
CONDITIONS: Final[dict[Condition, LazyString]] = {
    Condition.AS_SOLD: _l("As they were sold"),
    Condition.OPENED: _l("Opened or used"),
    Condition.BAD: _l("Damaged or bad"),
}
BEARERS: Final[dict[Bearer, LazyString]] = {
    Bearer.EACH: _l("Refund: grower and station each give back their share"),
    Bearer.SELLER: _l("Refund: the grower bears all of it"),
    Bearer.STATION: _l("Refund: the station bears all of it"),
    Bearer.PLATFORM: _l("Refund: the province bears it, from its operating grant"),
}
BORNE: Final[dict[Bearer, LazyString]] = {
    Bearer.EACH: _l("Grower and station each give back their share."),
    Bearer.SELLER: _l("The grower bears the refund."),
    Bearer.STATION: _l("The station bears the refund."),
    Bearer.PLATFORM: _l("The province bears the refund."),
}
STATES: Final[dict[C, tuple[LazyString, str]]] = {
    C.REQUESTED: (_l("Waiting for the station"), "now"),
    C.APPROVED: (_l("To be brought back"), "info"),
    C.REJECTED: (_l("Not agreed"), ""),
    C.REFUNDED: (_l("Refunded"), "give"),
    C.GOODS_RETURNED: (_l("Brought back"), "now"),
    C.EXCHANGED: (_l("Exchanged"), "give"),
    C.CANCELLED: (_l("Case closed"), ""),
}
WITH_THE_PROVINCE: Final = (_l("With the province"), "urgent")
TITLES: Final[dict[str, LazyString]] = {
    C.REQUESTED: _l("Reported"),
    C.APPROVED: _l("The station agreed to a return"),
    C.REJECTED: _l("Not agreed"),
    C.REFUNDED: _l("Refunded"),
    C.GOODS_RETURNED: _l("The station has the goods"),
    C.EXCHANGED: _l("A replacement is on its way"),
    C.CANCELLED: _l("Closed without a return"),
    AppealState.ASKED: _l("The province was asked"),
    AppealState.GRANTED: _l("The province decided: refund"),
    AppealState.LEFT: _l("The province decided: it stays as it is"),
}
ASKED_BY: Final[dict[Party, LazyString]] = {
    Party.BUYER: _l("The buyer asked the province."),
    Party.SELLER: _l("The grower asked the province."),
    Party.STATION: _l("The station asked the province."),
    Party.DEADLINE: _l("The station did not answer within 48 hours, so the province decides."),
}


@record
class Standing:
    words: LazyString
    kind: str  # of the tag


def standing(case: CaseRow | ShownCase) -> Standing:
    """Whatever was decided on the way: who waits for the province, and whose money has gone back, is told that."""
    if case.is_with_the_province or case.is_owed:
        return Standing(*WITH_THE_PROVINCE)
    return Standing(*STATES[C.REFUNDED if case.is_refunded else case.state])


def answer(text: str) -> str:
    """What was said to a decision; what the program wrote by itself in the reader's language."""
    return str(_("The goods were not brought back in time.")) if text == NEVER_BROUGHT else text


def timeline(case: ShownCase) -> list[Stop]:
    """What happened when, as templates/ui/timeline.html wants it."""
    last = len(case.events) - 1
    stops = []
    for number, event in enumerate(case.events):
        is_now = number == last and (case.row.is_open or case.is_with_the_province)
        at = local_datetime(event.at, language())
        stops.append(Stop("now" if is_now else "done", str(TITLES[event.to_state]), at, text=earlier_words(case, number)))
    return stops


def earlier_words(case: ShownCase, number: int) -> str:
    """What was said to a step that others followed, as what a station saw of goods that were exchanged afterwards.

    The case itself keeps the answer to its last step, which stands below. Without words a step's reason is the kind."""
    event, row = case.events[number], case.row
    is_said = event.subject.startswith("after_sales_case:") and event.from_state and event.why != row.kind
    return answer(event.why) if is_said and event.why != row.answer and not row.is_automatic else ""


def next_for_buyer(shown: ShownCase) -> str:
    """What the buyer may expect, or has to do."""
    row, refund = shown.row, shown.refund
    if shown.is_with_the_province:
        return str(_("The province looks at it and decides. You need not do anything."))
    if refund is not None and refund.state is RefundState.FAILED:
        return str(_("It did not get through. We are looking into it; you need not do anything."))
    if shown.by_bank is not None:
        return after_bank(shown.by_bank)
    told = {"station": station_name(shown), "time": local_datetime(row.decide_by, language())}
    match row.state:
        case C.REQUESTED:
            return str(_("%(station)s answers by %(time)s. If it does not, the province decides.", **told))
        case C.APPROVED if row.return_by:
            told["time"] = local_datetime(row.return_by, language())
            return str(_("Bring or send the goods to %(station)s by %(time)s, with the order number on the box.", **told))
        case C.GOODS_RETURNED:
            wish = WISHES[row.wish]
            return str(_("%(station)s has them. By %(time)s you get: %(wish)s.", **told, wish=wish))
        case C.REFUNDED | C.EXCHANGED if refund is not None and (row.state is C.REFUNDED or shown.is_granted):
            return str(_("%(sum)s goes back to where you paid from.", sum=yuan(refund.fen)))
        case C.EXCHANGED if refund is not None:
            return str(_("The replacement did not come, so %(sum)s is refunded.", sum=yuan(refund.fen)))
        case C.EXCHANGED:
            return str(_("The same goods are sent once more. You pay nothing."))
    return str(_("%(sum)s goes back to where you paid from.", sum=yuan(refund.fen))) if refund else ""


def after_bank(paid: ByBank) -> str:
    """Where a bank has paid, and where it took that back after all."""
    if paid.owed_fen:
        owed = yuan(paid.owed_fen)
        return str(
            _("Your bank has taken its money back. The province refunds you %(sum)s; you need not do anything.", sum=owed)
        )
    if not paid.is_with_buyer and paid.refunded_fen:
        return str(_("%(sum)s goes back to where you paid from.", sum=yuan(paid.refunded_fen)))
    return str(_("Your bank has already given you the money back, so it is not refunded once more."))


def goods(shown: ShownCase) -> str:
    """What a case is about, in one line: packs, and how much of them is bad where that is said by weight."""
    row, line = shown.row, shown.line
    packs = f"{line.title_en if language() == 'en' and line.title_en else line.title_zh} × {row.quantity}"
    return str(_("%(packs)s, %(part)s of it bad", packs=packs, part=bad_of(shown))) if row.is_in_part else packs


def bad_of(shown: ShownCase) -> str:
    """How much is bad where that is not all: 1.5斤, 2枚."""
    if shown.row.spoiled_pieces:
        return pieces(shown.row.spoiled_pieces, shown.line.unit_zh)
    return weight(shown.row.spoiled_grams or 0, language())


def pieces(number: int, unit: str) -> str:
    """So many of what a pack holds: 2枚, 2 pieces."""
    if language() == "en":
        return str(ngettext("%(num)d piece", "%(num)d pieces", number))
    return f"{number}{measures.read(unit).word}"


def station_name(case: ShownCase) -> str:
    return case.station.name_en if language() == "en" else case.station.name_zh
