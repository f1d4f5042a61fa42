"""Every state of an institution, a statement and a check, every event, everybody who might try it: as the tables say."""

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.core.money import Money
from marketplace.core.transitions import EventRow, transition
from marketplace.orders.institutions import billing, checking, keeping, paying_bills
from marketplace.orders.institutions.models import AccountStatement, GoodsCheck, Institution
from marketplace.orders.institutions.states import (
    CHECK,
    INSTITUTION,
    STATEMENT,
    CheckState,
    InstitutionState,
    StatementState,
)
from tests import factories
from tests.institutions.conftest import Canteen, code, facts
from tests.orders.conftest import parcels

TABLES = ((Institution, INSTITUTION), (AccountStatement, STATEMENT), (GoodsCheck, CHECK))


def attempt(command: Callable[..., object], **given: Any) -> tuple[type[Refusal] | None, int]:
    """What it refuses with, and how many event rows it left; all of it is undone again."""
    session: Session = db.session()
    session.rollback()
    before, refusal = session.scalar(select(func.count()).select_from(EventRow)) or 0, None
    with session.begin_nested() as undone:
        try:
            command(session, **given)
        except Refusal as error:
            refusal = type(error)
        left = (session.scalar(select(func.count()).select_from(EventRow)) or 0) - before
        undone.rollback()
    session.rollback()
    return refusal, left


@pytest.mark.parametrize(("kind", "table"), TABLES)
def test_whatever_is_not_in_a_table_is_refused(kind: Any, table: dict[Any, frozenset[Any]], session: Session) -> None:
    for here, there in permutations(table, 2):
        if there not in table[here]:
            with pytest.raises(IllegalTransition):
                transition(session, kind(public_id="x", state=here), there, expected=here, actor="anyone", why="test")


def test_an_institution_goes_where_its_table_says_by_another_person_alone(canteen: Canteen) -> None:
    applicant = factories.make_person("operator")
    for number, (here, to) in enumerate(product(InstitutionState, InstitutionState)):
        public_id = made(applicant, number, here)
        for person, is_own in ((canteen.operator, False), (applicant, True)):
            given = {"institution": public_id, "to": to, "person_id": person.id, "why": "x"}
            allowed = to in INSTITUTION[here]
            wanted = keeping.OwnApplication if is_own else None if allowed else IllegalTransition
            assert attempt(keeping.decide, **given) == (wanted, 1 if wanted is None else 0), (here, to, is_own)


def made(applicant: Person, number: int, state: InstitutionState) -> str:
    session = db.session()
    first = f"12140105MB1A2{number:04}"
    row = {**facts(), "credit_code": f"{first}{code()[-1]}"}
    public_id = keeping.apply(session, person_id=applicant.id, facts=row)
    institution = session.scalars(select(Institution).where(Institution.public_id == public_id)).one()
    institution.state = state
    session.commit()
    return public_id


def test_a_check_is_answered_once_and_by_its_own_station(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    (line,) = parcel.lines
    check = canteen.check(parcel.public_id, {line.public_id: checking.Claim(1, None, "missing")})
    for state, agrees, station in product(CheckState, (True, False), (parcel.station_code, "140430", None)):
        row = db.session.scalars(select(GoodsCheck)).one()
        row.state, row.ended_at = state, None if state is CheckState.CLAIMED else clock.now()
        db.session.commit()
        given = {"check": check, "station": station, "agrees": agrees, "why": "x", "actor": "test"}
        wanted: Any = NotFound if station == "140430" else None if state is CheckState.CLAIMED else StaleState
        assert attempt(checking.answer, **given) == (wanted, 1 if wanted is None else 0), (state, agrees, station)


def test_a_statement_takes_money_in_the_states_that_owe_it(canteen: Canteen) -> None:
    number = canteen.order(apples=2)
    canteen.deliver(number)
    canteen.accept_all(number)
    statement = canteen.bill()
    given = {"institution": canteen.public_id, "statement": statement.public_id}
    strangers = (factories.make_person(), canteen.operator)
    for state in (StatementState.OPEN, StatementState.OVERDUE):
        statement = canteen.statements()[0]
        statement.state = state
        db.session.commit()
        assert attempt(paying_bills.start, **given, person_id=canteen.payer.id) == (None, 1)
        for person in strangers:
            assert attempt(paying_bills.start, **given, person_id=person.id) == (NotFound, 0)
        with clock.at(clock.start_of(statement.due_on)):
            assert attempt(billing.call_overdue) == (None, 0)
    row = canteen.statements()[0]
    row.state, row.paid_at = StatementState.PAID, clock.now()
    db.session.commit()
    assert attempt(paying_bills.start, **given, person_id=canteen.payer.id) == (paying_bills.NothingToPay, 0)
    assert not paying_bills.receive(db.session(), reference=row.public_id, amount=Money(row.due_fen), attempt="x")
