"""Presales: a harvest for sale before it is in, all or nothing by a day."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "presale",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "rejected",
                "live",
                "waiting_funds",
                "successful",
                "failed",
                "delivering",
                "closed",
                "defaulted",
                name="presalestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("story_zh", sa.String(), nullable=False),
        sa.Column("plan_zh", sa.String(), nullable=False),
        sa.Column("goal_fen", sa.BigInteger(), nullable=False),
        sa.Column("area_tenths", sa.Integer(), nullable=False),
        sa.Column("yield_kg", sa.Integer(), nullable=False),
        sa.Column("cap_grams", sa.BigInteger(), nullable=False),
        sa.Column("taken_grams", sa.BigInteger(), nullable=False),
        sa.Column("start_percent", sa.Integer(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("harvest_on", sa.Date(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted') OR reviewer_id IS NOT NULL", name=op.f("ck_presale_reviewed_by_somebody")
        ),
        sa.CheckConstraint("cap_grams = area_tenths * yield_kg * 100", name=op.f("ck_presale_cap_follows_the_field")),
        sa.CheckConstraint("goal_fen > 0 AND area_tenths > 0 AND yield_kg > 0", name=op.f("ck_presale_figures")),
        sa.CheckConstraint("grace_days BETWEEN 0 AND 60 AND closes_on < harvest_on", name=op.f("ck_presale_days")),
        sa.CheckConstraint("reviewer_id IS NULL OR reviewer_id <> seller_id", name=op.f("ck_presale_two_people")),
        sa.CheckConstraint("start_percent BETWEEN 0 AND 30", name=op.f("ck_presale_most_of_it_waits_for_dispatch")),
        sa.CheckConstraint("taken_grams BETWEEN 0 AND cap_grams", name=op.f("ck_presale_no_more_than_the_field_bears")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_presale_listing_id_listing")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_presale_reviewer_id_person")),
        sa.ForeignKeyConstraint(["seller_id"], ["person.id"], name=op.f("fk_presale_seller_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_presale_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presale")),
        sa.UniqueConstraint("public_id", name=op.f("uq_presale_public_id")),
    )
    with op.batch_alter_table("presale", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presale_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_presale_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_presale_state_closes_on"), ["state", "closes_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_presale_station_code"), ["station_code"], unique=False)

    op.create_table(
        "presale_tier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("presale_id", sa.Integer(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("unit_service_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("shipping_fen", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("most > 0 AND taken BETWEEN 0 AND most", name=op.f("ck_presale_tier_no_more_than_there_are")),
        sa.CheckConstraint(
            "packs > 0 AND unit_price_fen > 0 AND shipping_fen >= 0 AND grams > 0", name=op.f("ck_presale_tier_figures")
        ),
        sa.CheckConstraint(
            "unit_service_fee_fen BETWEEN 0 AND unit_price_fen", name=op.f("ck_presale_tier_fee_within_price")
        ),
        sa.ForeignKeyConstraint(["presale_id"], ["presale.id"], name=op.f("fk_presale_tier_presale_id_presale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presale_tier")),
        sa.UniqueConstraint("public_id", name=op.f("uq_presale_tier_public_id")),
    )
    with op.batch_alter_table("presale_tier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presale_tier_presale_id"), ["presale_id"], unique=False)

    op.create_table(
        "presale_update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("presale_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["presale_id"], ["presale.id"], name=op.f("fk_presale_update_presale_id_presale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presale_update")),
        sa.UniqueConstraint("public_id", name=op.f("uq_presale_update_public_id")),
    )
    with op.batch_alter_table("presale_update", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presale_update_presale_id"), ["presale_id"], unique=False)

    op.create_table(
        "backing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("presale_id", sa.Integer(), nullable=False),
        sa.Column("tier_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("held", "lapsed", "confirmed", "ordered", "refunded", name="backingstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("pay_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_fen", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("province_code", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("variant_code", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'ordered') = (order_number IS NOT NULL)", name=op.f("ck_backing_ordered_by_an_order")),
        sa.CheckConstraint(
            "answered_at IS NULL OR (street IS NOT NULL AND variant_code IS NOT NULL)",
            name=op.f("ck_backing_answered_in_full"),
        ),
        sa.CheckConstraint(
            "fen > 0 AND start_fen >= 0 AND start_fen * 10 <= fen * 3", name=op.f("ck_backing_most_of_it_waits_for_dispatch")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_backing_person_id_person")),
        sa.ForeignKeyConstraint(["presale_id"], ["presale.id"], name=op.f("fk_backing_presale_id_presale")),
        sa.ForeignKeyConstraint(["province_code"], ["province.code"], name=op.f("fk_backing_province_code_province")),
        sa.ForeignKeyConstraint(["tier_id"], ["presale_tier.id"], name=op.f("fk_backing_tier_id_presale_tier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backing")),
        sa.UniqueConstraint("order_number", name=op.f("uq_backing_order_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_backing_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_backing_token_hash")),
    )
    with op.batch_alter_table("backing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_backing_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_backing_presale_id_state"), ["presale_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_backing_tier_id"), ["tier_id"], unique=False)

    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("backing", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_order_backing"), ["backing"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_backing"))
        batch_op.drop_column("backing")

    with op.batch_alter_table("backing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_backing_tier_id"))
        batch_op.drop_index(batch_op.f("ix_backing_presale_id_state"))
        batch_op.drop_index(batch_op.f("ix_backing_person_id"))

    op.drop_table("backing")
    with op.batch_alter_table("presale_update", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presale_update_presale_id"))

    op.drop_table("presale_update")
    with op.batch_alter_table("presale_tier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presale_tier_presale_id"))

    op.drop_table("presale_tier")
    with op.batch_alter_table("presale", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presale_station_code"))
        batch_op.drop_index(batch_op.f("ix_presale_state_closes_on"))
        batch_op.drop_index(batch_op.f("ix_presale_seller_id"))
        batch_op.drop_index(batch_op.f("ix_presale_listing_id"))

    op.drop_table("presale")
