"""The independent reader of sponsored students: silent where all is well, naming what is not."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crowdfund.campaigns.plans import keeping
from marketplace.core.db import db, in_transaction
from tests.auditing.test_giving import named
from tests.campaigns.students.conftest import TERM, Aid, real_aid, real_monthly

__all__ = ["real_aid", "real_monthly"]

BILLED = "(SELECT id FROM school_term WHERE state = 'billed')"
OPENED = "(SELECT id FROM school_term WHERE state = 'opened')"
TAMPERING = (
    ("places follow their sponsors", "UPDATE student_place SET state = 'offered' WHERE state = 'taken'"),
    ("places follow their sponsors", "UPDATE student_place SET state = 'held' WHERE state = 'taken'"),
    ("places follow their sponsors", "UPDATE student_place SET state = 'taken' WHERE state = 'offered'"),
    ("sponsors give for their place", "UPDATE plan SET fen = fen + 1 WHERE state = 'active'"),
    ("sponsors give for their place", "UPDATE installment SET state = 'failed'"),
    ("one place for a student", "DROP INDEX one_place_a_student; UPDATE student_place SET student = 'x'"),
    ("terms cost what their place does", "UPDATE school_term SET fen = fen - 1"),
    ("two people saw each enrolment", "DELETE FROM enrolment_proof"),
    ("two people saw each enrolment", f"UPDATE school_term SET state = 'enrolled' WHERE id IN {OPENED}"),
    ("two people saw each enrolment", f"UPDATE school_term SET state = 'proved' WHERE id IN {OPENED}"),
    ("payments to schools are their terms", f"UPDATE school_term SET fen = fen + 1 WHERE id IN {BILLED}"),
    ("payments to schools are their terms", "UPDATE disbursement SET book = 'live'"),
    ("what schools got left the campaign's account", "UPDATE line SET amount = amount + 1"),
    ("what schools got left the campaign's account", "UPDATE entry SET key = key || 'x' WHERE kind = 'disburse'"),
    ("what is set aside lies in the account", f"UPDATE school_term SET fen = fen + 99999999 WHERE id IN {OPENED}"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'sponsorship:%'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'school_term:%'"),
    ("states have traces", "UPDATE event SET to_state = 'left' WHERE subject LIKE 'student_place:%' AND to_state = 'taken'"),
)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(real_aid: Aid) -> None:
    """One place with a sponsor and a school that was paid, one whose sponsor stopped in a running term."""
    real_aid.pool(2 * TERM)
    first, second = real_aid.publish(), real_aid.publish("G14010920105678")
    real_aid.sponsor(first)
    stopped = real_aid.sponsor(second, contact="li@example.test")
    real_aid.pay(real_aid.release(real_aid.enrolled(first)))
    real_aid.open(second)
    in_transaction(keeping.stop, plan=stopped)

    assert named() == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(sql)] == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE school_term SET fen = 1",
        "UPDATE school_term SET state = 'enrolled'",
        "UPDATE enrolment_proof SET verdict = 'refused'",
        "DELETE FROM enrolment_proof",
    ],
)
def test_the_database_refuses_what_money_rests_on(real_aid: Aid, sql: str) -> None:
    """Whoever reaches past the code."""
    real_aid.pool(2 * TERM)
    real_aid.enrolled(real_aid.publish())
    real_aid.open(real_aid.publish("G14010920105678"))
    db.session.remove()
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text(sql))


def test_nobody_sees_their_own_proof(real_aid: Aid) -> None:
    real_aid.pool(TERM)
    real_aid.prove(real_aid.open(real_aid.publish()))
    db.session.remove()
    own = "UPDATE enrolment_proof SET verdict = 'accepted', seen_by = added_by, paper = NULL"
    with pytest.raises(DBAPIError, match="two_people"), db.engine.begin() as connection:
        connection.execute(text(own))
