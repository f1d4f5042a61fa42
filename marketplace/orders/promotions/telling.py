"""Promotions in words: their states, what they take off, and who bears that."""

from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.core.formats import yuan
from marketplace.orders.promotions.models import WHOLE_BPS, Promotion
from marketplace.orders.promotions.states import Kind, PromotionState as S, Scope

Words = tuple[LazyString, str]
STATES: Final[dict[S, Words]] = {
    S.DRAFT: (_l("Draft"), ""),
    S.SUBMITTED: (_l("Waits for approval"), "now"),
    S.LIVE: (_l("Running"), "give"),
    S.PAUSED: (_l("Paused"), "info"),
    S.ENDED: (_l("Over"), ""),
}
KINDS: Final[dict[Kind, LazyString]] = {
    Kind.AMOUNT: _l("A sum off"),
    Kind.PERCENT: _l("Per cent off"),
    Kind.FREE_SHIPPING: _l("Free shipping"),
}
SCOPES: Final[dict[Scope, LazyString]] = {
    Scope.ALL: _l("All goods"),
    Scope.STATION: _l("Goods of stations"),
    Scope.SELLER: _l("Goods of sellers"),
    Scope.CATEGORY: _l("Goods of categories"),
    Scope.LISTINGS: _l("These goods only"),
}
WHY: Final[dict[str, LazyString]] = {
    "made": _l("Written down"),
    "submitted": _l("Submitted"),
    "approved": _l("Approved"),
    "their own": _l("Started"),
    "paused": _l("Paused"),
    "resumed": _l("Going on"),
    "ended": _l("Ended by hand"),
    "used up": _l("Used up"),
    "its last day is over": _l("Its last day is over"),
}


def takes_off(row: Promotion) -> str:
    """In one sentence."""
    told = {"sum": yuan(row.amount_fen), "percent": row.percent, "most": yuan(row.most_fen or 0)}
    if row.kind is Kind.FREE_SHIPPING:
        said = _("Free shipping")
    elif row.kind is Kind.AMOUNT:
        said = _("%(sum)s off", **told)
    elif row.most_fen is None:
        said = _("%(percent)s%% off", **told)
    else:
        said = _("%(percent)s%% off, %(most)s at most", **told)
    if row.threshold_fen:
        said = _("%(what)s from %(sum)s of goods on", what=said, sum=yuan(row.threshold_fen))
    return str(said)


def bearers(row: Promotion) -> str:
    if row.seller_public_id or not row.platform_bps:
        return str(_("The seller bears all of it"))
    if row.platform_bps == WHOLE_BPS:
        return str(_("The province bears all of it"))
    share = f"{row.platform_bps // 100}%"
    return str(_("The province bears %(share)s of it, the seller the rest", share=share))


def why(text: str) -> str:
    return str(WHY.get(text, text))
