"""SQL: what the packs of a line are called. Where its buyer took something else instead of all of them, like that."""

from typing import Final

from sqlalchemy import and_, func

from marketplace.orders.models import OrderLine
from marketplace.orders.receiving.models import Substitute
from marketplace.orders.receiving.states import SubstituteState

SENT_INSTEAD: Final = and_(
    Substitute.order_line_id == OrderLine.id,
    Substitute.packs == OrderLine.quantity,
    Substitute.state == SubstituteState.ACCEPTED,
)
"""To join by, outer: at most one of each line."""

NAMES: Final = tuple(
    func.coalesce(getattr(Substitute, name), getattr(OrderLine, name)).label(name)
    for name in ("title_zh", "title_en", "unit_zh", "unit_en")
)
