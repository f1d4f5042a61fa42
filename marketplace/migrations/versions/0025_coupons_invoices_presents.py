"""Coupons and promotions, invoice requests, presents"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FEN = {
    "order": ("discount_fen",),
    "parcel": ("discount_fen",),
    "order_line": ("seller_discount_fen", "platform_discount_fen", "shipping_discount_fen"),
    "refund_line": ("seller_discount_fen", "platform_discount_fen", "shipping_discount_fen"),
}
SUMS = "total_fen = goods_fen + shipping_fen AND goods_fen >= 0 AND shipping_fen >= 0"
LESS = "total_fen = goods_fen + shipping_fen - discount_fen AND goods_fen >= 0 AND shipping_fen >= 0"
CHECKS = {
    "order": {"something_is_left_to_pay": "discount_fen >= 0 AND (total_fen > 0 OR is_exchange)"},
    "parcel": {"discount_within_price": "discount_fen BETWEEN 0 AND goods_fen + shipping_fen"},
    "order_line": {
        "discount_within_price": (
            "seller_discount_fen BETWEEN 0 AND (unit_price_fen - unit_service_fee_fen) * quantity "
            "AND platform_discount_fen BETWEEN 0 AND unit_price_fen * quantity - seller_discount_fen"
        ),
        "free_or_full_shipping": "shipping_discount_fen IN (0, shipping_fen)",
    },
    "refund_line": {
        "discount_within_goods": (
            "seller_discount_fen >= 0 AND platform_discount_fen >= 0 AND shipping_discount_fen IN (0, shipping_fen) "
            "AND seller_discount_fen + platform_discount_fen <= goods_fen"
        ),
    },
}


def upgrade() -> None:
    make_tables()
    for table, names in FEN.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
            if table == "order":
                batch_op.add_column(sa.Column("is_gift", sa.Boolean(), nullable=False, server_default=sa.false()))
                batch_op.add_column(sa.Column("gift_message", sa.Text(), nullable=True))
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in (*names, *(("is_gift",) if table == "order" else ())):
                batch_op.alter_column(name, server_default=None)
            for name, rule in CHECKS[table].items():
                batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{name}"), rule)
    replace_sums(LESS)


def replace_sums(rule: str) -> None:
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_sums"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_order_sums"), rule)


def make_tables() -> None:
    op.create_table(
        "promotion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column(
            "kind", sa.Enum("amount", "percent", "free_shipping", name="kind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("most_fen", sa.BigInteger(), nullable=True),
        sa.Column("threshold_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("all", "station", "seller", "category", "listings", name="scope", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("scope_values", sa.JSON(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("uses_most", sa.Integer(), nullable=True),
        sa.Column("uses_each", sa.Integer(), nullable=True),
        sa.Column("seller_bps", sa.Integer(), nullable=False),
        sa.Column("platform_bps", sa.Integer(), nullable=False),
        sa.Column("seller_public_id", sa.String(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("draft", "submitted", "live", "paused", "ended", name="promotionstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("platform_used_fen", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'amount' AND amount_fen > 0 AND percent = 0) OR (kind = 'percent' AND percent BETWEEN 1 AND 90 AND amount_fen = 0) OR (kind = 'free_shipping' AND amount_fen = 0 AND percent = 0 AND platform_bps = 10000)",
            name=op.f("ck_promotion_kind_has_its_figure"),
        ),
        sa.CheckConstraint(
            "seller_public_id = '' OR seller_bps = 10000", name=op.f("ck_promotion_a_seller_bears_their_own")
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name=op.f("ck_promotion_four_eyes")),
        sa.CheckConstraint(
            "budget_fen > 0 AND used_fen BETWEEN 0 AND budget_fen", name=op.f("ck_promotion_used_within_budget")
        ),
        sa.CheckConstraint("most_fen > 0", name=op.f("ck_promotion_cap")),
        sa.CheckConstraint(
            "seller_bps >= 0 AND platform_bps >= 0 AND seller_bps + platform_bps = 10000",
            name=op.f("ck_promotion_somebody_bears_it"),
        ),
        sa.CheckConstraint(
            "spent_fen BETWEEN 0 AND used_fen AND platform_used_fen BETWEEN 0 AND used_fen",
            name=op.f("ck_promotion_spent_within_used"),
        ),
        sa.CheckConstraint("threshold_fen >= 0 AND starts_at < ends_at", name=op.f("ck_promotion_threshold_and_time")),
        sa.CheckConstraint("uses >= 0 AND uses <= uses_most AND uses_each > 0", name=op.f("ck_promotion_uses_within_limit")),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"], name=op.f("fk_promotion_approved_by_person")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_promotion_made_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sa.UniqueConstraint("code", name=op.f("uq_promotion_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_promotion_public_id")),
    )
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_seller_public_id"), ["seller_public_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_promotion_state_ends_at"), ["state", "ends_at"], unique=False)

    op.create_table(
        "invoice_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("kind", sa.Enum("personal", "company", name="invoicekind", native_enum=False, length=40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_number"], ["order.number"], name=op.f("fk_invoice_request_order_number_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_request")),
        sa.UniqueConstraint("order_number", name=op.f("uq_invoice_request_order_number")),
    )
    op.create_table(
        "promotion_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("promotion_id", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column(
            "state", sa.Enum("reserved", "spent", "returned", name="usestate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("platform_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "discount_fen > 0 AND platform_fen BETWEEN 0 AND discount_fen", name=op.f("ck_promotion_use_use_figures")
        ),
        sa.ForeignKeyConstraint(["order_number"], ["order.number"], name=op.f("fk_promotion_use_order_number_order")),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_use_promotion_id_promotion")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_use")),
        sa.UniqueConstraint("promotion_id", "order_number", name=op.f("uq_promotion_use_promotion_id_order_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_promotion_use_public_id")),
    )
    with op.batch_alter_table("promotion_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_use_order_number"), ["order_number"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("issuer_kind", sa.Enum("seller", "station", name="issuer", native_enum=False, length=40), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("requested", "issued", "declined", "void", name="invoicestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'declined') = (reason <> '') OR state = 'void'", name=op.f("ck_invoice_declined_for_a_reason")
        ),
        sa.CheckConstraint(
            "(state IN ('issued', 'void')) = (number <> '' AND fen > 0)", name=op.f("ck_invoice_issued_with_number_and_sum")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["invoice_request.id"], name=op.f("fk_invoice_request_id_invoice_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invoice_public_id")),
        sa.UniqueConstraint("request_id", "issuer_kind", "issuer", name=op.f("uq_invoice_request_id_issuer_kind_issuer")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invoice_issuer_kind_issuer_state"), ["issuer_kind", "issuer", "state"], unique=False
        )


def downgrade() -> None:
    replace_sums(SUMS)
    for table, names in FEN.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in CHECKS[table]:
                batch_op.drop_constraint(batch_op.f(f"ck_{table}_{name}"), type_="check")
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in (*names, *(("gift_message", "is_gift") if table == "order" else ())):
                batch_op.drop_column(name)
    for table in ("invoice", "promotion_use", "invoice_request", "promotion"):
        op.drop_table(table)
