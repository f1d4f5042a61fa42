"""Places of students: who sponsors them, their terms, proofs of enrolment."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "student_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("offered", "held", "taken", "left", "finished", name="placestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("alias_zh", sa.String(), nullable=False),
        sa.Column("alias_en", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("student", sa.String(), nullable=False),
        sa.Column("month_fen", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stage IN ('primary', 'junior', 'senior', 'vocational', 'college')", name=op.f("ck_student_place_known_stage")
        ),
        sa.CheckConstraint("month_fen > 0", name=op.f("ck_student_place_costs_something")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_student_place_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["published_by"], ["person.id"], name=op.f("fk_student_place_published_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student_place")),
        sa.UniqueConstraint("alias_zh", name=op.f("uq_student_place_alias_zh")),
        sa.UniqueConstraint("public_id", name=op.f("uq_student_place_public_id")),
    )
    with op.batch_alter_table("student_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_student_place_campaign_id_state"), ["campaign_id", "state"], unique=False)
        batch_op.create_index(
            "one_place_a_student",
            ["student"],
            unique=True,
            sqlite_where=sa.text("state IN ('offered', 'held', 'taken')"),
            postgresql_where=sa.text("state IN ('offered', 'held', 'taken')"),
        )

    op.create_table(
        "sponsorship",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("begun", "active", "ended", name="sponsorshipstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=False),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_sponsorship_ended_once")),
        sa.ForeignKeyConstraint(["place_id"], ["student_place.id"], name=op.f("fk_sponsorship_place_id_student_place")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_sponsorship_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sponsorship")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sponsorship_public_id")),
    )
    with op.batch_alter_table("sponsorship", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sponsorship_plan_id"), ["plan_id"], unique=False)
        batch_op.create_index(
            "one_place_a_plan",
            ["plan_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )
        batch_op.create_index(
            "one_sponsor_a_place",
            ["place_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )

    op.create_table(
        "school_term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("opened", "proved", "enrolled", "billed", "void", name="termstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("proof_due_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disbursement_id", sa.Integer(), nullable=True),
        sa.Column("report_zh", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'billed') = (disbursement_id IS NOT NULL)", name=op.f("ck_school_term_billed_on_a_payment")
        ),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_school_term_dates")),
        sa.CheckConstraint("fen > 0", name=op.f("ck_school_term_costs_something")),
        sa.ForeignKeyConstraint(
            ["disbursement_id"], ["disbursement.id"], name=op.f("fk_school_term_disbursement_id_disbursement")
        ),
        sa.ForeignKeyConstraint(["opened_by"], ["person.id"], name=op.f("fk_school_term_opened_by_person")),
        sa.ForeignKeyConstraint(["place_id"], ["student_place.id"], name=op.f("fk_school_term_place_id_student_place")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_term")),
        sa.UniqueConstraint("place_id", "starts_on", name=op.f("uq_school_term_place_id_starts_on")),
        sa.UniqueConstraint("public_id", name=op.f("uq_school_term_public_id")),
    )
    with op.batch_alter_table("school_term", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_term_disbursement_id"), ["disbursement_id"], unique=False)

    op.create_table(
        "enrolment_proof",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("paper", sa.Text(), nullable=True),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("seen_by", sa.Integer(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("(verdict = '') = (paper IS NOT NULL)", name=op.f("ck_enrolment_proof_forgotten_once_seen")),
        sa.CheckConstraint(
            "(verdict IN ('accepted', 'refused')) = (seen_by IS NOT NULL)", name=op.f("ck_enrolment_proof_seen_by_somebody")
        ),
        sa.CheckConstraint(
            "verdict IN ('', 'accepted', 'refused', 'dropped')", name=op.f("ck_enrolment_proof_known_verdict")
        ),
        sa.CheckConstraint("seen_by IS NULL OR seen_by <> added_by", name=op.f("ck_enrolment_proof_two_people")),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_enrolment_proof_added_by_person")),
        sa.ForeignKeyConstraint(["seen_by"], ["person.id"], name=op.f("fk_enrolment_proof_seen_by_person")),
        sa.ForeignKeyConstraint(["term_id"], ["school_term.id"], name=op.f("fk_enrolment_proof_term_id_school_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_proof")),
        sa.UniqueConstraint("public_id", name=op.f("uq_enrolment_proof_public_id")),
    )
    with op.batch_alter_table("enrolment_proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_proof_term_id"), ["term_id"], unique=False)
        batch_op.create_index(
            "one_waiting_proof",
            ["term_id"],
            unique=True,
            sqlite_where=sa.text("verdict = ''"),
            postgresql_where=sa.text("verdict = ''"),
        )

    with op.batch_alter_table("settlement_line", schema=None) as batch_op:
        batch_op.alter_column("bounced_because", existing_type=sa.VARCHAR(), server_default="", existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("settlement_line", schema=None) as batch_op:
        batch_op.alter_column(
            "bounced_because", existing_type=sa.VARCHAR(), server_default=sa.text("('')"), existing_nullable=False
        )

    with op.batch_alter_table("enrolment_proof", schema=None) as batch_op:
        batch_op.drop_index(
            "one_waiting_proof", sqlite_where=sa.text("verdict = ''"), postgresql_where=sa.text("verdict = ''")
        )
        batch_op.drop_index(batch_op.f("ix_enrolment_proof_term_id"))

    op.drop_table("enrolment_proof")
    with op.batch_alter_table("school_term", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_school_term_disbursement_id"))

    op.drop_table("school_term")
    with op.batch_alter_table("sponsorship", schema=None) as batch_op:
        batch_op.drop_index(
            "one_sponsor_a_place", sqlite_where=sa.text("state <> 'ended'"), postgresql_where=sa.text("state <> 'ended'")
        )
        batch_op.drop_index(
            "one_place_a_plan", sqlite_where=sa.text("state <> 'ended'"), postgresql_where=sa.text("state <> 'ended'")
        )
        batch_op.drop_index(batch_op.f("ix_sponsorship_plan_id"))

    op.drop_table("sponsorship")
    with op.batch_alter_table("student_place", schema=None) as batch_op:
        batch_op.drop_index(
            "one_place_a_student",
            sqlite_where=sa.text("state IN ('offered', 'held', 'taken')"),
            postgresql_where=sa.text("state IN ('offered', 'held', 'taken')"),
        )
        batch_op.drop_index(batch_op.f("ix_student_place_campaign_id_state"))

    op.drop_table("student_place")
