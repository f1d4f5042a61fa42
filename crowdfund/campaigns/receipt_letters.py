"""Whoever holds a receipt that is no longer valid is told which one takes its place, in their own language, once.

A gift's giver hears it where they left an address, a year's by their account's. Of money that goes back tells
`return_letters`."""

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import return_letters, shown_receipts
from crowdfund.campaigns.models import Contribution
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.receipt_models import Receipt
from crowdfund.campaigns.states import ReceiptState
from crowdfund.campaigns.yearly.models import ReceiptYear
from marketplace.accounts.models import Person
from marketplace.core.db import in_transaction
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind


def tell(*, receipt: str) -> None:
    """The listener of `receipt.replaced`, with the number of the one before."""
    in_transaction(write, receipt=receipt)


def write(session: Session, *, receipt: str) -> None:
    """Nothing where that one has been replaced or voided meanwhile: the next letter says what is valid."""
    old = session.scalars(select(Receipt).where(Receipt.public_id == receipt)).one()
    after = shown_receipts.later(old).scalar_subquery()
    new = session.scalar(select(Receipt).where(Receipt.public_id == after, Receipt.state == ReceiptState.ISSUED))
    if new is None:
        return
    if new.year_id is None:
        write_of_gift(session, old.public_id, new)
    else:
        write_of_year(session, old.public_id, new, new.year_id)


def write_of_gift(session: Session, old: str, new: Receipt) -> None:
    def words(_gift: object, told: dict[str, str]) -> str:
        text = _(
            "Receipt %(old)s for your gift to “%(title)s” is no longer valid. Receipt %(number)s over %(sum)s takes its "
            "place: %(url)s",
            old=old,
            number=new.public_id,
            **told,
        )
        return str(text)

    wanted = return_letters.columns().join(Receipt, Receipt.contribution_id == Contribution.id).add_columns(Receipt.fen)
    row = session.execute(wanted.where(Receipt.id == new.id)).first()
    if row is not None:
        return_letters.send(session, row, fact_of(new), words)


def write_of_year(session: Session, old: str, new: Receipt, year: int) -> None:
    """In the language in which they gave last."""
    of = session.get_one(ReceiptYear, year)
    giver = session.get_one(Person, of.person_id)
    spoken = (
        select(Contribution.language).where(Contribution.person_id == giver.id).order_by(Contribution.id.desc()).limit(1)
    )
    with speaking(session.scalars(spoken).one()):
        text = _(
            "Receipt %(old)s for %(year)s is no longer valid. Receipt %(number)s over %(sum)s takes its place: %(url)s",
            old=old,
            year=of.year,
            number=new.public_id,
            sum=yuan(new.fen),
            url=links.absolute(f"/account/gifts/years/{of.year}"),
        )
    messages.tell(session, giver, fact=fact_of(new), text=text, kind=MessageKind.GIFTS)


def fact_of(new: Receipt) -> str:
    return f"receipt_replaced:{new.public_id}"
