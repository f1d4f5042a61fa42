"""Phones at a desk, what they wrote without a network, and the numbers of pickup codes that a phone can check."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_milliseconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_client_person_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_desk_client_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_client")),
        sa.UniqueConstraint("public_id", name=op.f("uq_desk_client_public_id")),
    )
    with op.batch_alter_table("desk_client", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_client_person_id"), ["person_id"], unique=False)

    op.create_table(
        "desk_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.String(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("parcel", sa.String(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("entered", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "waiting",
                "applied",
                "already_so",
                "conflict",
                "dismissed",
                "corrected",
                name="actstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("client_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("after >= 0 AND sequence >= 0", name=op.f("ck_desk_act_positions")),
        sa.CheckConstraint("state <> 'conflict' OR problem <> ''", name=op.f("ck_desk_act_conflicts_say_why")),
        sa.CheckConstraint(
            "state NOT IN ('dismissed', 'corrected') OR decided_by IS NOT NULL", name=op.f("ck_desk_act_somebody_decides")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["desk_client.id"], name=op.f("fk_desk_act_client_id_desk_client")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_desk_act_decided_by_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_act_person_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_desk_act_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_act")),
        sa.UniqueConstraint("client_key", name=op.f("uq_desk_act_client_key")),
    )
    with op.batch_alter_table("desk_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_act_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_act_parcel_state"), ["parcel", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_act_station_code_state"), ["station_code", "state"], unique=False)

    op.create_table(
        "pickup_number",
        sa.Column("parcel_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_pickup_number_parcel_id_parcel")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_pickup_number_station_code_station")),
        sa.PrimaryKeyConstraint("parcel_id", name=op.f("pk_pickup_number")),
        sa.UniqueConstraint("station_code", "day", "number", name=op.f("uq_pickup_number_station_code_day_number")),
    )


def downgrade() -> None:
    op.drop_table("pickup_number")
    with op.batch_alter_table("desk_act", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_act_station_code_state"))
        batch_op.drop_index(batch_op.f("ix_desk_act_parcel_state"))
        batch_op.drop_index(batch_op.f("ix_desk_act_client_id"))

    op.drop_table("desk_act")
    with op.batch_alter_table("desk_client", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_client_person_id"))

    op.drop_table("desk_client")
