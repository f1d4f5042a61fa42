"""Settlement batches"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payout_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verifier_id", sa.Integer(), nullable=True),
        sa.Column("frozen_because", sa.String(), nullable=False),
        sa.CheckConstraint("owner_kind IN ('seller', 'station')", name=op.f("ck_payout_account_known_owner")),
        sa.CheckConstraint(
            "(verified_at IS NULL) = (verifier_id IS NULL)", name=op.f("ck_payout_account_verified_by_somebody")
        ),
        sa.ForeignKeyConstraint(["verifier_id"], ["person.id"], name=op.f("fk_payout_account_verifier_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_account")),
        sa.UniqueConstraint("owner_kind", "owner", name=op.f("uq_payout_account_owner_kind_owner")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_account_public_id")),
    )
    op.create_table(
        "settlement_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("drafted", "approved", "sent", "closed", name="batchstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("drafter_id", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'drafted') = (approver_id IS NULL)", name=op.f("ck_settlement_batch_approved_by_somebody")
        ),
        sa.CheckConstraint("book IN ('live', 'test')", name=op.f("ck_settlement_batch_known_book")),
        sa.CheckConstraint("way IN ('', 'file', 'transfer')", name=op.f("ck_settlement_batch_known_way")),
        sa.CheckConstraint("approver_id <> drafter_id", name=op.f("ck_settlement_batch_two_people")),
        sa.ForeignKeyConstraint(["approver_id"], ["person.id"], name=op.f("fk_settlement_batch_approver_id_person")),
        sa.ForeignKeyConstraint(["drafter_id"], ["person.id"], name=op.f("fk_settlement_batch_drafter_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_settlement_batch_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_settlement_batch_public_id")),
    )
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_settlement_batch_station_code"), ["station_code"], unique=False)

    op.create_table(
        "settlement_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("due", "sent", "confirmed", "returned", name="linestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "left_out",
            sa.Enum(
                "",
                "unverified",
                "frozen",
                "nothing_owed",
                "under_way",
                "changed",
                "smaller",
                name="leftout",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("account_revision", sa.Integer(), nullable=False),
        sa.Column("bank_said", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("fen > 0 OR left_out <> ''", name=op.f("ck_settlement_line_pays_something")),
        sa.CheckConstraint("left_out = '' OR state = 'due'", name=op.f("ck_settlement_line_left_out_is_not_sent")),
        sa.CheckConstraint("owner_kind IN ('seller', 'station')", name=op.f("ck_settlement_line_known_owner")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["settlement_batch.id"], name=op.f("fk_settlement_line_batch_id_settlement_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_line")),
        sa.UniqueConstraint("batch_id", "owner_kind", "owner", name=op.f("uq_settlement_line_batch_id_owner_kind_owner")),
        sa.UniqueConstraint("public_id", name=op.f("uq_settlement_line_public_id")),
    )
    with op.batch_alter_table("settlement_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_settlement_line_owner_owner_kind"), ["owner", "owner_kind"], unique=False)
        batch_op.create_index(
            "one_open_payment",
            ["owner_kind", "owner", "book"],
            unique=True,
            sqlite_where=sa.text("left_out = '' AND state IN ('due', 'sent')"),
            postgresql_where=sa.text("left_out = '' AND state IN ('due', 'sent')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("settlement_line", schema=None) as batch_op:
        batch_op.drop_index(
            "one_open_payment",
            sqlite_where=sa.text("left_out = '' AND state IN ('due', 'sent')"),
            postgresql_where=sa.text("left_out = '' AND state IN ('due', 'sent')"),
        )
        batch_op.drop_index(batch_op.f("ix_settlement_line_owner_owner_kind"))

    op.drop_table("settlement_line")
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_settlement_batch_station_code"))

    op.drop_table("settlement_batch")
    op.drop_table("payout_account")
