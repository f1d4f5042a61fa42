"""Payees at gateways, transfers to them and reversals."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('requested', 'submitting', 'unknown')")
IS_OPEN: Any = {"sqlite_where": OPEN, "postgresql_where": OPEN}


def upgrade() -> None:
    op.create_table(
        "gateway_payee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("opening", "incomplete", "verified", "restricted", name="payeestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'opening') = (remote_id IS NULL)", name=op.f("ck_gateway_payee_opened_there")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_payee")),
        sa.UniqueConstraint(
            "gateway", "book", "owner_kind", "owner", name=op.f("uq_gateway_payee_gateway_book_owner_kind_owner")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_gateway_payee_public_id")),
        sa.UniqueConstraint("remote_id", name=op.f("uq_gateway_payee_remote_id")),
    )
    op.create_table(
        "transfer",
        sa.Column("payee_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("booked_under", sa.String(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "submitting",
                "unknown",
                "succeeded",
                "failed",
                name="transferstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_transfer_moves_something")),
        sa.ForeignKeyConstraint(["payee_id"], ["gateway_payee.id"], name=op.f("fk_transfer_payee_id_gateway_payee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_transfer_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_transfer_reference")),
        sa.UniqueConstraint("remote_id", name=op.f("uq_transfer_remote_id")),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_payee_id"), ["payee_id"], unique=False)
        batch_op.create_index("transfer_waiting", ["next_at"], unique=False, **IS_OPEN)

    op.create_table(
        "transfer_reversal",
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "submitting",
                "unknown",
                "succeeded",
                "failed",
                name="transferstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_transfer_reversal_moves_something")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_transfer_reversal_transfer_id_transfer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_reversal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_transfer_reversal_public_id")),
        sa.UniqueConstraint("remote_id", name=op.f("uq_transfer_reversal_remote_id")),
        sa.UniqueConstraint("transfer_id", "cause", name=op.f("uq_transfer_reversal_transfer_id_cause")),
    )
    with op.batch_alter_table("transfer_reversal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_reversal_transfer_id"), ["transfer_id"], unique=False)
        batch_op.create_index("transfer_reversal_waiting", ["next_at"], unique=False, **IS_OPEN)


def downgrade() -> None:
    with op.batch_alter_table("transfer_reversal", schema=None) as batch_op:
        batch_op.drop_index("transfer_reversal_waiting")
        batch_op.drop_index(batch_op.f("ix_transfer_reversal_transfer_id"))

    op.drop_table("transfer_reversal")
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.drop_index("transfer_waiting")
        batch_op.drop_index(batch_op.f("ix_transfer_payee_id"))

    op.drop_table("transfer")
    op.drop_table("gateway_payee")
