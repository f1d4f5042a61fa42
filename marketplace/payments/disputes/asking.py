"""What is disputed now is asked after by ourselves too: news may be lost, and payouts wait for the decision."""

import logging
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.payments.disputes import following
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import OPEN
from marketplace.payments.gateways import GatewayError, PaymentGateway


def ask_after_open(gateway: PaymentGateway) -> None:
    """Outside any transaction; what does not answer is asked again at the next run."""
    for remote_id in in_transaction(open_ones, gateway=gateway.name):
        try:
            told = gateway.fetch_dispute(remote_id)
        except (GatewayError, OSError) as error:
            logging.getLogger(__name__).warning("dispute %s of %s: %r", remote_id, gateway.name, error)
        else:
            in_transaction(following.apply, remote=told, gateway=gateway.name, why="asked again")


def open_ones(session: Session, *, gateway: str) -> Sequence[str]:
    standing = select(Dispute.remote_id).where(Dispute.gateway == gateway, Dispute.state.in_(sorted(OPEN)))
    return session.scalars(standing.order_by(Dispute.id)).all()
