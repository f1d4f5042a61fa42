"""Offers to groups of buyers, the groups, and their members."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TERMS = (
    "price_fen > 0 AND threshold_packs >= 2 AND most_packs >= threshold_packs AND most_per_member >= 1 "
    "AND most_per_member <= most_packs AND tolerance_percent BETWEEN 0 AND 50 AND prolong_days BETWEEN 0 AND 7"
)


def terms() -> list[sa.Column[int]]:
    return [
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("threshold_packs", sa.Integer(), nullable=False),
        sa.Column("most_packs", sa.Integer(), nullable=False),
        sa.Column("most_per_member", sa.Integer(), nullable=False),
        sa.Column("tolerance_percent", sa.Integer(), nullable=False),
        sa.Column("prolong_days", sa.Integer(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "group_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("listing_code", sa.String(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *terms(),
        sa.CheckConstraint(TERMS, name=op.f("ck_group_offer_terms")),
        sa.CheckConstraint("days BETWEEN 1 AND 14", name=op.f("ck_group_offer_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_group_offer_public_id")),
    )
    op.create_index("ix_group_offer_listing_code", "group_offer", ["listing_code"], unique=False)
    op.create_index(
        "one_group_offer",
        "group_offer",
        ["variant_code"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "group_buy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("listing_code", sa.String(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "prolonged", "reached", "ordered", "failed", name="groupstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        *terms(),
        sa.CheckConstraint(TERMS, name=op.f("ck_group_buy_terms")),
        sa.ForeignKeyConstraint(["offer_id"], ["group_offer.id"], name=op.f("fk_group_buy_offer_id_group_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_buy")),
        sa.UniqueConstraint("public_id", name=op.f("uq_group_buy_public_id")),
    )
    op.create_index("ix_group_buy_listing_code", "group_buy", ["listing_code"], unique=False)
    op.create_index("ix_group_buy_offer_id", "group_buy", ["offer_id"], unique=False)
    op.create_index("ix_group_buy_state_closes_at", "group_buy", ["state", "closes_at"], unique=False)
    op.create_table(
        "group_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("held", "lapsed", "paid", "ordered", "refunded", name="memberstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("days_to_arrive", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("packs > 0 AND days_to_arrive >= 0", name=op.f("ck_group_member_figures")),
        sa.ForeignKeyConstraint(["group_id"], ["group_buy.id"], name=op.f("fk_group_member_group_id_group_buy")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_group_member_order_id_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_member")),
        sa.UniqueConstraint("order_id", name=op.f("uq_group_member_order_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_group_member_public_id")),
    )
    op.create_index("ix_group_member_group_id_state", "group_member", ["group_id", "state"], unique=False)


def downgrade() -> None:
    op.drop_table("group_member")
    op.drop_table("group_buy")
    op.drop_table("group_offer")
