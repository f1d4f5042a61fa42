"""`flask --app wsgi users …`: the first operator has nobody to grant them anything."""

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from marketplace.accounts import people
from marketplace.core.db import in_transaction
from marketplace.core.errors import NotFound, Refusal

users = AppGroup("users", help="Accounts and their roles.")


@users.command("grant")
@click.argument("address", metavar="EMAIL")
@click.argument("role", type=click.Choice(sorted(people.SCOPES)))
@click.option("--scope", default="own:", metavar="KIND:ID", help="How far it reaches, such as station:141028.")
def grant(address: str, role: str, scope: str) -> None:
    """Give a role to whoever has this e-mail or phone number. It is written to the audit log."""
    kind, _colon, scope_id = scope.partition(":")
    given = {"address": address, "role": role, "scope_kind": kind, "scope_id": scope_id}
    try:
        is_new = in_transaction(grant_by_address, **given)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.message} ({refusal})") from refusal
    click.echo(f"{role} within {kind}:{scope_id} {'is granted' if is_new else 'was granted before'}.")


def grant_by_address(session: Session, *, address: str, role: str, scope_kind: str, scope_id: str) -> bool:
    """Raises NotFound for an address without an account, NoSuchRole, RolesExclude."""
    person = people.find(session, people.normalised(address))
    if person is None:
        raise NotFound(f"no account: {address}")
    scope = {"scope_kind": scope_kind, "scope_id": scope_id}
    return people.grant(session, person_id=person.id, role=role, actor="command line", **scope)
