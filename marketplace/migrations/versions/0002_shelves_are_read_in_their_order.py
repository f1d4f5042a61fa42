"""shelves are read in their order"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_state_category_code"))
        batch_op.drop_index(batch_op.f("ix_listing_state_published_at"))
        batch_op.drop_index(batch_op.f("ix_listing_state_station_code"))
        batch_op.create_index(
            batch_op.f("ix_listing_state_category_code_sold_published_at_id"),
            ["state", "category_code", "sold", "published_at", "id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_listing_state_published_at_id"), ["state", "published_at", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_listing_state_sold_published_at_id"), ["state", "sold", "published_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_state_station_code_sold_published_at_id"),
            ["state", "station_code", "sold", "published_at", "id"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_state_station_code_sold_published_at_id"))
        batch_op.drop_index(batch_op.f("ix_listing_state_sold_published_at_id"))
        batch_op.drop_index(batch_op.f("ix_listing_state_published_at_id"))
        batch_op.drop_index(batch_op.f("ix_listing_state_category_code_sold_published_at_id"))
        batch_op.create_index(batch_op.f("ix_listing_state_station_code"), ["state", "station_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_state_published_at"), ["state", "published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_state_category_code"), ["state", "category_code"], unique=False)
