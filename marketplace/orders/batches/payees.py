"""To whom money goes: a seller or a station names a bank account, and the province verifies it before anything is paid."""

import hmac

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Grant, Person
from marketplace.core import audit, clock, ids
from marketplace.core.db import insert_or_ignore
from marketplace.core.errors import NotFound, Refusal, StaleState
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind
from marketplace.orders.batches import at_gateway
from marketplace.orders.batches.models import PayoutAccount


class OtherNumber(Refusal):
    status = 422
    message = _l("This is not the number that the payee has entered. Ask them which one is right.")


class OwnPayee(Refusal):
    status = 403
    message = _l("This is your own account. Another person must look at it.")


def keep(session: Session, *, owner_kind: str, owner: str, holder: str, bank: str, number: str, person_id: int) -> bool:
    """From now on money goes there, once it is verified; False where that is how it stands already.

    Every change waits to be verified again, and a seller is told of it where they are reached."""
    account = own_account(session, owner_kind, owner)
    if (account.holder, account.bank, account.number) == (holder, bank, number):
        return False
    account.holder, account.bank, account.number, account.last4 = holder, bank, number, number[-4:]
    account.revision += 1
    account.changed_at, account.verified_at, account.verifier_id = clock.now(), None, None
    actor, subject = f"person:{person_id}", subject_of(account)
    audit.record(session, actor=actor, action="payee.changed", subject=subject, last4=account.last4)
    tell(session, account, person_id)
    return True


def own_account(session: Session, owner_kind: str, owner: str) -> PayoutAccount:
    """Locked; a first one is opened, empty."""
    empty = {"holder": "", "bank": "", "number": "", "last4": "", "revision": 0, "frozen_because": ""}
    new = {"public_id": ids.public_id(), "owner_kind": owner_kind, "owner": owner, "changed_at": clock.now()}
    insert_or_ignore(session, PayoutAccount, new | empty)
    wanted = select(PayoutAccount).where(PayoutAccount.owner_kind == owner_kind, PayoutAccount.owner == owner)
    return session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one()


def tell(session: Session, account: PayoutAccount, person_id: int) -> None:
    """Whoever has stolen a password should not be the only one to know."""
    person = session.get_one(Person, person_id)
    address = person.phone or person.email
    if address:
        words = _("The bank account for your payments has changed. If that was not you, call your station at once.")
        fact = f"payee:{account.public_id}:{account.revision}"
        messages.send(session, fact=fact, address=address, text=words, person_id=person_id, kind=MessageKind.SELLING)


def verify(session: Session, *, account: str, number: str, revision: int, person_id: int, last4_there: str = "") -> None:
    """The number was read once more, from a paper of the payee's bank, and typed without looking: it is the same.

    `revision`: which state of the account was looked at; `last4_there`: and which account at the gateway, if they are known
    there, for from now on it may pay them. Raises OtherNumber, OwnPayee, StaleState, NotFound."""
    row = hold(session, account)
    refuse_own(session, row, person_id)
    payee = at_gateway.payee_of(session, (row.owner_kind, row.owner), lock=True)
    if row.revision != revision or (payee.last4 if payee else "") != last4_there:
        raise StaleState(account)
    if not hmac.compare_digest(row.number.encode(), number.encode()):
        raise OtherNumber(account)
    row.verified_at, row.verifier_id = clock.now(), person_id
    audit.record(session, actor=f"person:{person_id}", action="payee.verified", subject=subject_of(row), revision=revision)


def freeze(session: Session, *, account: str, reason: str, person_id: int) -> None:
    """Nothing is paid there until it is released; what is owed stays owed. Raises NotFound."""
    row = hold(session, account)
    row.frozen_because = reason
    audit.record(session, actor=f"person:{person_id}", action="payee.frozen", subject=subject_of(row), why=reason)


def release(session: Session, *, account: str, person_id: int) -> None:
    """Raises OwnPayee, NotFound."""
    row = hold(session, account)
    refuse_own(session, row, person_id)
    row.frozen_because = ""
    audit.record(session, actor=f"person:{person_id}", action="payee.released", subject=subject_of(row))


def hold(session: Session, account: str) -> PayoutAccount:
    """The account, locked until the transaction ends. Raises NotFound."""
    wanted = select(PayoutAccount).where(PayoutAccount.public_id == account).with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(account)
    return found


def refuse_own(session: Session, account: PayoutAccount, person_id: int) -> None:
    """Raises OwnPayee for the account of this person, or of a station where they have a role."""
    mine = select(Grant.id).where(
        Grant.person_id == person_id, Grant.scope_kind == "station", Grant.scope_id == account.owner
    )
    is_own = account.owner_kind == "seller" and account.owner == session.get_one(Person, person_id).public_id
    if is_own or (account.owner_kind == "station" and session.scalar(mine.limit(1)) is not None):
        raise OwnPayee(account.public_id)


def subject_of(account: PayoutAccount) -> str:
    return f"{account.__tablename__}:{account.public_id}"
