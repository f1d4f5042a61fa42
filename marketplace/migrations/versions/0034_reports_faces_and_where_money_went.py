"""Statutory reports, evidence that has been looked at, and where each fen of a gift went."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("drafted", "published", "withdrawn", name="reportstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("words_zh", sa.String(), nullable=False),
        sa.Column("drafter_id", sa.Integer(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("paper_sha256", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(state = 'published') = (publisher_id IS NOT NULL AND published_at IS NOT NULL AND content <> '' AND sha256 <> '' AND paper_sha256 <> '')",
            name=op.f("ck_campaign_report_published_whole"),
        ),
        sa.CheckConstraint("kind IN ('periodic', 'full')", name=op.f("ck_campaign_report_known_kind")),
        sa.CheckConstraint("publisher_id IS NULL OR publisher_id <> drafter_id", name=op.f("ck_campaign_report_two_people")),
        sa.CheckConstraint("until >= since", name=op.f("ck_campaign_report_dates")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_report_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["drafter_id"], ["person.id"], name=op.f("fk_campaign_report_drafter_id_person")),
        sa.ForeignKeyConstraint(["publisher_id"], ["person.id"], name=op.f("fk_campaign_report_publisher_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_report")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_report_public_id")),
    )
    with op.batch_alter_table("campaign_report", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_report_campaign_id_state_until"), ["campaign_id", "state", "until"], unique=False
        )
        batch_op.create_index(
            "one_draft_at_a_time",
            ["campaign_id"],
            unique=True,
            sqlite_where=sa.text("state = 'drafted'"),
            postgresql_where=sa.text("state = 'drafted'"),
        )


def downgrade() -> None:

    with op.batch_alter_table("campaign_report", schema=None) as batch_op:
        batch_op.drop_index(
            "one_draft_at_a_time", sqlite_where=sa.text("state = 'drafted'"), postgresql_where=sa.text("state = 'drafted'")
        )
        batch_op.drop_index(batch_op.f("ix_campaign_report_campaign_id_state_until"))

    op.drop_table("campaign_report")
