"""After-sales cases with their pictures and appeals, orders that replace goods for nothing, and how often goods come back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FREE = "is_exchange = (goods_fen = 0) AND NOT (is_exchange AND shipping_fen > 0)"
SUMS = {
    "order": ("sums", "total_fen = goods_fen + shipping_fen AND goods_fen {0} 0 AND shipping_fen >= 0"),
    "parcel": ("sums", "goods_fen {0} 0 AND shipping_fen >= 0 AND service_fee_fen BETWEEN 0 AND goods_fen"),
    "order_line": ("line_figures", "quantity > 0 AND unit_price_fen {0} 0"),
}


def upgrade() -> None:
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_exchange", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.alter_column("is_exchange", server_default=None)
    check_sums(">=")
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.create_check_constraint(batch_op.f("ck_order_only_exchanges_are_free"), FREE)
    make_cases()
    op.create_table(
        "quality_count",
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("delivered_lately", sa.Integer(), nullable=False),
        sa.Column("refunded_lately", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("refunded", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("0 <= refunded AND refunded <= delivered", name=op.f("ck_quality_count_ever")),
        sa.CheckConstraint(
            "0 <= refunded_lately AND refunded_lately <= delivered_lately", name=op.f("ck_quality_count_lately")
        ),
        sa.PrimaryKeyConstraint("owner_kind", "owner", name=op.f("pk_quality_count")),
    )


def check_sums(compared: str) -> None:
    for table, (name, rule) in SUMS.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"ck_{table}_{name}"), type_="check")
            batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{name}"), rule.format(compared))


def make_cases() -> None:
    op.create_table(
        "after_sales_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("parcel_id", sa.Integer(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "rejected",
                "refunded",
                "goods_returned",
                "exchanged",
                "cancelled",
                name="casestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum("damaged", "wrong", "missing", "unwanted", name="kind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("wish", sa.Enum("refund", "exchange", name="wish", native_enum=False, length=40), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("return_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_quantity", sa.Integer(), nullable=True),
        sa.Column(
            "condition",
            sa.Enum("as_sold", "opened", "bad", name="condition", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("refund_public_id", sa.String(), nullable=True),
        sa.Column("exchange_number", sa.String(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_after_sales_case_asks_for_something")),
        sa.CheckConstraint("returned_quantity BETWEEN 1 AND quantity", name=op.f("ck_after_sales_case_returns_within_case")),
        sa.CheckConstraint(
            "state <> 'refunded' OR refund_public_id IS NOT NULL", name=op.f("ck_after_sales_case_refunded_by_a_refund")
        ),
        sa.CheckConstraint(
            "(state = 'exchanged') = (exchange_number IS NOT NULL)", name=op.f("ck_after_sales_case_exchanged_by_an_order")
        ),
        sa.ForeignKeyConstraint(
            ["exchange_number"], ["order.number"], name=op.f("fk_after_sales_case_exchange_number_order")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_after_sales_case_order_line_id_order_line")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_after_sales_case_parcel_id_parcel")),
        sa.ForeignKeyConstraint(
            ["refund_public_id"], ["refund.public_id"], name=op.f("fk_after_sales_case_refund_public_id_refund")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_after_sales_case")),
        sa.UniqueConstraint("exchange_number", name=op.f("uq_after_sales_case_exchange_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_after_sales_case_public_id")),
        sa.UniqueConstraint("refund_public_id", name=op.f("uq_after_sales_case_refund_public_id")),
    )
    op.create_index(op.f("ix_after_sales_case_order_line_id"), "after_sales_case", ["order_line_id"])
    op.create_index(op.f("ix_after_sales_case_parcel_id"), "after_sales_case", ["parcel_id"])
    op.create_index(op.f("ix_after_sales_case_state_decide_by"), "after_sales_case", ["state", "decide_by"])
    op.create_table(
        "case_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["after_sales_case.id"], name=op.f("fk_case_picture_case_id_after_sales_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_picture")),
        sa.UniqueConstraint("case_id", "position", name=op.f("uq_case_picture_case_id_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_case_picture_public_id")),
    )
    op.create_table(
        "case_appeal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("asked", "granted", "left", name="appealstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "asked_by",
            sa.Enum("buyer", "seller", "station", "deadline", name="party", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column(
            "bearer",
            sa.Enum("each", "seller", "station", "platform", name="bearer", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'granted') = (bearer IS NOT NULL)", name=op.f("ck_case_appeal_granted_says_who_bears")),
        sa.ForeignKeyConstraint(["case_id"], ["after_sales_case.id"], name=op.f("fk_case_appeal_case_id_after_sales_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_appeal")),
        sa.UniqueConstraint("case_id", name=op.f("uq_case_appeal_case_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_case_appeal_public_id")),
    )
    op.create_index(op.f("ix_case_appeal_state_asked_at"), "case_appeal", ["state", "asked_at"])


def downgrade() -> None:
    """Replacements were free: what would be left of them would break the rule again, so there must be none."""
    op.drop_table("quality_count")
    op.drop_table("case_appeal")
    op.drop_table("case_picture")
    op.drop_table("after_sales_case")
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_only_exchanges_are_free"), type_="check")
    check_sums(">")
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.drop_column("is_exchange")
