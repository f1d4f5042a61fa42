"""Since when a role is held; cases whose money the buyer's bank has given back."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

REFUNDED = "state <> 'refunded' OR refund_public_id IS NOT NULL"
REFUNDED_ONCE = "state <> 'refunded' OR is_paid_by_bank = (refund_public_id IS NULL)"
OF_RETURNED_GOODS = "NOT is_paid_by_bank OR (state = 'refunded' AND returned_quantity IS NOT NULL)"


def upgrade() -> None:
    op.add_column("role_grant", sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True))
    say_since_when()
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.alter_column("granted_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    with op.batch_alter_table("after_sales_case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_paid_by_bank", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("after_sales_case", schema=None) as batch_op:
        batch_op.alter_column("is_paid_by_bank", server_default=None)
        batch_op.drop_constraint(batch_op.f("ck_after_sales_case_refunded_by_a_refund"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_after_sales_case_refunded_once"), REFUNDED_ONCE)
        batch_op.create_check_constraint(batch_op.f("ck_after_sales_case_bank_pays_for_returned_goods"), OF_RETURNED_GOODS)


def say_since_when() -> None:
    """As the audit log has it. Of what was never recorded nobody knows better than now: so less is told, not more."""
    connection, now = op.get_bind(), datetime.now(UTC)
    role_grant = sa.table("role_grant", *map(sa.column, ("id", "person_id", "role", "scope_kind", "scope_id")))
    role_grant.append_column(sa.column("granted_at", sa.DateTime(timezone=True)))
    record = sa.table("audit_record", sa.column("at", sa.DateTime(timezone=True)), sa.column("detail", sa.JSON()))
    for name in ("subject", "action", "id"):
        record.append_column(sa.column(name))
    person = sa.table("person", sa.column("id"), sa.column("public_id"))
    recorded = sa.select(person.c.id, record.c.at, record.c.detail).order_by(record.c.id)
    recorded = recorded.join(record, record.c.subject == sa.literal("person:") + person.c.public_id)
    latest = {
        (row.id, row.detail.get("role"), row.detail.get("scope")): row.at
        for row in connection.execute(recorded.where(record.c.action == "role.granted"))
    }
    for row in connection.execute(sa.select(role_grant)).all():
        since = latest.get((row.person_id, row.role, f"{row.scope_kind}:{row.scope_id}"), now)
        connection.execute(sa.update(role_grant).where(role_grant.c.id == row.id).values(granted_at=since))


def downgrade() -> None:
    with op.batch_alter_table("after_sales_case", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_after_sales_case_bank_pays_for_returned_goods"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_after_sales_case_refunded_once"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_after_sales_case_refunded_by_a_refund"), REFUNDED)
    with op.batch_alter_table("after_sales_case", schema=None) as batch_op:
        batch_op.drop_column("is_paid_by_bank")
    op.drop_column("role_grant", "granted_at")
