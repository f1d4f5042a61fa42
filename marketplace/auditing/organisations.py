"""What must be true of organisations: they are as two people of the province found them in the register."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from crowdfund.campaigns.organisations.models import FACTS
from marketplace.auditing.checks import Check, Difference, read
from marketplace.core import clock

OTHERWISE: Final = " OR ".join(f"o.{name} <> e.{name}" for name in FACTS)

ORGANISATIONS: Final = (
    Check(
        "organisations are as they were confirmed",
        f"""SELECT e.code AS name FROM organisation_entry e LEFT JOIN organisation o ON o.code = e.code
        WHERE e.id = (SELECT MAX(s.id) FROM organisation_entry s WHERE s.code = e.code AND s.state = 'confirmed')
        AND (o.code IS NULL OR {OTHERWISE})""",
        "organisation {name} or its certificate is otherwise than two people confirmed it",
    ),
    Check(
        "officers are as they were confirmed",
        """SELECT e.public_id AS name, e.organisation_code AS organisation FROM officer_entry e
        LEFT JOIN role_grant g ON g.person_id = e.person_id AND g.role = e.role AND g.scope_kind = 'organisation'
            AND g.scope_id = e.organisation_code
        WHERE e.id = (SELECT MAX(s.id) FROM officer_entry s WHERE s.organisation_code = e.organisation_code
            AND s.person_id = e.person_id AND s.role = e.role AND s.state = 'confirmed')
        AND ((e.is_given AND g.id IS NULL) OR (NOT e.is_given AND g.granted_at <= e.decided_at))""",
        "an officer of {organisation} is otherwise than two people confirmed in entry {name}",
    ),
)

OPEN: Final = "what is open has a certificate"
UNCERTIFIED: Final = """SELECT c.public_id AS name, o.code AS organisation FROM campaign c
    JOIN organisation o ON o.code = c.organisation_code
    WHERE c.state = 'live' AND (o.certificate_until < :yesterday OR o.certificate_from > :tomorrow)"""


def differences(connection: Connection) -> Iterator[Difference | str]:
    """A day is left to the worker that pauses what has lost its certificate; before the check, its name."""
    yield OPEN
    days = {"yesterday": clock.today() - timedelta(days=1), "tomorrow": clock.today() + timedelta(days=1)}
    for row in read(connection, UNCERTIFIED, **days):
        yield Difference(OPEN, f"campaign {row.name} is open, and {row.organisation} has no valid certificate")
