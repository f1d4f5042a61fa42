"""What customers say about goods that they received, and what they ask before they buy."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

REASONS = ("insult", "names_somebody", "advert", "off_topic", "shows_somebody")


def upgrade() -> None:
    op.create_table(
        "customer_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("order_line", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("unit_zh", sa.String(), nullable=False),
        sa.Column("unit_en", sa.String(), nullable=False),
        sa.Column("bought_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "shown", "hidden", "withdrawn", name="reviewstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "hidden_for",
            sa.Enum(*REASONS, name="reason", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "reported_for",
            sa.Enum(*REASONS, name="reason", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("report_answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_words", sa.String(), nullable=False),
        sa.Column("appeal_answer", sa.String(), nullable=False),
        sa.Column("appeal_answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answer <> '') = (answered_at IS NOT NULL)", name=op.f("ck_customer_review_answered_some_day")),
        sa.CheckConstraint(
            "(state = 'hidden') = (hidden_for IS NOT NULL)", name=op.f("ck_customer_review_hidden_for_a_reason")
        ),
        sa.CheckConstraint(
            "state <> 'withdrawn' OR (words = '' AND answer = '')", name=op.f("ck_customer_review_withdrawn_is_gone")
        ),
        sa.CheckConstraint(
            "(reported_at IS NULL) = (reported_for IS NULL)", name=op.f("ck_customer_review_reported_for_a_reason")
        ),
        sa.CheckConstraint(
            "appealed_at IS NOT NULL OR appeal_answered_at IS NULL", name=op.f("ck_customer_review_answers_an_appeal")
        ),
        sa.CheckConstraint(
            "reported_at IS NOT NULL OR report_answered_at IS NULL", name=op.f("ck_customer_review_answers_a_report")
        ),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_customer_review_stars")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_customer_review_author_id_person")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_customer_review_listing_id_listing")),
        sa.ForeignKeyConstraint(["seller_id"], ["person.id"], name=op.f("fk_customer_review_seller_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_customer_review_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_review")),
        sa.UniqueConstraint("order_line", name=op.f("uq_customer_review_order_line")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_review_public_id")),
    )
    with op.batch_alter_table("customer_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_review_author_id"), ["author_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_customer_review_listing_id_state_id"), ["listing_id", "state", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_customer_review_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_customer_review_station_code_state_id"), ["station_code", "state", "id"], unique=False
        )

    op.create_table(
        "feedback_count",
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("stars_1", sa.Integer(), nullable=False),
        sa.Column("stars_2", sa.Integer(), nullable=False),
        sa.Column("stars_3", sa.Integer(), nullable=False),
        sa.Column("stars_4", sa.Integer(), nullable=False),
        sa.Column("stars_5", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "stars_1 >= 0 AND stars_2 >= 0 AND stars_3 >= 0 AND stars_4 >= 0 AND stars_5 >= 0 "
            "AND hidden >= 0 AND questions >= 0",
            name=op.f("ck_feedback_count_counts"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_feedback_count_listing_id_listing")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_feedback_count")),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=True),
        sa.Column("asker_name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting", "open", "answered", "hidden", "withdrawn", name="questionstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "hidden_for",
            sa.Enum(*REASONS, name="reason", native_enum=False, length=40),
            nullable=True,
        ),
        sa.CheckConstraint("(answer <> '') = (answered_at IS NOT NULL)", name=op.f("ck_question_answered_some_day")),
        sa.CheckConstraint("(answer <> '') = (answered_by IS NOT NULL)", name=op.f("ck_question_answered_by_somebody")),
        sa.CheckConstraint("(state = 'hidden') = (hidden_for IS NOT NULL)", name=op.f("ck_question_hidden_for_a_reason")),
        sa.CheckConstraint("answered_by IN ('seller', 'station')", name=op.f("ck_question_known_answerer")),
        sa.CheckConstraint("state <> 'answered' OR answer <> ''", name=op.f("ck_question_answered_in_words")),
        sa.CheckConstraint(
            "state <> 'withdrawn' OR (words = '' AND answer = '')", name=op.f("ck_question_withdrawn_is_gone")
        ),
        sa.CheckConstraint(
            "state NOT IN ('waiting', 'open') OR answer = ''", name=op.f("ck_question_unanswered_without_words")
        ),
        sa.ForeignKeyConstraint(["asker_id"], ["person.id"], name=op.f("fk_question_asker_id_person")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_question_listing_id_listing")),
        sa.ForeignKeyConstraint(["seller_id"], ["person.id"], name=op.f("fk_question_seller_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_question_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("public_id", name=op.f("uq_question_public_id")),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_question_asker_id"), ["asker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_question_listing_id_state_id"), ["listing_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_question_seller_id_state_id"), ["seller_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_question_station_code_state_id"), ["station_code", "state", "id"], unique=False)

    op.create_table(
        "review_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state", sa.Enum("waiting", "shown", "hidden", name="picturestate", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "hidden_for",
            sa.Enum(*REASONS, name="reason", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'hidden') = (hidden_for IS NOT NULL)", name=op.f("ck_review_picture_hidden_for_a_reason")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["customer_review.id"], name=op.f("fk_review_picture_review_id_customer_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_picture")),
        sa.UniqueConstraint("public_id", name=op.f("uq_review_picture_public_id")),
        sa.UniqueConstraint("review_id", "position", name=op.f("uq_review_picture_review_id_position")),
    )


def downgrade() -> None:
    op.drop_table("review_picture")
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_question_station_code_state_id"))
        batch_op.drop_index(batch_op.f("ix_question_seller_id_state_id"))
        batch_op.drop_index(batch_op.f("ix_question_listing_id_state_id"))
        batch_op.drop_index(batch_op.f("ix_question_asker_id"))

    op.drop_table("question")
    op.drop_table("feedback_count")
    with op.batch_alter_table("customer_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_review_station_code_state_id"))
        batch_op.drop_index(batch_op.f("ix_customer_review_seller_id"))
        batch_op.drop_index(batch_op.f("ix_customer_review_listing_id_state_id"))
        batch_op.drop_index(batch_op.f("ix_customer_review_author_id"))

    op.drop_table("customer_review")
