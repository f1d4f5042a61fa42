"""Monthly gifts: plans, and one row for each of their months."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state", sa.Enum("active", "paused", "stopped", name="planstate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("anonymity", sa.String(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_reason", sa.String(), nullable=False),
        sa.CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name=op.f("ck_plan_stopped_once")),
        sa.CheckConstraint("anonymity IN ('named', 'masked', 'anonymous')", name=op.f("ck_plan_known_anonymity")),
        sa.CheckConstraint(
            "state <> 'stopped' OR (next_on IS NULL AND mandate IS NULL)", name=op.f("ck_plan_nothing_follows_the_stop")
        ),
        sa.CheckConstraint("fen > 0", name=op.f("ck_plan_gives_something")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_plan_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_plan_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_plan_token_hash")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_state_next_on"), ["state", "next_on"], unique=False)

    op.create_table(
        "installment",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("due", "charging", "received", "failed", name="installmentstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("charges", sa.Integer(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("charges BETWEEN 0 AND 4", name=op.f("ck_installment_few_charges")),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_installment_contribution_id_contribution")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_installment_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installment")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_installment_contribution_id")),
        sa.UniqueConstraint("plan_id", "period", name=op.f("uq_installment_plan_id_period")),
        sa.UniqueConstraint("public_id", name=op.f("uq_installment_public_id")),
    )
    with op.batch_alter_table("installment", schema=None) as batch_op:
        batch_op.create_index(
            "installment_waiting",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("is_automatic"),
            postgresql_where=sa.text("is_automatic"),
        )


def downgrade() -> None:
    with op.batch_alter_table("installment", schema=None) as batch_op:
        batch_op.drop_index(
            "installment_waiting", sqlite_where=sa.text("is_automatic"), postgresql_where=sa.text("is_automatic")
        )

    op.drop_table("installment")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_state_next_on"))
        batch_op.drop_index(batch_op.f("ix_plan_person_id"))
        batch_op.drop_index(batch_op.f("ix_plan_campaign_id"))

    op.drop_table("plan")
