"""Why a line of a cart cannot be ordered as it stands, in words that say what to do."""

from flask_babel import gettext as _

from marketplace.core.formats import count, language
from marketplace.orders.quoting import Quote, QuotedLine, Trouble


def explain(line: QuotedLine) -> str:
    """Empty for a line that can be ordered."""
    offer = line.offer
    match line.trouble:
        case Trouble.GONE:
            return str(_("No longer for sale. Please remove it."))
        case Trouble.SOLD_OUT:
            return str(_("Sold out. Please remove it."))
        case Trouble.TOO_FEW_LEFT:
            return str(_("Only %(number)s left. Please choose fewer.", number=count(offer.available)))
        case Trouble.BELOW_MINIMUM:
            return str(_("Minimum %(number)s packs.", number=count(offer.minimum_quantity)))
    return ""


def first_of(quote: Quote) -> str:
    """The first troubled line of a cart, by its name; there is one."""
    line = quote.troubled_lines[0]
    offer = line.offer
    title = offer.title_en if language() == "en" and offer.title_en else offer.title_zh
    return str(_("%(title)s: %(why)s", title=title, why=explain(line)))
