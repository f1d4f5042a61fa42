"""A case may be about a part of its packs, by weight; quality counts it."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

CASES, COUNTS = "after_sales_case", "quality_count"
PAID_FOR = (
    "spoiled_grams > 0 AND kind = 'damaged' AND wish = 'refund' AND returned_quantity IS NULL OR spoiled_grams IS NULL"
)
BEFORE = ("on_seller", "on_station", "on_province", "not_sent", "called_off", "replaced", "lighter")
SINCE = (*BEFORE, "spoiled")
EACH = "each_has_a_cause"


def upgrade() -> None:
    with op.batch_alter_table(CASES, schema=None) as batch_op:
        batch_op.add_column(sa.Column("spoiled_grams", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f(f"ck_{CASES}_spoiled_is_paid_for"), PAID_FOR)
    with op.batch_alter_table(COUNTS, schema=None) as batch_op:
        batch_op.add_column(sa.Column("spoiled", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_constraint(op.f(f"ck_{COUNTS}_{EACH}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{COUNTS}_{EACH}"), each(SINCE))
    with op.batch_alter_table(COUNTS, schema=None) as batch_op:
        batch_op.alter_column("spoiled", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    """A case about a part is about the packs as a whole again; the worker counts anew in its next turn."""
    op.execute(sa.text(f"DELETE FROM {COUNTS}"))
    with op.batch_alter_table(COUNTS, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{COUNTS}_{EACH}"), type_="check")
        batch_op.drop_column("spoiled")
        batch_op.create_check_constraint(op.f(f"ck_{COUNTS}_{EACH}"), each(BEFORE))
    with op.batch_alter_table(CASES, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{CASES}_spoiled_is_paid_for"), type_="check")
        batch_op.drop_column("spoiled_grams")


def each(causes: tuple[str, ...]) -> str:
    return f"{' AND '.join(f'{cause} >= 0' for cause in causes)} AND refunded_lately = {' + '.join(causes)}"
