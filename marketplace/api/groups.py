"""Groups that buy together, for programs: the same figures as the pages."""

from sqlalchemy.orm import Session

from marketplace.api import queries
from marketplace.api.group_schemas import GroupAnswer, GroupsAnswer
from marketplace.orders.groups import queries as group_queries
from marketplace.orders.groups.queries import Group


def group(session: Session, public_id: str) -> GroupAnswer:
    """One statement. Raises NotFound."""
    return shown(group_queries.find(session, public_id))


def of_listing(session: Session, sku: str) -> GroupsAnswer:
    """Raises NotFound for what is not in the shop."""
    queries.listing(session, sku)
    items = [shown(each) for each in group_queries.open_ones(session, sku)]
    return GroupsAnswer(total=len(items), items=items)


def shown(each: Group) -> GroupAnswer:
    return GroupAnswer(
        id=each.public_id,
        sku=each.listing,
        variant=each.variant,
        title=each.title,
        unit=each.unit,
        state=each.state.value,
        price_fen=each.price_fen,
        alone_price_fen=each.alone_fen,
        threshold_packs=each.threshold,
        paid_packs=each.paid,
        left_packs=each.left,
        most_per_member=each.most_per_member,
        closes_at=each.closes_at,
        can_be_joined=each.can_be_joined,
        url=f"/groups/{each.public_id}",
    )
