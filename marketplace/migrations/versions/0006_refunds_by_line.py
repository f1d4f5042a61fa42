"""Each line has its part of the shipping, and knows how much of it went back; refunds say of which lines."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WEIGHED = """SELECT l.id AS id, p.id AS parcel, p.shipping_fen AS shipping_fen,
    CASE WHEN p.net_weight_grams > 0 THEN CAST(l.net_weight_grams AS BIGINT) * l.quantity ELSE l.quantity END AS weight,
    CAST(SUM(CASE WHEN p.net_weight_grams > 0 THEN CAST(l.net_weight_grams AS BIGINT) * l.quantity ELSE l.quantity END)
        OVER (PARTITION BY p.id) AS BIGINT) AS whole
    FROM order_line l JOIN parcel p ON p.id = l.parcel_id"""
FLOORS = f"""SELECT id, parcel, shipping_fen, shipping_fen * weight / whole AS part,
    shipping_fen * weight % whole AS remainder FROM ({WEIGHED}) w"""
PARTS = f"""SELECT id, part + CASE WHEN ROW_NUMBER() OVER (PARTITION BY parcel ORDER BY remainder DESC, id)
    <= shipping_fen - SUM(part) OVER (PARTITION BY parcel) THEN 1 ELSE 0 END AS part FROM ({FLOORS}) f"""
"""The largest remainder, as orders are placed now: no fen is lost, ties go to the earlier line."""

WHOLE_REFUNDS = """SELECT r.public_id, l.id, l.quantity, l.unit_price_fen * l.quantity, l.unit_service_fee_fen * l.quantity,
    l.shipping_fen, TRUE, r.reason_key LIKE 'lost:%'
    FROM refund r JOIN attempt a ON a.id = r.attempt_id AND a.purpose = 'order'
    JOIN parcel p ON r.reason_key IN ('parcel:' || p.public_id, 'lost:' || p.public_id)
    JOIN order_line l ON l.parcel_id = p.id"""


def upgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shipping_fen", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("refunded_quantity", sa.Integer(), nullable=False, server_default="0"))
    op.execute(f"UPDATE order_line SET shipping_fen = parts.part FROM ({PARTS}) AS parts WHERE parts.id = order_line.id")
    op.create_table(
        "refund_line",
        sa.Column("refund_public_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("service_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("shipping_fen", sa.BigInteger(), nullable=False),
        sa.Column("with_shipping", sa.Boolean(), nullable=False),
        sa.Column("by_station", sa.Boolean(), nullable=False),
        sa.CheckConstraint("goods_fen + shipping_fen > 0", name=op.f("ck_refund_line_gives_something_back")),
        sa.CheckConstraint(
            "quantity >= 0 AND goods_fen >= 0 AND shipping_fen >= 0", name=op.f("ck_refund_line_refund_figures")
        ),
        sa.CheckConstraint("service_fee_fen BETWEEN 0 AND goods_fen", name=op.f("ck_refund_line_fee_within_goods")),
        sa.CheckConstraint("with_shipping OR shipping_fen = 0", name=op.f("ck_refund_line_shipping_only_when_said")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_refund_line_order_line_id_order_line")),
        sa.ForeignKeyConstraint(
            ["refund_public_id"], ["refund.public_id"], name=op.f("fk_refund_line_refund_public_id_refund")
        ),
        sa.PrimaryKeyConstraint("refund_public_id", "order_line_id", name=op.f("pk_refund_line")),
    )
    op.create_index(op.f("ix_refund_line_order_line_id"), "refund_line", ["order_line_id"])
    op.execute(f"INSERT INTO refund_line {WHOLE_REFUNDS}")
    op.execute(
        """UPDATE order_line SET refunded_quantity = quantity WHERE id IN (SELECT order_line_id FROM refund_line
        JOIN refund ON refund.public_id = refund_line.refund_public_id WHERE refund.state <> 'failed')"""
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.alter_column("shipping_fen", server_default=None)
        batch_op.alter_column("refunded_quantity", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_order_line_shipping_part"), "shipping_fen >= 0")
        batch_op.create_check_constraint(
            batch_op.f("ck_order_line_refunds_within_purchase"), "refunded_quantity BETWEEN 0 AND quantity"
        )


def downgrade() -> None:
    op.drop_table("refund_line")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_refunds_within_purchase"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_order_line_shipping_part"), type_="check")
        batch_op.drop_column("refunded_quantity")
        batch_op.drop_column("shipping_fen")
