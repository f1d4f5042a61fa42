"""Around every page of an organisation's desk; and who stands at it."""

from typing import Any, Final

from flask import g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from crowdfund.campaigns import telling
from crowdfund.campaigns.models import Organisation
from marketplace.core import clock
from marketplace.core.db import db

NO_STORE: Final = {"Cache-Control": "no-store"}
OFFICER: Final = "charity_officer"
APPROVER: Final = "charity_approver"


def organisations(*roles: str) -> list[str]:
    """The organisations in which the visitor has one of these roles, any role without naming one."""
    wanted = roles or (OFFICER, APPROVER)
    return sorted({scope for role, kind, scope in g.person.grants if role in wanted and kind == "organisation"})


def reach(*roles: str) -> list[str] | None:
    """As `organisations`; None for whoever may touch all of them."""
    return None if g.station is None else organisations(*roles)


def page(template: str, current: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    theirs = organisations()
    name = db.session.scalar(select(Organisation.name_zh).where(Organisation.code.in_(theirs)).limit(1)) or ""
    told = {"desk_current": current, "organisation_name": name, "today": clock.today(), "state_words": telling.STATES}
    return render_template(template, **told, kind_words=telling.KINDS, **shown), status, NO_STORE
