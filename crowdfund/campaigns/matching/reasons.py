"""Why a match waits, in plain words for the person who decides. A pattern is no proof, and the words do not accuse."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _, ngettext

from crowdfund.campaigns.matching.suspicion import Reason, Why
from marketplace.core.formats import yuan


def in_words(reasons: Iterable[Reason]) -> list[str]:
    return [words_of(reason) for reason in reasons]


def words_of(reason: Reason) -> str:
    return str(with_figures(reason) or without_figures(Why(reason["code"])))


def with_figures(reason: Reason) -> Any:
    told: dict[str, Any] = {"sum": yuan(reason.get("fen", 0))}
    number = int(reason.get("givers", 0)) or int(reason.get("gifts", 0))
    match reason["code"]:
        case Why.TIED:
            return ngettext(
                "The same card or device gave under %(num)s other name; together they would get %(sum)s.",
                "The same card or device gave under %(num)s other names; together they would get %(sum)s.",
                number,
                **told,
            )
        case Why.CROWD:
            return ngettext(
                "%(num)s other giver on the same network came near the cap of a giver within a week; they have %(sum)s.",
                "%(num)s other givers on the same network came near the cap of a giver within a week; they have %(sum)s.",
                number,
                **told,
            )
        case Why.CAME_BACK:
            return ngettext(
                "%(num)s earlier gift of the same giver, card or device went back after it was matched.",
                "%(num)s earlier gifts of the same giver, card or device went back after they were matched.",
                number,
            )
    return None


def without_figures(code: Why) -> Any:
    return {
        Why.SPONSORS_CARD: _("Paid with the card that paid the fund in."),
        Why.SPONSORS_NETWORK: _("Given on the network on which the fund was paid in, and near the cap of a giver."),
        Why.INSIDER: _("The giver answers for the campaign or the fund, or works for its organisation or station."),
        Why.PROVIDER: _("The name is that of a provider whom the campaign pays."),
        Why.ECHO: _("The sum is, to the fen, what a provider of the campaign was paid shortly before."),
    }[code]
