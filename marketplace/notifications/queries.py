"""What the pages of endpoints show: a fixed number of statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.core.errors import NotFound
from marketplace.notifications.models import Delivery, DeliveryTry, Endpoint
from marketplace.notifications.states import EndpointState

LATEST = 50


def endpoint(session: Session, public_id: str, person_id: int) -> Endpoint:
    """Raises NotFound for another's, and for one that was ended."""
    mine = select(Endpoint).where(Endpoint.public_id == public_id, Endpoint.person_id == person_id)
    row = session.scalar(mine.where(Endpoint.state != EndpointState.ENDED))
    if row is None:
        raise NotFound(public_id)
    return row


def deliveries(session: Session, endpoint_id: int) -> Sequence[Any]:
    """The latest, with the status of the last try and how many there were."""
    last = select(func.max(DeliveryTry.id)).where(DeliveryTry.delivery_id == Delivery.id).correlate(Delivery)
    number = select(func.count()).where(DeliveryTry.delivery_id == Delivery.id).correlate(Delivery).scalar_subquery()
    wanted = (
        select(Delivery.public_id, Delivery.kind, Delivery.state, Delivery.created_at, Delivery.next_at)
        .add_columns(DeliveryTry.status, DeliveryTry.trouble, number.label("tries"))
        .outerjoin(DeliveryTry, DeliveryTry.id == last.scalar_subquery())
        .where(Delivery.endpoint_id == endpoint_id)
        .order_by(Delivery.id.desc())
    )
    return session.execute(wanted.limit(LATEST)).all()


def delivery(session: Session, public_id: str, person_id: int) -> tuple[Delivery, Endpoint]:
    """Raises NotFound for another's."""
    mine = select(Delivery, Endpoint).join(Endpoint, Endpoint.id == Delivery.endpoint_id)
    mine = mine.where(Delivery.public_id == public_id, Endpoint.person_id == person_id)
    row = session.execute(mine.where(Endpoint.state != EndpointState.ENDED)).first()
    if row is None:
        raise NotFound(public_id)
    return row.Delivery, row.Endpoint


def tries(session: Session, delivery_id: int) -> Sequence[DeliveryTry]:
    """The latest first."""
    mine = select(DeliveryTry).where(DeliveryTry.delivery_id == delivery_id)
    return session.scalars(mine.order_by(DeliveryTry.id.desc()).limit(LATEST)).all()
