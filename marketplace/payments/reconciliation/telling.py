"""Both sides learn what did not reach them: we the events whose webhooks were lost, the gateway what our bank has paid."""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.payments import inbox
from marketplace.payments.gateways import BadPayload, GatewayError, PaymentGateway
from marketplace.payments.reconciliation.proof import unpaid_out

PAGE: Final = 100


def hear_what_was_lost(gateway: PaymentGateway, *, since: datetime) -> int:
    """Events that concern us and never came by the door wait in the inbox from now on; returns how many.

    Outside any transaction."""
    told, kept = iter(gateway.events_since(since)), 0
    while page := list(islice(told, PAGE)):
        kept += in_transaction(keep_events, gateway=gateway, page=page)
    return kept


def keep_events(session: Session, *, gateway: PaymentGateway, page: Sequence[bytes]) -> int:
    return sum(keep_event(session, gateway, raw) for raw in page)


def keep_event(session: Session, gateway: PaymentGateway, raw: bytes) -> bool:
    try:
        notice = gateway.read_webhook(raw)
    except BadPayload as error:
        logging.getLogger(__name__).warning("an event of %s cannot be read: %s", gateway.name, error)
        return False
    concerns_us = notice.concerns != "nothing we know" and notice.book == gateway.book
    return concerns_us and inbox.keep(session, gateway=gateway.name, notice=notice, raw=raw)


def tell_what_was_paid_out(gateway: PaymentGateway) -> None:
    """The key is that of the ledger's entry, so that telling it again changes nothing. Outside any transaction."""
    if not gateway.pays_out:
        return
    last = ""
    while waiting := in_transaction(untold, gateway=gateway, after=last):
        for entry in waiting:
            tell(gateway, entry)
        last = waiting[-1].key


def untold(session: Session, *, gateway: PaymentGateway, after: str) -> Sequence[Any]:
    return unpaid_out(session, gateway, after, PAGE)


def tell(gateway: PaymentGateway, entry: Any) -> None:
    try:
        gateway.pay_out(Money(-entry.amount, entry.commodity), key=entry.key)
    except GatewayError as error:  # named as missing until it is told
        logging.getLogger(__name__).error("%s cannot be told of %s: %r", gateway.name, entry.key, error)
