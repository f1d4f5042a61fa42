"""Which listings have changed is written down by the database, so that not every favourite is read to find it out."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NOT_SEEN = """INSERT INTO listing_change (listing_id) SELECT DISTINCT l.id FROM listing l
    JOIN variant v ON v.listing_id = l.id JOIN favourite f ON f.variant_code = v.code
    WHERE (f.tells_price OR f.tells_return) AND f.seen_version <> l.version"""


def upgrade() -> None:
    op.create_table(
        "listing_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_change")),
    )
    op.execute(NOT_SEEN)


def downgrade() -> None:
    op.drop_table("listing_change")
