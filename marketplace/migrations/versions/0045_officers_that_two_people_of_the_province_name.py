"""Officers of organisations are named and taken back by two people; roles of before stay as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "officer_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("written", "confirmed", "refused", name="entrystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("organisation_code", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("is_given", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("writer_id", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_why", sa.String(), nullable=False),
        sa.CheckConstraint("(state = 'written') = (decided_at IS NULL)", name=op.f("ck_officer_entry_decided")),
        sa.CheckConstraint("is_given OR why <> ''", name=op.f("ck_officer_entry_taken_back_with_a_reason")),
        sa.CheckConstraint("role IN ('charity_officer', 'charity_approver')", name=op.f("ck_officer_entry_known_role")),
        sa.CheckConstraint("state <> 'refused' OR refused_why <> ''", name=op.f("ck_officer_entry_refused_with_a_reason")),
        sa.CheckConstraint("(decider_id IS NULL) = (decided_at IS NULL)", name=op.f("ck_officer_entry_decided_by_somebody")),
        sa.CheckConstraint("decider_id IS NULL OR decider_id <> writer_id", name=op.f("ck_officer_entry_two_people")),
        sa.CheckConstraint(
            "person_id <> writer_id AND (decider_id IS NULL OR decider_id <> person_id)",
            name=op.f("ck_officer_entry_nobody_themselves"),
        ),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_officer_entry_decider_id_person")),
        sa.ForeignKeyConstraint(
            ["organisation_code"], ["organisation.code"], name=op.f("fk_officer_entry_organisation_code_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_officer_entry_person_id_person")),
        sa.ForeignKeyConstraint(["writer_id"], ["person.id"], name=op.f("fk_officer_entry_writer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_officer_entry_public_id")),
    )
    with op.batch_alter_table("officer_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_officer_entry_organisation_code_id"), ["organisation_code", "id"], unique=False)
        batch_op.create_index(
            "one_waits_for_an_officer",
            ["organisation_code", "person_id", "role"],
            unique=True,
            sqlite_where=sa.text("state = 'written'"),
            postgresql_where=sa.text("state = 'written'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("officer_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "one_waits_for_an_officer",
            sqlite_where=sa.text("state = 'written'"),
            postgresql_where=sa.text("state = 'written'"),
        )
        batch_op.drop_index(batch_op.f("ix_officer_entry_organisation_code_id"))

    op.drop_table("officer_entry")
