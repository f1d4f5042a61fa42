"""Movements of gateways, reconciliation, refunds of money in suspense."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CONCERNS = {  # the id of the object in a webhook's raw bytes, which were read once before they were kept
    "sqlite": "json_extract(CAST(raw AS TEXT), '$.data.object.id')",
    "postgresql": "convert_from(raw, 'UTF8')::json #>> '{data,object,id}'",
}
UNMATCHED = sa.text("verdict <> 'matched'")


def upgrade() -> None:
    op.add_column("refund", sa.Column("remote_payment", sa.String(), nullable=True))
    op.create_index("ix_refund_remote_payment", "refund", ["remote_payment"])
    with op.batch_alter_table("gateway_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remote_id", sa.String(), nullable=False, server_default=""))
    op.execute(f"UPDATE gateway_event SET remote_id = COALESCE({CONCERNS[op.get_bind().dialect.name]}, '')")
    with op.batch_alter_table("gateway_event", schema=None) as batch_op:
        batch_op.alter_column("remote_id", server_default=None)
        batch_op.create_index(batch_op.f("ix_gateway_event_remote_id"), ["remote_id"], unique=False)

    op.create_table(
        "gateway_cursor",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("reached", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_cursor")),
    )
    op.create_table(
        "gateway_movement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("known_as", sa.String(), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "matched", "waiting", "at_the_bank", "unexplained", "differs", name="verdict", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("matched_entry", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_movement")),
        sa.UniqueConstraint("gateway", "remote_id", name=op.f("uq_gateway_movement_gateway_remote_id")),
    )
    with op.batch_alter_table("gateway_movement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gateway_movement_matched_entry"), ["matched_entry"], unique=False)
        batch_op.create_index("ix_gateway_movement_source", ["gateway", "source_id"], unique=False)
        batch_op.create_index(
            "movement_unmatched",
            ["gateway", "id"],
            unique=False,
            sqlite_where=UNMATCHED,
            postgresql_where=UNMATCHED,
        )

    op.create_table(
        "reconciliation_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_red", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reconciliation_run_public_id")),
    )
    op.create_table(
        "reconciliation_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_switch")),
    )


def downgrade() -> None:
    op.drop_table("reconciliation_switch")
    op.drop_table("reconciliation_run")
    with op.batch_alter_table("gateway_movement", schema=None) as batch_op:
        batch_op.drop_index(
            "movement_unmatched",
            sqlite_where=UNMATCHED,
            postgresql_where=UNMATCHED,
        )
        batch_op.drop_index("ix_gateway_movement_source")
        batch_op.drop_index(batch_op.f("ix_gateway_movement_matched_entry"))

    op.drop_table("gateway_movement")
    op.drop_table("gateway_cursor")

    with op.batch_alter_table("gateway_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gateway_event_remote_id"))
        batch_op.drop_column("remote_id")
    op.drop_index("ix_refund_remote_payment", "refund")
    op.drop_column("refund", "remote_payment")
