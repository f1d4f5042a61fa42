"""Organisations and their certificates are let in by two people; those of before stay as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisation_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("written", "confirmed", "refused", name="entrystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=False),
        sa.Column("certificate_number", sa.String(), nullable=False),
        sa.Column("certificate_from", sa.Date(), nullable=False),
        sa.Column("certificate_until", sa.Date(), nullable=False),
        sa.Column("address_zh", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("writer_id", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("(state = 'written') = (decided_at IS NULL)", name=op.f("ck_organisation_entry_decided")),
        sa.CheckConstraint("state <> 'refused' OR why <> ''", name=op.f("ck_organisation_entry_refused_with_a_reason")),
        sa.CheckConstraint(
            "(decider_id IS NULL) = (decided_at IS NULL)", name=op.f("ck_organisation_entry_decided_by_somebody")
        ),
        sa.CheckConstraint("certificate_until > certificate_from", name=op.f("ck_organisation_entry_certificate_dates")),
        sa.CheckConstraint("decider_id IS NULL OR decider_id <> writer_id", name=op.f("ck_organisation_entry_two_people")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_organisation_entry_decider_id_person")),
        sa.ForeignKeyConstraint(["writer_id"], ["person.id"], name=op.f("fk_organisation_entry_writer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisation_entry_public_id")),
    )
    with op.batch_alter_table("organisation_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organisation_entry_code_id"), ["code", "id"], unique=False)
        batch_op.create_index(
            "one_waits_for_an_organisation",
            ["code"],
            unique=True,
            sqlite_where=sa.text("state = 'written'"),
            postgresql_where=sa.text("state = 'written'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("organisation_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "one_waits_for_an_organisation",
            sqlite_where=sa.text("state = 'written'"),
            postgresql_where=sa.text("state = 'written'"),
        )
        batch_op.drop_index(batch_op.f("ix_organisation_entry_code_id"))

    op.drop_table("organisation_entry")
