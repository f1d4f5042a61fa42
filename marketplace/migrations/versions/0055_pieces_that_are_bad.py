"""A case may be about some pieces of its packs, where they are sold by the piece."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

CASES = "after_sales_case"
PAID_FOR, PIECES = f"ck_{CASES}_spoiled_is_paid_for", f"ck_{CASES}_pieces_of_packs"
BY_WEIGHT = (
    "spoiled_grams > 0 AND kind = 'damaged' AND wish = 'refund' AND returned_quantity IS NULL OR spoiled_grams IS NULL"
)
BY_EITHER = (
    "spoiled_grams IS NULL AND spoiled_pieces IS NULL "
    "OR kind = 'damaged' AND wish = 'refund' AND returned_quantity IS NULL AND COALESCE(spoiled_grams, spoiled_pieces) > 0"
)
OF_PACKS = (
    "spoiled_pieces IS NULL AND pieces_of_pack IS NULL "
    "OR spoiled_grams IS NULL AND spoiled_pieces IS NOT NULL AND COALESCE(pieces_of_pack, 0) > 1"
)


def upgrade() -> None:
    with op.batch_alter_table(CASES, schema=None) as batch_op:
        batch_op.add_column(sa.Column("spoiled_pieces", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("pieces_of_pack", sa.Integer(), nullable=True))
        batch_op.drop_constraint(op.f(PAID_FOR), type_="check")
        batch_op.create_check_constraint(op.f(PAID_FOR), BY_EITHER)
        batch_op.create_check_constraint(op.f(PIECES), OF_PACKS)


def downgrade() -> None:
    """A case about some pieces is about the packs as a whole again."""
    with op.batch_alter_table(CASES, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(PIECES), type_="check")
        batch_op.drop_constraint(op.f(PAID_FOR), type_="check")
        batch_op.drop_column("pieces_of_pack")
        batch_op.drop_column("spoiled_pieces")
        batch_op.create_check_constraint(op.f(PAID_FOR), BY_WEIGHT)
