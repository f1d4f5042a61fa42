"""`flask --app wsgi users …`"""

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from marketplace.accounts import people
from marketplace.accounts.permissions import PERMISSIONS, STAFF
from marketplace.core.db import in_transaction

users = AppGroup("users", help="Accounts and what they may do.")
ROLES = sorted(STAFF | {role for role, _action, _scope in PERMISSIONS} - {"anyone", "buyer"})


@users.command("grant")
@click.argument("address")
@click.argument("role", type=click.Choice(ROLES))
@click.option("--scope", default="own:", help="kind:id, such as station:141028 or province:140000")
def grant(address: str, role: str, scope: str) -> None:
    """Give the account with this phone number or e-mail a role, within a scope; kept in the audit log."""
    kind, _colon, scope_id = scope.partition(":")
    click.echo(in_transaction(give, address=address, role=role, kind=kind, scope_id=scope_id))


def give(session: Session, *, address: str, role: str, kind: str, scope_id: str) -> str:
    person = people.find(session, address)
    if person is None:
        raise click.ClickException("No account has this address.")
    try:
        is_new = people.grant(
            session, person_id=person.id, role=role, scope_kind=kind, scope_id=scope_id, actor="command line"
        )
    except people.RolesExclude as refusal:
        raise click.ClickException("One person cannot have both of these roles.") from refusal
    return f"{role} within {kind}:{scope_id} {'is granted' if is_new else 'was granted before'}."
