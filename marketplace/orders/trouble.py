"""Why a line of a cart cannot be ordered as it stands, in words that say what to do."""

from flask_babel import gettext as _

from marketplace.core.formats import count, language
from marketplace.orders.quoting import Quote, QuotedLine, Trouble


def explain(line: QuotedLine) -> str:
    """Empty for a line that can be ordered."""
    offer = line.offer
    match line.trouble:
        case Trouble.GONE:
            return str(_("Not for sale any more; please take it out."))
        case Trouble.SOLD_OUT:
            return str(_("Sold out; please take it out."))
        case Trouble.TOO_FEW_LEFT:
            return str(_("Only %(number)s left; please choose fewer.", number=count(offer.available)))
        case Trouble.BELOW_MINIMUM:
            return str(_("Sold from %(number)s packs on.", number=count(offer.minimum_quantity)))
    return ""


def first_of(quote: Quote) -> str:
    """The first troubled line of a cart, by its name; there is one."""
    line = quote.troubled_lines[0]
    offer = line.offer
    title = offer.title_en if language() == "en" and offer.title_en else offer.title_zh
    return str(_("%(title)s: %(why)s", title=title, why=explain(line)))
