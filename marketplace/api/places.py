"""Places in presales by a program: taken under the rules of the page's own forms, paid by a person at the cashier's."""

from typing import Final

from flask_babel import get_locale, gettext as _
from sqlalchemy.orm import Session

from crowdfund.presales import backing, owned, returning, surveying
from crowdfund.presales.backing import Backer
from crowdfund.presales.forms import BackingForm, SurveyForm
from crowdfund.presales.queries import Place
from marketplace.accounts.models import Person
from marketplace.accounts.visitors import Visitor
from marketplace.api import paying
from marketplace.api.doors import Unfit, check, typed
from marketplace.api.place_schemas import (
    NewPlace,
    PlaceAddress,
    PlaceAnswer,
    PlacePaymentAnswer,
    PlacesAnswer,
    PlacesQuery,
)
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import SelectChoice
from marketplace.orders.placing import Recipient
from marketplace.orders.views.checkout import with_choices
from marketplace.payments import attempts

ENTERED: Final = {"tier": "#/tier", "contact": "#/contact", "shown_fen": "#/fen"}
WHERE_TO: Final = {
    "recipient": "#/recipient/name",
    **{name: f"#/recipient/{name}" for name in ("phone", "province", "city", "street")},
    "note": "#/note",
    "variant": "#/sku",
}


def backer_of(asked: NewPlace, person: Visitor) -> Backer:
    """Who is told how it goes on. Raises Unfit."""
    row = db.session.get_one(Person, person.id)
    contact = asked.contact or row.phone or row.email or ""
    form = BackingForm(typed(tier=asked.tier, contact=contact, shown_fen=asked.fen))
    check(form, ENTERED)
    return form.backer(person.id, str(get_locale()))


def make(session: Session, *, person: Visitor, presale: str, tier: str, fen: int, backer: Backer) -> PlaceAnswer:
    """Raises what `backing.begin` does."""
    made = backing.begin(session, presale=presale, tier=tier, shown_fen=fen, backer=backer)
    return show(session, person=person, place=made)


def page(session: Session, person: Visitor, asked: PlacesQuery) -> PlacesAnswer:
    found, older = owned.page(session, person.id, before=asked.before, size=asked.per_page)
    return PlacesAnswer(places=[answer(place) for place in found], next_before=older or None)


def show(session: Session, *, person: Visitor, place: str) -> PlaceAnswer:
    """Raises NotFound for another's."""
    return answer(owned.find(session, place, person.id))


def answer(place: Place) -> PlaceAnswer:
    row = place.row
    return PlaceAnswer(
        place=place.id,
        presale=place.presale,
        tier=place.tier_id,
        state=row.state.value,
        fen=row.fen,
        currency=row.currency,
        is_test=row.book == "test",
        pay_by=row.pay_by,
        is_asked=place.is_asked,
        is_address_known=row.answered_at is not None,
        send_by=place.send_by,
        order=row.order_number,
    )


def lead_to_cashier(*, person: Visitor, place: str) -> str:
    """Where this place is paid: the open attempt goes on, else one is opened. Outside a transaction.

    Raises NotFound, NotPayable, NotOpen, PaymentsClosed and what the gateway refuses."""
    mine = owned.find(db.session(), place, person.id)
    if not mine.may_be_paid:
        raise paying.NotPayable(place)

    def begin() -> str:
        return in_transaction(backing.pay_again, backing=mine.id)

    return paying.go_on(purpose=backing.PURPOSE, reference=mine.id, begin=begin, place=mine.url, description=mine.title)


def payment(session: Session, *, person: Visitor, place: str, url: str) -> PlacePaymentAnswer:
    mine = owned.find(session, place, person.id)
    current = attempts.current(session, purpose=backing.PURPOSE, reference=mine.id)
    if current is None:
        raise paying.NotPayable(place)
    row = mine.row
    is_test = row.book == "test"
    return PlacePaymentAnswer(
        place=place, state=current.state.value, fen=row.fen, currency=row.currency, is_test=is_test, url=url
    )


def where_to(session: Session, *, person: Visitor, place: str, asked: PlaceAddress) -> tuple[Recipient, str]:
    """By the rules of the page's own form. Raises NotFound, NothingAsked, Unfit."""
    mine = owned.find(session, place, person.id)
    if not mine.is_asked:
        raise surveying.NothingAsked(place)
    packs = [pack.code for pack in surveying.choices(session, mine.row.tier_id)]
    sent, chosen = asked.recipient, asked.sku or packs[0]
    if chosen not in packs:
        raise Unfit(("#/sku", _("Choose a pack.")))
    entered = {"recipient": sent.name, "phone": sent.phone, "province": sent.province, "city": sent.city}
    form = SurveyForm(typed(**entered, street=sent.street, note=asked.note, variant=chosen))
    form.variant.choices = [SelectChoice(code, code) for code in packs]
    check(with_choices(form), WHERE_TO)
    return form.whom, chosen


def say(session: Session, *, person: Visitor, place: str, recipient: Recipient, variant: str) -> PlaceAnswer:
    """Raises what `surveying.answer` does."""
    surveying.answer(session, backing_id=place, recipient=recipient, variant=variant)
    session.flush()
    return show(session, person=person, place=place)


def leave(session: Session, *, person: Visitor, place: str) -> PlaceAnswer:
    """Given up while the presale is open. Raises what `returning.leave` does."""
    owned.find(session, place, person.id)
    returning.leave(session, backing_id=place, actor=f"person:{person.id}")
    session.flush()
    return show(session, person=person, place=place)
