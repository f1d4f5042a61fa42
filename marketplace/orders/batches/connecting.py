"""A seller or a station lets the gateway know who they are, so that it can pay them itself."""

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import audit
from marketplace.core.db import in_transaction
from marketplace.core.errors import Refusal
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.batches import queries
from marketplace.orders.batches.owed import Owner
from marketplace.orders.batches.payees import subject_of
from marketplace.payments.transfers import payees
from marketplace.payments.transfers.asking import PayeeStatus


class NoAccountYet(Refusal):
    message = _l("Enter your bank account first.")


def connect(*, owner: Owner, person_id: int, return_url: str) -> PayeeStatus:
    """What the gateway says of them, with the address of its page as long as it wants to know more.

    Outside any transaction. Raises NoAccountYet, NotSupported, PaymentsClosed, and GatewayError without an answer."""
    in_transaction(note, owner=owner, person_id=person_id)
    return payees.connect(owner_kind=owner[0], owner=owner[1], return_url=return_url)


def note(session: Session, *, owner: Owner, person_id: int) -> None:
    """Whoever has stolen a password should not be the only one to know: told once for each state of the bank account."""
    account = queries.account_of(session, owner)
    if account is None:
        raise NoAccountYet(owner[1])
    audit.record(session, actor=f"person:{person_id}", action="payee.connecting", subject=subject_of(account))
    person = session.get_one(Person, person_id)
    if address := person.phone or person.email:
        words = _("Payments to you through the payment provider are being set up. If that was not you, call your station.")
        fact = f"payee:{account.public_id}:{account.revision}:provider"
        messages.send(session, fact=fact, address=address, text=words, person_id=person_id, kind=MessageKind.SELLING)
