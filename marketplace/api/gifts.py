"""Gifts by a program: begun under the rules of the gift form, paid by a person at the cashier's, followed to the invoice."""

from decimal import Decimal
from typing import Final

from flask_babel import get_locale, gettext as _
from sqlalchemy.orm import Session

from crowdfund.campaigns import disputed, given, giving, receipts
from crowdfund.campaigns.forms import GiftForm
from crowdfund.campaigns.given import Given
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.states import ContributionState
from crowdfund.campaigns.whereabouts import queries as whereabouts
from marketplace.accounts.visitors import Visitor
from marketplace.api import paying
from marketplace.api.doors import Unfit, check, typed
from marketplace.api.gift_schemas import (
    GiftAnswer,
    GiftMade,
    GiftPart,
    GiftPaymentAnswer,
    NewGift,
    OwnGift,
    OwnGiftsAnswer,
    OwnGiftsQuery,
)
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.payments import attempts
from marketplace.payments.gateways import current_book

PLACES: Final = {
    "amount": "#/fen",
    **{name: f"#/{name}" for name in ("name", "anonymity", "message", "contact", "team")},
    "honoured": "#/honour/name",
    "card_words": "#/honour/words",
    "card_contact": "#/honour/email",
}


def entered(asked: NewGift, *, how_often: str = "once") -> GiftForm:
    """What was sent, by the rules of the page's own form. Raises Unfit, also for an unusually large sum that was not
    repeated: no program gives a thousand times what its person meant."""
    honour = asked.honour
    form = GiftForm(
        typed(
            amount=f"{Decimal(asked.fen) / 100:.2f}",
            how_often=how_often,
            **{name: getattr(asked, name) for name in ("name", "anonymity", "message", "contact", "team")},
            honoured=honour.name if honour else "",
            card_words=honour.words if honour else "",
            card_contact=honour.email if honour else "",
            sure_of=f"{how_often}:{asked.sure_of_fen}" if asked.sure_of_fen else "",
        )
    )
    check(form, PLACES)
    if form.is_unusual:
        raise Unfit(("#/sure_of_fen", _("This is an unusually large gift. Send its sum here once more if it is meant.")))
    return form


def make(session: Session, *, campaign: str, fen: int, giver: Giver) -> GiftMade:
    """Raises what `giving.begin` does."""
    gift = giving.begin(session, campaign=campaign, amount=Money(fen), giver=giver)
    is_test = current_book() == "test"
    return GiftMade(gift=gift, campaign=campaign, state="pending", fen=fen, currency="CNY", is_test=is_test)


def giver_of(form: GiftForm, person: Visitor) -> Giver:
    return form.giver(person.id, str(get_locale()))


def page(session: Session, person: Visitor, asked: OwnGiftsQuery) -> OwnGiftsAnswer:
    found, older = given.page_of_person(session, person.id, before=asked.before, size=asked.per_page)
    shown = [
        OwnGift(
            gift=gift.id,
            campaign=gift.campaign,
            state=gift.state.value,
            fen=gift.fen,
            is_test=gift.book == "test",
            created_at=gift.created_at,
        )
        for gift in found
    ]
    return OwnGiftsAnswer(gifts=shown, next_before=older or None)


def show(session: Session, *, person: Visitor, gift: str) -> GiftAnswer:
    """A gift of this person: its row, its receipt, and where each fen of it is. Raises NotFound for another's."""
    mine = given.find_own(session, gift, person.id)
    line = given.line_of(session, mine) if mine.state is ContributionState.RECEIVED else None
    where = whereabouts.of_gift(session, mine.id) if line else None
    receipt = receipts.of(session, contribution=mine.id)
    return GiftAnswer(
        gift=mine.id,
        campaign=mine.campaign,
        state=mine.state.value,
        fen=mine.fen,
        currency="CNY",
        is_test=mine.book == "test",
        plan=mine.plan or None,
        shown_as=mine.shown_as,
        created_at=mine.created_at,
        number=line.number if line else None,
        hash=(line.code or None) if line else None,
        receipt=receipt[0] if receipt else None,
        is_disputed=line is not None and disputed.is_open(session, contribution=mine.id),
        back_fen=where.back_fen if where else 0,
        left_fen=where.left_fen if where else 0,
        parts=[part(each) for each in where.parts] if where else [],
        url=mine.url,
    )


def part(paid: whereabouts.Part) -> GiftPart:
    return GiftPart(
        fen=paid.fen, what=paid.what, provider=paid.provider, invoice_number=paid.invoice, disbursement=paid.payment
    )


def lead_to_cashier(*, person: Visitor, gift: str) -> str:
    """Where this gift is paid: the open attempt goes on, else one is opened. Outside a transaction.

    Raises NotFound, NotPayable, NotOpen, GoalReached, LessIsNeeded, PaymentsClosed and what the gateway refuses."""
    mine = given.find_own(db.session(), gift, person.id)
    if not mine.may_be_paid:
        raise paying.NotPayable(gift)

    def begin() -> str:
        return in_transaction(giving.pay_again, gift=mine.id, purpose=mine.purpose)

    how = {"purpose": mine.purpose, "reference": mine.id, "place": mine.url, "description": mine.title}
    return paying.go_on(**how, begin=begin, for_later=bool(mine.plan))


def payment(session: Session, *, person: Visitor, gift: str, url: str) -> GiftPaymentAnswer:
    mine: Given = given.find_own(session, gift, person.id)
    current = attempts.current(session, purpose=mine.purpose, reference=mine.id)
    if current is None:
        raise paying.NotPayable(gift)
    return GiftPaymentAnswer(
        gift=mine.id, state=current.state.value, fen=mine.fen, currency="CNY", is_test=mine.book == "test", url=url
    )
