"""Where partners' machines are told what happens: made, given a new secret, switched off and on, ended by their person."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import audit, clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.transitions import leave_trace, transition
from marketplace.notifications import signing
from marketplace.notifications.models import Endpoint
from marketplace.notifications.states import EndpointState

MOST: Final = 10
BOTH_SIGN_FOR: Final = timedelta(hours=24)


class EventKind(StrEnum):
    ORDER_PAID = "order.paid"
    PARCEL_SHIPPED = "parcel.shipped"
    PARCEL_DELIVERED = "parcel.delivered"
    REFUND_SUCCEEDED = "refund.succeeded"
    LISTING_PUBLISHED = "listing.published"
    CAMPAIGN_OPENED = "campaign.opened"
    CAMPAIGN_UPDATED = "campaign.updated"
    CAMPAIGN_CLOSED = "campaign.closed"
    GIFT_RECEIVED = "gift.received"
    GIFT_REFUNDED = "gift.refunded"
    DISBURSEMENT_MADE = "disbursement.made"
    DISBURSEMENT_REPAID = "disbursement.repaid"
    REPAYMENT_CORRECTED = "disbursement.repayment_corrected"
    EVIDENCE_ADDED = "disbursement.evidence_added"
    REPORT_PUBLISHED = "report.published"
    PRESALE_OPENED = "presale.opened"
    PRESALE_UPDATED = "presale.updated"
    PRESALE_CLOSED = "presale.closed"
    PLACE_CONFIRMED = "place.confirmed"
    PLACE_ORDERED = "place.ordered"
    PLACE_REFUNDED = "place.refunded"


WORDS: Final[dict[EventKind, LazyString]] = {
    EventKind.ORDER_PAID: _l("An order is paid"),
    EventKind.PARCEL_SHIPPED: _l("A parcel is with the courier"),
    EventKind.PARCEL_DELIVERED: _l("A parcel has arrived or was collected"),
    EventKind.REFUND_SUCCEEDED: _l("A refund has arrived"),
    EventKind.LISTING_PUBLISHED: _l("A listing is on sale"),
    EventKind.CAMPAIGN_OPENED: _l("A campaign is open"),
    EventKind.CAMPAIGN_UPDATED: _l("A campaign has news, or is paused or resumed"),
    EventKind.CAMPAIGN_CLOSED: _l("A campaign takes no more gifts"),
    EventKind.GIFT_RECEIVED: _l("A gift stands in the public ledger"),
    EventKind.GIFT_REFUNDED: _l("A gift goes back, as the public ledger has it"),
    EventKind.DISBURSEMENT_MADE: _l("A campaign has paid a provider"),
    EventKind.DISBURSEMENT_REPAID: _l("A provider has paid back"),
    EventKind.REPAYMENT_CORRECTED: _l("What a provider had paid back was not there after all"),
    EventKind.EVIDENCE_ADDED: _l("What proves a payment is there"),
    EventKind.REPORT_PUBLISHED: _l("A campaign's report is published"),
    EventKind.PRESALE_OPENED: _l("A presale is open"),
    EventKind.PRESALE_UPDATED: _l("A presale has news, reached its goal or is being sent"),
    EventKind.PRESALE_CLOSED: _l("A presale is over: sent, short of its goal, or not sent in time"),
    EventKind.PLACE_CONFIRMED: _l("A place in a presale is paid"),
    EventKind.PLACE_ORDERED: _l("A place in a presale is an order now"),
    EventKind.PLACE_REFUNDED: _l("A place in a presale is given back"),
}
TEST: Final = "test"


class TooManyEndpoints(Refusal):
    message = _l("You have ten addresses already. Please end one that is not used any more.")


class Made(NamedTuple):
    public_id: str
    secret: str


def make(session: Session, *, person_id: int, address: str, kinds: Collection[EventKind], has_second_factor: bool) -> Made:
    """A new endpoint and its secret, which is shown once. Raises TooManyEndpoints."""
    person = session.scalars(select(Person).where(Person.id == person_id).with_for_update()).one()
    living = select(func.count()).select_from(Endpoint).where(Endpoint.person_id == person_id)
    if (session.scalar(living.where(Endpoint.state != EndpointState.ENDED)) or 0) >= MOST:
        raise TooManyEndpoints(str(person_id))
    row = Endpoint(person_id=person_id, address=address, secret=signing.new_secret(), has_second_factor=has_second_factor)
    row.kinds = sorted(kind.value for kind in kinds)
    session.add(row)
    session.flush()
    leave_trace(session, row, None, EndpointState.ON, actor=f"person:{person_id}", why="made")
    record(session, person, row, "endpoint.made", kinds=" ".join(row.kinds))
    return Made(row.public_id, row.secret)


def get_own(session: Session, endpoint: str, person_id: int) -> Endpoint:
    """Locked. Raises NotFound for another's, and for one that was ended."""
    mine = select(Endpoint).where(Endpoint.public_id == endpoint, Endpoint.person_id == person_id)
    row = session.scalar(mine.where(Endpoint.state != EndpointState.ENDED).with_for_update())
    if row is None:
        raise NotFound(endpoint)
    return row


def replace_secret(session: Session, *, endpoint: str, person_id: int) -> Made:
    """Another secret, shown once; for a day the one before signs as well. Raises NotFound.

    Asked again within that day, it replaces the new one: the machine may still know the old one alone."""
    row = get_own(session, endpoint, person_id)
    if len(secrets_of(row)) == 1:
        row.old_secret, row.old_secret_until = row.secret, clock.now() + BOTH_SIGN_FOR
    row.secret = signing.new_secret()
    session.flush()
    record(session, session.get_one(Person, person_id), row, "endpoint.secret_replaced")
    return Made(row.public_id, row.secret)


def secrets_of(row: Endpoint) -> list[str]:
    """Those that sign now, the newest first."""
    is_old_one_good = row.old_secret is not None and row.old_secret_until is not None and row.old_secret_until > clock.now()
    return [row.secret, *([str(row.old_secret)] if is_old_one_good else [])]


def switch_on(session: Session, *, endpoint: str, person_id: int) -> None:
    """What waited is tried at once; what happened meanwhile was not written down for it. Raises NotFound, StaleState."""
    row = get_own(session, endpoint, person_id)
    rested = {"failures": 0, "failing_since": None, "rests_until": clock.now()}
    move(session, row, EndpointState.ON, EndpointState.OFF, person_id, "switched on", **rested)


def switch_off(session: Session, *, endpoint: str, person_id: int) -> None:
    """Raises NotFound, StaleState."""
    row = get_own(session, endpoint, person_id)
    move(session, row, EndpointState.OFF, EndpointState.ON, person_id, "switched off")


def end(session: Session, *, endpoint: str, person_id: int) -> None:
    """It is told nothing any more, for good. Raises NotFound."""
    row = get_own(session, endpoint, person_id)
    move(session, row, EndpointState.ENDED, row.state, person_id, "ended")
    record(session, session.get_one(Person, person_id), row, "endpoint.ended")


def move(
    session: Session, row: Endpoint, to: EndpointState, here: EndpointState, person_id: int, why: str, **also: Any
) -> None:
    transition(session, row, to, expected=here, actor=f"person:{person_id}", why=why, **also)


def of_person(session: Session, person_id: int) -> Sequence[Endpoint]:
    """Those that were not ended, the newest first."""
    mine = select(Endpoint).where(Endpoint.person_id == person_id, Endpoint.state != EndpointState.ENDED)
    return session.scalars(mine.order_by(Endpoint.id.desc())).all()


def record(session: Session, person: Person, row: Endpoint, action: str, **more: str) -> None:
    audit.record(session, actor=person.public_id, action=action, subject=f"endpoint:{row.public_id}", **more)
