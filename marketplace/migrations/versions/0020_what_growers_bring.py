"""What growers bring to their station and who gets it; what they have said beforehand; days that stations have closed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NEW = ("received_quantity", "missing_quantity", "replaced_quantity")
RECEIVES = (
    "received_quantity >= 0 AND missing_quantity >= 0 AND replaced_quantity >= 0 "
    "AND received_quantity + missing_quantity + replaced_quantity <= quantity"
)
RESTS = ("later", "refund", "substitute")
ANSWERS = ("offered", "accepted", "declined", "lapsed")
COUNTS = ("accepted", "packed", "sent", "fetched", "refused")
SUMS = ("refunded_fen", "fees_fen", "shipping_fen", "borne_fen", "cash_fen", "held_fen", "payable_fen")


def upgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        for name in NEW:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        for name in NEW:
            batch_op.alter_column(name, server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_order_line_receives_what_was_bought"), RECEIVES)
    op.create_table(
        "arrival",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("seller_public_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_arrival_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
        sa.UniqueConstraint("public_id", name=op.f("uq_arrival_public_id")),
    )
    op.create_index(op.f("ix_arrival_seller_public_id"), "arrival", ["seller_public_id"])
    op.create_index(op.f("ix_arrival_station_code_at"), "arrival", ["station_code", "at"])
    op.create_table(
        "arrival_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("arrival_id", sa.Integer(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("came", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=True),
        sa.Column("rest", sa.Enum(*RESTS, name="rest", native_enum=False, length=40), nullable=False),
        sa.Column("instead", sa.String(), nullable=True),
        sa.CheckConstraint(
            "expected > 0 AND came >= 0 AND damaged BETWEEN 0 AND came", name=op.f("ck_arrival_line_arrival_figures")
        ),
        sa.CheckConstraint("grams IS NULL OR grams > 0", name=op.f("ck_arrival_line_weighs_something")),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name=op.f("fk_arrival_line_arrival_id_arrival")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival_line")),
    )
    op.create_index(op.f("ix_arrival_line_arrival_id"), "arrival_line", ["arrival_id"])
    op.create_table(
        "allotment",
        sa.Column("arrival_line_id", sa.Integer(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Integer(), nullable=False),
        sa.Column("lighter_fen", sa.BigInteger(), nullable=False),
        sa.Column("lighter_fee_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "wanted > 0 AND received >= 0 AND missing >= 0 AND offered >= 0 AND received + missing + offered <= wanted",
            name=op.f("ck_allotment_allotment_figures"),
        ),
        sa.CheckConstraint(
            "lighter_fen >= 0 AND lighter_fee_fen BETWEEN 0 AND lighter_fen", name=op.f("ck_allotment_lighter_figures")
        ),
        sa.ForeignKeyConstraint(
            ["arrival_line_id"], ["arrival_line.id"], name=op.f("fk_allotment_arrival_line_id_arrival_line")
        ),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_allotment_order_line_id_order_line")),
        sa.PrimaryKeyConstraint("arrival_line_id", "order_line_id", name=op.f("pk_allotment")),
    )
    op.create_index(op.f("ix_allotment_order_line_id"), "allotment", ["order_line_id"])
    op.create_table(
        "forecast",
        sa.Column("seller_public_id", sa.String(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("grams", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("packs >= 0 AND (grams IS NULL OR grams > 0)", name=op.f("ck_forecast_forecast_figures")),
        sa.PrimaryKeyConstraint("seller_public_id", "variant_code", name=op.f("pk_forecast")),
    )
    create_substitutes()
    create_days()


def create_substitutes() -> None:
    words = [sa.Column(name, sa.String(), nullable=False) for name in ("title_zh", "title_en", "unit_zh", "unit_en")]
    op.create_table(
        "substitute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("order_line_id", sa.Integer(), nullable=False),
        sa.Column("arrival_line_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Enum(*ANSWERS, name="substitutestate", native_enum=False, length=40), nullable=False),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        *words,
        sa.Column("unit_price_fen", sa.Integer(), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("packs > 0 AND unit_price_fen > 0", name=op.f("ck_substitute_substitute_figures")),
        sa.ForeignKeyConstraint(
            ["arrival_line_id"], ["arrival_line.id"], name=op.f("fk_substitute_arrival_line_id_arrival_line")
        ),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_substitute_order_line_id_order_line")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitute")),
        sa.UniqueConstraint("public_id", name=op.f("uq_substitute_public_id")),
    )
    for columns in (["order_line_id"], ["arrival_line_id"], ["variant_code"], ["state", "answer_by"]):
        op.create_index(op.f(f"ix_substitute_{'_'.join(columns)}"), "substitute", columns)


def create_days() -> None:
    moments = [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("since", "until")]
    counts = [sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS]
    sums = [sa.Column(name, sa.BigInteger(), nullable=False) for name in SUMS]
    op.create_table(
        "station_day",
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *moments,
        *counts,
        *sums,
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("since < until", name=op.f("ck_station_day_has_length")),
        sa.CheckConstraint(
            "accepted >= 0 AND packed >= 0 AND sent >= 0 AND fetched >= 0 AND refused >= 0",
            name=op.f("ck_station_day_counts"),
        ),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_station_day_station_code_station")),
        sa.PrimaryKeyConstraint("station_code", "book", "day", name=op.f("pk_station_day")),
    )
    where = sa.text("station IS NOT NULL")
    op.create_index("events_of_stations", "event", ["station", "at"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("events_of_stations", table_name="event")
    for table in ("station_day", "substitute", "forecast", "allotment", "arrival_line", "arrival"):
        op.drop_table(table)
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_receives_what_was_bought"), type_="check")
        for name in reversed(NEW):
            batch_op.drop_column(name)
