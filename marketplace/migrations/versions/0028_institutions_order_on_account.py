"""Institutions order on account: what they may owe, check, are credited, and pay each month."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "institution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "applied", "active", "paused", "refused", "closed", name="institutionstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("invoice_title", sa.String(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("outstanding_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement_day", sa.Integer(), nullable=False),
        sa.Column("days_to_pay", sa.Integer(), nullable=False),
        sa.Column("applicant_id", sa.Integer(), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('canteen', 'school', 'hospital', 'company')", name=op.f("ck_institution_known_kind")),
        sa.CheckConstraint("decider_id <> applicant_id", name=op.f("ck_institution_two_people")),
        sa.CheckConstraint("limit_fen >= 0 AND outstanding_fen >= 0", name=op.f("ck_institution_sums")),
        sa.CheckConstraint(
            "statement_day BETWEEN 1 AND 28 AND days_to_pay BETWEEN 1 AND 90", name=op.f("ck_institution_terms")
        ),
        sa.ForeignKeyConstraint(["applicant_id"], ["person.id"], name=op.f("fk_institution_applicant_id_person")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_institution_decider_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_institution_credit_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_institution_public_id")),
    )
    with op.batch_alter_table("institution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_institution_applicant_id"), ["applicant_id"], unique=False)

    op.create_table(
        "account_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "overdue", "paid", "void", name="statementstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("credited_fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("invoice_number", sa.String(), nullable=False),
        sa.Column("invoiced_on", sa.Date(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(invoice_number = '') = (invoiced_on IS NULL)", name=op.f("ck_account_statement_invoice_has_both")
        ),
        sa.CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_account_statement_paid_at_some_time")),
        sa.CheckConstraint(
            "(state = 'void') = (credited_fen = total_fen)", name=op.f("ck_account_statement_void_when_all_is_credited")
        ),
        sa.CheckConstraint("total_fen > 0 AND credited_fen BETWEEN 0 AND total_fen", name=op.f("ck_account_statement_sums")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_account_statement_institution_id_institution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_statement")),
        sa.UniqueConstraint("institution_id", "period", name=op.f("uq_account_statement_institution_id_period")),
        sa.UniqueConstraint("public_id", name=op.f("uq_account_statement_public_id")),
    )
    with op.batch_alter_table("account_statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_statement_state_due_on"), ["state", "due_on"], unique=False)

    op.create_table(
        "institution_member",
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('purchaser', 'payer')", name=op.f("ck_institution_member_known_role")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_institution_member_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_institution_member_person_id_person")),
        sa.PrimaryKeyConstraint("institution_id", "person_id", name=op.f("pk_institution_member")),
    )
    with op.batch_alter_table("institution_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_institution_member_person_id"), ["person_id"], unique=False)

    op.create_table(
        "account_order",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("outstanding_fen", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("outstanding_fen <= limit_fen", name=op.f("ck_account_order_within_limit")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_account_order_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_account_order_order_id_order")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_order_person_id_person")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["account_statement.id"], name=op.f("fk_account_order_statement_id_account_statement")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_account_order")),
    )
    with op.batch_alter_table("account_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_order_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_order_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "goods_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("parcel_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("accepted", "claimed", "agreed", "rejected", name="checkstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'claimed') = (ended_at IS NULL)", name=op.f("ck_goods_check_ends_once")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_goods_check_parcel_id_parcel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_check")),
        sa.UniqueConstraint("parcel_id", name=op.f("uq_goods_check_parcel_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_goods_check_public_id")),
    )
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_goods_check_state_checked_at"), ["state", "checked_at"], unique=False)

    op.create_table(
        "statement_line",
        sa.Column("parcel_id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_statement_line_owes_something")),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_statement_line_parcel_id_parcel")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["account_statement.id"], name=op.f("fk_statement_line_statement_id_account_statement")
        ),
        sa.PrimaryKeyConstraint("parcel_id", name=op.f("pk_statement_line")),
    )
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_line_statement_id"), ["statement_id"], unique=False)

    op.create_table(
        "bill_credit",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column("reason_key", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("service_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("shipping_fen", sa.BigInteger(), nullable=False),
        sa.Column("with_shipping", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("goods_fen + shipping_fen > 0", name=op.f("ck_bill_credit_takes_something_off")),
        sa.CheckConstraint(
            "quantity >= 0 AND goods_fen >= 0 AND shipping_fen >= 0", name=op.f("ck_bill_credit_credit_figures")
        ),
        sa.CheckConstraint("service_fee_fen BETWEEN 0 AND goods_fen", name=op.f("ck_bill_credit_fee_within_goods")),
        sa.CheckConstraint("with_shipping OR shipping_fen = 0", name=op.f("ck_bill_credit_shipping_only_when_said")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_bill_credit_order_line_id_order_line")),
        sa.PrimaryKeyConstraint("public_id", "order_line_id", name=op.f("pk_bill_credit")),
        sa.UniqueConstraint("reason_key", "order_line_id", name=op.f("uq_bill_credit_reason_key_order_line_id")),
    )
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bill_credit_order_line_id"), ["order_line_id"], unique=False)

    op.create_table(
        "goods_check_line",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column("rejected_quantity", sa.Integer(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('missing', 'damaged', 'wrong', 'lighter')", name=op.f("ck_goods_check_line_known_reason")
        ),
        sa.CheckConstraint("grams IS NULL OR grams >= 0", name=op.f("ck_goods_check_line_weight")),
        sa.CheckConstraint("rejected_quantity >= 0", name=op.f("ck_goods_check_line_rejected")),
        sa.ForeignKeyConstraint(["check_id"], ["goods_check.id"], name=op.f("fk_goods_check_line_check_id_goods_check")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_goods_check_line_order_line_id_order_line")
        ),
        sa.PrimaryKeyConstraint("check_id", "order_line_id", name=op.f("pk_goods_check_line")),
    )


def downgrade() -> None:

    op.drop_table("goods_check_line")
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bill_credit_order_line_id"))

    op.drop_table("bill_credit")
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_line_statement_id"))

    op.drop_table("statement_line")
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_goods_check_state_checked_at"))

    op.drop_table("goods_check")
    with op.batch_alter_table("account_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_order_statement_id"))
        batch_op.drop_index(batch_op.f("ix_account_order_institution_id"))

    op.drop_table("account_order")
    with op.batch_alter_table("institution_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_institution_member_person_id"))

    op.drop_table("institution_member")
    with op.batch_alter_table("account_statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_statement_state_due_on"))

    op.drop_table("account_statement")
    with op.batch_alter_table("institution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_institution_applicant_id"))

    op.drop_table("institution")
