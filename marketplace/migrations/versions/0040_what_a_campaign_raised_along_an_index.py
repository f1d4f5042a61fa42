"""What a campaign raised is added up along an index: each gift to one that stops at its goal asks for it."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

RAISED = "ix_public_row_campaign_id_book_kind_fen"


def upgrade() -> None:
    op.create_index(RAISED, "public_row", ["campaign_id", "book", "kind", "fen"])


def downgrade() -> None:
    op.drop_index(RAISED, "public_row")
