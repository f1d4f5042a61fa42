"""What must be true of organisations: they are as two people of the province found them in the register."""

from typing import Final

from crowdfund.campaigns.organisations.models import FACTS
from marketplace.auditing.checks import Check

OTHERWISE: Final = " OR ".join(f"o.{name} <> e.{name}" for name in FACTS)

ORGANISATIONS: Final = (
    Check(
        "organisations are as they were confirmed",
        f"""SELECT e.code AS name FROM organisation_entry e LEFT JOIN organisation o ON o.code = e.code
        WHERE e.id = (SELECT MAX(s.id) FROM organisation_entry s WHERE s.code = e.code AND s.state = 'confirmed')
        AND (o.code IS NULL OR {OTHERWISE})""",
        "organisation {name} or its certificate is otherwise than two people confirmed it",
    ),
)
