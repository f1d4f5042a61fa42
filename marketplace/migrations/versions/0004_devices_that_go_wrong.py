"""Devices that are lost, faulty or given back; what was not fetched in time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DIGITS = [f"CAST(substr(imei, {place}, 1) AS INTEGER)" for place in range(1, 16)]
DOUBLED = [
    digit if place % 2 else f"(CASE WHEN {digit} > 4 THEN {digit} * 2 - 9 ELSE {digit} * 2 END)"
    for place, digit in enumerate(DIGITS, 1)
]
LUHN = f"({' + '.join(DOUBLED)}) % 10 = 0"
STILL = sa.text("released_at IS NULL")
FOR_WHOM = "FROM assignment JOIN child_case ON child_case.id = assignment.case_id WHERE assignment.device_id = device.id"


def upgrade() -> None:
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("released_for", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_assignment_pledge_id"), type_="unique")
        batch_op.create_index(batch_op.f("ix_assignment_pledge_id"), ["pledge_id"], unique=False)
        batch_op.create_index(
            "one_assignment_of_pledge", ["pledge_id"], unique=True, sqlite_where=STILL, postgresql_where=STILL
        )
    op.execute("UPDATE assignment SET released_for = 'child' WHERE released_at IS NOT NULL")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f("ck_assignment_released_for_something"), "(released_at IS NULL) = (released_for IS NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_assignment_known_released_for"), "released_for IN ('child', 'faulty', 'lost', 'returned')"
        )

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("station_code", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("wiping_proof", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_device_station_code"), ["station_code"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_device_station_code_station"), "station", ["station_code"], ["code"])
    op.execute(
        f"UPDATE device SET station_code = (SELECT child_case.station_code {FOR_WHOM} ORDER BY assignment.id DESC LIMIT 1)"
        " WHERE state IN ('in_transit', 'at_station', 'handed_over')"
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f("ck_device_has_a_station"),
            "station_code IS NOT NULL OR state NOT IN ('at_station', 'handed_over', 'in_transit')",
        )
        batch_op.drop_constraint(batch_op.f("ck_device_imei"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_device_imei"), f"length(imei) = 15 AND ltrim(imei, '0123456789') = '' AND {LUHN}"
        )


def downgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_device_imei"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_device_imei"), f"length(imei) = 15 AND {LUHN}")
        batch_op.drop_constraint(batch_op.f("ck_device_has_a_station"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_device_station_code_station"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_device_station_code"))
        batch_op.drop_column("wiping_proof")
        batch_op.drop_column("station_code")

    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_assignment_known_released_for"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_assignment_released_for_something"), type_="check")
        batch_op.drop_index("one_assignment_of_pledge", sqlite_where=STILL, postgresql_where=STILL)
        batch_op.drop_index(batch_op.f("ix_assignment_pledge_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_assignment_pledge_id"), ["pledge_id"])
        batch_op.drop_column("overdue_at")
        batch_op.drop_column("released_for")
