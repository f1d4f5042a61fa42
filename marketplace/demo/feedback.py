"""What buyers of the demonstration said of what had arrived by an evening, and what others asked, by the real commands.

reviews.csv says what is said of a product, one row for each of its buyers in turn; questions.csv who asked what when."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from listings.customer_reviews import answering, appealing, moderating
from listings.customer_reviews.finding import EVERYWHERE
from listings.customer_reviews.models import CustomerReview
from listings.customer_reviews.states import Reason
from listings.customer_reviews.writing import Said
from listings.models import Listing
from listings.questions import answering as question_answers, asking
from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.demo.people import ids_of, person_id
from marketplace.demo.tables import Row, read
from marketplace.orders.models import Order, OrderLine, Parcel
from marketplace.orders.received import reviewing
from marketplace.orders.received.lines import is_received

Deed = tuple[datetime, Callable[[], None]]
DAYS: Final = 33
EVENING: Final = time(19, 30)
SOON: Final = timedelta(minutes=20)


def deeds() -> list[Deed]:
    """(when, what): each evening that is over, and each question."""
    words: dict[str, list[Row]] = defaultdict(list)
    for row in read("reviews"):
        words[row["product"]].append(row)
    days = (clock.today() - timedelta(days=ago) for ago in range(DAYS))
    evenings = [datetime.combine(day, EVENING, clock.SHANGHAI) for day in days]
    past = [moment for moment in evenings if moment + SOON <= clock.now()]
    found: list[Deed] = [(moment, partial(in_transaction, review, words)) for moment in past]
    return found + [(asked_at(row), partial(in_transaction, ask, row)) for row in read("questions")]


def asked_at(row: Row) -> datetime:
    return clock.now() - timedelta(days=int(row["days_ago"]), hours=2)


def review(session: Session, words: dict[str, list[Row]]) -> None:
    """Whoever has something about which there are words left says them."""
    wanted = select(Order.number, OrderLine.public_id, OrderLine.listing_code)
    wanted = wanted.join(Parcel, Parcel.id == OrderLine.parcel_id).join(Order, Order.id == Parcel.order_id)
    written = select(CustomerReview.id).where(CustomerReview.order_line == OrderLine.public_id)
    counted = select(Listing.code, func.count()).join(CustomerReview, CustomerReview.listing_id == Listing.id)
    spoken: dict[str, int] = {row[0]: row[1] for row in session.execute(counted.group_by(Listing.code))}
    arrived = session.execute(wanted.where(is_received(), ~written.exists()).order_by(OrderLine.id)).all()
    for number, line, product in arrived:
        place = spoken.get(product, 0)
        if place < len(words.get(product, ())):
            write(session, number, line, words[product][place])
            spoken[product] = place + 1


def write(session: Session, number: str, line: str, row: Row) -> None:
    said = Said(int(row["stars"]), row["words"])
    name = reviewing.write(session, number=number, line=line, said=said, actor="guest")
    written = session.scalars(select(CustomerReview).where(CustomerReview.public_id == name)).one()
    theirs: dict[str, Any] = {"review": name, "seller_id": written.seller_id, "actor": f"person:{written.seller_id}"}
    with clock.at(clock.now() + SOON):
        if row["answer"]:
            answering.answer(session, **theirs, words=row["answer"])
        if row["then"] == "reported":
            answering.report(session, **theirs, reason=Reason.OFF_TOPIC)
        if row["then"] == "hidden":
            who = clerk_of(session, written.station_code)
            moderating.hide(session, review=name, reach=EVERYWHERE, reason=Reason.NAMES_SOMEBODY, person_id=who)
            words = "我写的是自己的名字，没写别人"
            appealing.ask(session, review=name, reach=EVERYWHERE, words=words, actor="guest")


def clerk_of(session: Session, station: str) -> int:
    return session.scalars(select(Person.id).where(Person.public_id == person_id(f"clerk.{station}"))).one()


def ask(session: Session, row: Row) -> None:
    who = person_id(row["asker"])
    asker = ids_of(session, [who])[who]
    name = session.get_one(Person, asker).name
    said: dict[str, Any] = {"code": row["product"], "asker_id": asker, "asker_name": name}
    question = asking.ask(session, **said, language="zh_CN", words=row["words"])
    if not row["answer"]:
        return
    listing = session.scalars(select(Listing).where(Listing.code == row["product"])).one()
    told: dict[str, Any] = {"question": question, "words": row["answer"]}
    with clock.at(clock.now() + SOON):
        if row["answered_by"] == question_answers.STATION:
            where: dict[str, Any] = {"station": listing.station_code, "person_id": clerk_of(session, listing.station_code)}
            question_answers.answer_for_seller(session, **told, **where)
        else:
            question_answers.answer_as_seller(session, **told, seller_id=listing.seller_id)
