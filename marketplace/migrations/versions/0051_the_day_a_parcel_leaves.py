"""A parcel has the day by which it must leave its station, besides the day that was promised to its buyer."""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

PARCEL = sa.table(
    "parcel",
    sa.column("id", sa.Integer()),
    sa.column("promised_by", sa.Date()),
    sa.column("leave_by", sa.Date()),
)
ON_THE_ROAD = sa.text("""SELECT p.id, p.promised_by, p.net_weight_grams, v.zone FROM parcel p JOIN "order" o ON o.id = p.order_id
    JOIN province v ON v.code = o.province_code WHERE p.delivery = 'courier'
    AND p.state IN ('awaiting_group', 'awaiting_acceptance', 'accepted', 'collecting', 'packed')""").columns(
    promised_by=sa.Date()
)
RATES = sa.text("SELECT zone, up_to_grams, days FROM shipping_rate ORDER BY zone, valid_from DESC, up_to_grams")


def upgrade() -> None:
    """Of what has not left the days on the road are those of the newest price list; what has left leaves no more."""
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leave_by", sa.Date(), nullable=True))
    connection = op.get_bind()
    connection.execute(PARCEL.update().values(leave_by=PARCEL.c.promised_by))
    rates = connection.execute(RATES).all()
    leaving: list[dict[str, int | date]] = []
    for row in connection.execute(ON_THE_ROAD):
        days = next((each.days for each in rates if each.zone == row.zone and each.up_to_grams >= row.net_weight_grams), 0)
        leaving.append({"of": row.id, "day": row.promised_by - timedelta(days=days)})
    if leaving:
        one = PARCEL.update().where(PARCEL.c.id == sa.bindparam("of")).values(leave_by=sa.bindparam("day"))
        connection.execute(one, leaving)
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.alter_column("leave_by", existing_type=sa.Date(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.drop_column("leave_by")
