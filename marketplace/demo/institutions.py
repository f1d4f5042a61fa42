"""One canteen that pays by the month, through the real commands: a statement paid, one open, a claim to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from listings import offers
from marketplace.core import clock
from marketplace.core.db import in_transaction
from marketplace.demo import journeys
from marketplace.demo.cashier import pay_at_cashier
from marketplace.demo.people import ids_of, person_id
from marketplace.orders import carts, placing, settlement, shipping
from marketplace.orders.carts import CartOwner
from marketplace.orders.institutions import billing, checking, invoicing, keeping, paying_bills
from marketplace.orders.institutions.models import AccountOrder, AccountStatement, GoodsCheck, Institution
from marketplace.orders.institutions.states import InstitutionState
from marketplace.orders.models import Order, Parcel
from marketplace.orders.placing import Recipient
from marketplace.orders.promotions import choosing
from marketplace.orders.promotions.choosing import Buyer
from marketplace.orders.quoting import quote
from marketplace.payments.sandbox.gateway import SandboxCashier

Deed = tuple[datetime, Callable[[], None]]
CANTEEN: Final = {
    "name": "太原示例小学食堂",
    "credit_code": "12140100DEMA00417Y",  # belongs to nobody; its check character is right
    "kind": "canteen",
    "place": "太原市小店区",
    "contact": "许桂香",
    "phone": "13800001417",
    "invoice_title": "太原示例小学",
}
WHERE: Final = Recipient("许桂香", "13800001417", "140000", "太原 小店区", "示例街 66 号 学校食堂")
STATION: Final = "141124"
PAID, OPEN, TO_ANSWER, UNDER_WAY = (
    (("P0336-1", 8), ("P0339-1", 4)),
    (("P0336-1", 6), ("P0338-1", 5)),
    (("P0339-1", 6),),
    (("P0336-1", 10),),
)
MONTH: Final = 28  # a day that every month has


@dataclass
class Story:
    """What later deeds need of earlier ones."""

    cashier: SandboxCashier
    institution: str = ""
    person: int = 0
    finance: int = 0


def deeds(cashier: SandboxCashier) -> list[Deed]:
    """(when, what)."""
    story, last = Story(cashier), last_statement_day()
    before = (last - timedelta(days=MONTH + 3)).replace(day=last.day)
    began = morning(before) - timedelta(days=14)
    found: list[Deed] = [(began, partial(admit, story, last.day))]
    found += bought(story, PAID, morning(before) - timedelta(days=9), lacks=0)
    found += [(morning(before), partial(bill, story)), (morning(before) + timedelta(days=4), partial(pay, story))]
    found += bought(story, OPEN, morning(last) - timedelta(days=9), lacks=1)
    found += [(morning(last), partial(bill, story)), (morning(last) + timedelta(hours=7), partial(invoice, story))]
    now = clock.now()
    found += bought(story, TO_ANSWER, now - timedelta(hours=60), lacks=1, is_answered=False)
    return [*found, (now - timedelta(hours=2), lambda: put_on_account(story))]


def last_statement_day() -> date:
    """Three days ago, or a little earlier: a day that every month has."""
    day = clock.today() - timedelta(days=3)
    return day.replace(day=min(day.day, MONTH))


def morning(day: date) -> datetime:
    return datetime.combine(day, time(6), clock.SHANGHAI)


def admit(story: Story, day: int) -> None:
    in_transaction(begin, story=story, day=day)


def begin(session: Session, *, story: Story, day: int) -> None:
    """Applied for by its payer, admitted and given a limit by the province."""
    ids = ids_of(session, [person_id(name) for name in ("canteen", "operator2")])
    story.person, story.finance = ids[person_id("canteen")], ids[person_id("operator2")]
    story.institution = keeping.apply(session, person_id=story.person, facts=CANTEEN)
    given: dict[str, Any] = {"institution": story.institution, "person_id": story.finance}
    keeping.decide(session, **given, to=InstitutionState.ACTIVE, why="")
    keeping.set_terms(session, **given, limit_fen=2_000_000, statement_day=day, days_to_pay=20)


def bought(
    story: Story, goods: tuple[tuple[str, int], ...], at: datetime, *, lacks: int, is_answered: bool = True
) -> list[Deed]:
    """Ordered, sent, delivered and checked; `lacks` packs of the first line did not come."""
    number: list[str] = []

    def place() -> None:
        number.append(order(story, goods))

    def each(act: journeys.Act) -> None:
        in_transaction(journeys.handle, number=number[0], position=1, act=act)

    found: list[Deed] = [(at, place), (at + timedelta(hours=5), partial(each, journeys.prepare))]
    found += [(at + timedelta(hours=9), partial(each, journeys.ship))]
    found += [(at + timedelta(hours=48), partial(each, journeys.deliver))]
    found += [(at + timedelta(hours=50), lambda: check(story, number[0], lacks))]
    if lacks and is_answered:
        found.append((at + timedelta(hours=55), lambda: in_transaction(agree, number=number[0])))
    return found


def put_on_account(story: Story) -> None:
    """A moment ago: nobody has looked at it yet."""
    order(story, UNDER_WAY)


def order(story: Story, goods: tuple[tuple[str, int], ...]) -> str:
    return in_transaction(fill_cart_and_order, story=story, goods=goods)


def fill_cart_and_order(session: Session, *, story: Story, goods: tuple[tuple[str, int], ...]) -> str:
    owner = CartOwner(story.person, None)
    for variant, quantity in goods:
        carts.put(session, owner=owner, variant=variant, quantity=quantity)
    session.flush()
    found = offers.find(session, [variant for variant, _quantity in goods])
    tariff = shipping.tariff(session, WHERE.province, clock.today())
    quoted = quote(carts.contents(session, owner), found, tariff=tariff)
    total = choosing.reduced(session, quoted, code="", buyer=Buyer(story.person, WHERE.phone, story.institution)).total_fen
    given: dict[str, Any] = {"owner": owner, "recipient": WHERE, "pickup": (), "language": "zh_CN"}
    return placing.place(session, **given, shown_total_fen=total, institution=story.institution)


def check(story: Story, number: str, lacks: int) -> None:
    in_transaction(look, story=story, number=number, lacks=lacks)


def look(session: Session, *, story: Story, number: str, lacks: int) -> None:
    row = session.scalars(select(Order).where(Order.number == number)).one()
    parcel = row.parcels[0]
    claims = {parcel.lines[0].public_id: checking.Claim(lacks, None, "missing")} if lacks else {}
    said: dict[str, Any] = {"claims": claims, "words": "点了两遍，少一份" if lacks else "", "person_id": story.person}
    checking.check(session, institution=story.institution, parcel=parcel.public_id, **said)


def agree(session: Session, *, number: str) -> None:
    wanted = select(GoodsCheck.public_id).join(Parcel, Parcel.id == GoodsCheck.parcel_id)
    found = session.scalars(wanted.join(Order, Order.id == Parcel.order_id).where(Order.number == number)).one()
    words = "装箱时漏了，从账单里扣掉"
    checking.answer(session, check=found, station=STATION, agrees=True, why=words, actor=f"clerk.{STATION}")


def bill(story: Story) -> None:
    in_transaction(billing.bill_due)


def latest(session: Session, *, story: Story) -> str:
    mine = select(AccountStatement.public_id).join(Institution, Institution.id == AccountStatement.institution_id)
    mine = mine.where(Institution.public_id == story.institution).order_by(AccountStatement.id.desc())
    return session.scalars(mine.limit(1)).one()


def pay(story: Story) -> None:
    statement = in_transaction(latest, story=story)
    given: dict[str, Any] = {"institution": story.institution, "statement": statement, "person_id": story.person}
    attempt = in_transaction(paying_bills.start, **given)
    page = f"/institutions/{story.institution}/statements/{statement}"
    pay_at_cashier(story.cashier, attempt, return_url=page, description=statement)
    in_transaction(confirm)


def confirm(session: Session) -> None:
    """Of what is paid, whoever bought it says that it is good."""
    wanted = select(Order.number, Parcel.public_id).join(Parcel, Parcel.order_id == Order.id)
    wanted = wanted.join(AccountOrder, AccountOrder.order_id == Order.id).where(Order.paid_at.is_not(None))
    for number, parcel in session.execute(wanted).all():
        settlement.confirm(session, number=number, parcel=parcel, actor="canteen")


def invoice(story: Story) -> None:
    told: dict[str, Any] = {"number": "24142000000000417000", "invoiced_on": clock.today(), "actor": "operator2"}
    statement = in_transaction(latest, story=story)
    in_transaction(invoicing.note, institution=story.institution, statement=statement, **told)
