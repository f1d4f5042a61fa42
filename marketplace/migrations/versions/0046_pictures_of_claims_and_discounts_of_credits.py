"""Credits of bills have the discounts on what they take off; claims of institutions have pictures.

Before this nothing came off an order on account, so credits of then have none."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

DISCOUNTS: Final = ("seller_discount_fen", "platform_discount_fen", "shipping_discount_fen")
WITHIN: Final = (
    "seller_discount_fen >= 0 AND platform_discount_fen >= 0 AND shipping_discount_fen IN (0, shipping_fen) "
    "AND seller_discount_fen + platform_discount_fen <= goods_fen"
)


def upgrade() -> None:
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        for name in DISCOUNTS:
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        for name in DISCOUNTS:
            batch_op.alter_column(name, existing_type=sa.BigInteger(), existing_nullable=False, server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_bill_credit_discount_within_goods"), WITHIN)
    op.create_table(
        "goods_check_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 6", name=op.f("ck_goods_check_picture_few")),
        sa.ForeignKeyConstraint(["check_id"], ["goods_check.id"], name=op.f("fk_goods_check_picture_check_id_goods_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_check_picture")),
        sa.UniqueConstraint("check_id", "position", name=op.f("uq_goods_check_picture_check_id_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_goods_check_picture_public_id")),
    )


def downgrade() -> None:
    """What came off bills with a discount would come off whole, so there must be none."""
    op.drop_table("goods_check_picture")
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_bill_credit_discount_within_goods"), type_="check")
    with op.batch_alter_table("bill_credit", schema=None) as batch_op:
        for name in DISCOUNTS:
            batch_op.drop_column(name)
