"""Edits of what is for sale, papers that somebody saw, and farmers' consent to what a clerk lists for them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listing_consent",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("clerk_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("picture_digest", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_because", sa.String(), nullable=False),
        sa.CheckConstraint("way IN ('in_person', 'by_phone', 'on_paper')", name=op.f("ck_listing_consent_known_way")),
        sa.CheckConstraint(
            "way <> 'on_paper' OR picture_digest IS NOT NULL", name=op.f("ck_listing_consent_paper_has_a_picture")
        ),
        sa.CheckConstraint("clerk_id <> seller_id", name=op.f("ck_listing_consent_for_somebody_else")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_listing_consent_clerk_id_person")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_consent_listing_id_listing")),
        sa.ForeignKeyConstraint(["seller_id"], ["person.id"], name=op.f("fk_listing_consent_seller_id_person")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_listing_consent")),
    )
    op.create_index(op.f("ix_listing_consent_seller_id"), "listing_consent", ["seller_id"])
    op.create_table(
        "listing_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("submitted", "accepted", "rejected", name="revisionstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'submitted' OR decided_at IS NOT NULL", name=op.f("ck_listing_revision_decided_some_day")
        ),
        sa.CheckConstraint(
            "state <> 'accepted' OR reviewer_id IS NOT NULL", name=op.f("ck_listing_revision_accepted_by_somebody")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_listing_revision_author_id_person")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_revision_listing_id_listing")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_listing_revision_reviewer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_revision")),
        sa.UniqueConstraint("public_id", name=op.f("uq_listing_revision_public_id")),
    )
    op.create_index(op.f("ix_listing_revision_listing_id"), "listing_revision", ["listing_id"])
    waits = sa.text("state = 'submitted'")
    op.create_index(
        "one_waiting_revision",
        "listing_revision",
        ["listing_id"],
        unique=True,
        sqlite_where=waits,
        postgresql_where=waits,
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("media_public_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("verified_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_certificate_verified_by_person"), "person", ["verified_by"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_certificate_verified_by_person"), type_="foreignkey")
        batch_op.drop_column("verified_at")
        batch_op.drop_column("verified_by")
        batch_op.drop_column("media_public_id")
    op.drop_index("one_waiting_revision", table_name="listing_revision")
    op.drop_index(op.f("ix_listing_revision_listing_id"), table_name="listing_revision")
    op.drop_table("listing_revision")
    op.drop_index(op.f("ix_listing_consent_seller_id"), table_name="listing_consent")
    op.drop_table("listing_consent")
