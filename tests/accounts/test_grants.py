from flask import Flask
from sqlalchemy import select

from marketplace.accounts.models import Grant
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db
from tests.factories import make_person


def granted() -> list[tuple[str, str, str]]:
    db.session.rollback()
    return [(row.role, row.scope_kind, row.scope_id) for row in db.session.scalars(select(Grant))]


def test_a_role_is_granted_once_and_kept_in_the_audit_log(real_app: Flask) -> None:
    make_person(address="li@example.test")
    command = ["users", "grant", "li@example.test", "station_clerk", "--scope", "station:141028"]

    assert real_app.test_cli_runner().invoke(args=command).output == "station_clerk within station:141028 is granted.\n"
    assert "before" in real_app.test_cli_runner().invoke(args=command).output

    assert granted() == [("station_clerk", "station", "141028")]
    kept = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "role.granted")).one()
    assert (kept.actor, kept.detail) == ("command line", {"role": "station_clerk", "scope": "station:141028"})


def test_unknown_people_unknown_roles_and_roles_that_exclude_each_other_are_refused(real_app: Flask) -> None:
    make_person("station_clerk", address="li@example.test")
    before = granted()

    for arguments in (["nobody@example.test", "operator"], ["li@example.test", "king"], ["li@example.test", "bank_officer"]):
        assert real_app.test_cli_runner().invoke(args=["users", "grant", *arguments]).exit_code != 0

    assert granted() == before
